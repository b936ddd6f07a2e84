// Workers of other languages, which have no claim page: nobody can tell what they had begun.
#include "core_test_peer.h"
#include "fakes.h"

namespace poold::core::testing {
namespace {

class WithoutPage : public ::testing::Test {
 protected:
  void Open(std::uint32_t workers = 1) {
    story.AskOpen(SpecOf("p", workers));
    StartAll();
    story.map_options.retry_delay = 0;
    story.processes.on_begin = [this](const FakeWorker&, const FakeWork& work, std::uint32_t item) {
      ++starts[std::string(work.Item(item))];
      attempts[std::string(work.Item(item))] = work.what.attempt;
    };
  }
  void StartAll() {
    for (auto& [pool, zygote] : story.processes.zygotes) {
      if (!zygote.ready) story.processes.ZygoteReady(story.now, pool);
    }
    for (bool more = true; more;) {
      more = false;
      for (auto& [id, worker] : story.processes.workers) {
        if (worker.ready) continue;
        worker.uses_page = false;
        story.processes.WorkerReady(story.now, id);
        more = true;
        break;
      }
    }
  }
  std::vector<std::string> Items(int count) {
    std::vector<std::string> items;
    for (int i = 0; i < count; ++i) items.push_back("item" + std::to_string(i));
    return items;
  }
  std::size_t SentTo(WorkerId worker) {
    const FakeWorker& fake = story.processes.workers.at(worker);
    return fake.work.empty() ? 0 : fake.work.front().limit - fake.work.front().finished;
  }
  // Runs everything; an item whose name is `bad` kills its worker.
  void RunAll(const std::string& bad) {
    for (int i = 0; i < 10'000; ++i) {
      story.Pass(kMillisecond);
      FakeWorker* busy = nullptr;
      for (auto& [id, worker] : story.processes.workers) {
        if (!worker.work.empty()) busy = &worker;
      }
      if (busy == nullptr) return;
      if (!busy->running()) story.processes.Begin(*busy);
      const FakeWork& work = busy->work.front();
      if (work.Item(work.finished) == bad) {
        ++deaths;
        story.Crash(busy->id);
        StartAll();
      } else {
        story.RunOne(busy->id, true, 1000);
      }
    }
    FAIL() << "it never ends";
  }
  std::map<std::uint64_t, OutcomePtr> Unsuccessful() {
    std::map<std::uint64_t, OutcomePtr> found;
    for (const ItemBlockPtr& block : story.clients.blocks[story.stream][kMap]) {
      for (const auto& [index, outcome] : block->others) found[index] = outcome;
    }
    return found;
  }

  Story story;
  std::map<std::string, int> starts;
  std::map<std::string, std::uint32_t> attempts;
  int deaths = 0;
};

TEST_F(WithoutPage, ItemsAreSentOneByOneIfTheyMayRunOnlyOnce) {
  Open();
  story.chunk_size = 16;
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(16)).ok());
  EXPECT_EQ(SentTo(story.FirstWorker()), 1u);
  RunAll("item7");
  EXPECT_TRUE(story.MapOf(kMap).done);
  EXPECT_EQ(story.MapOf(kMap).unsuccessful_items, 1u);
  for (const auto& [item, count] : starts) EXPECT_EQ(count, 1) << item;
}

TEST_F(WithoutPage, ItemsAreSentOneByOneIfACrashIsNotTriedAgain) {
  Open();
  story.chunk_size = 16;
  story.map_options.max_attempts = 5;
  story.map_options.retry_on = 1u << static_cast<unsigned>(TaskState::kFailed);
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(16)).ok());
  EXPECT_EQ(SentTo(story.FirstWorker()), 1u);
}

TEST_F(WithoutPage, AChunkThatDiesIsSplitUntilTheGuiltyItemIsAlone) {
  Open();
  story.chunk_size = 16;
  story.map_options.max_attempts = 20;
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(16)).ok());
  EXPECT_EQ(SentTo(story.FirstWorker()), 16u);
  RunAll("item5");
  EXPECT_TRUE(story.MapOf(kMap).done);
  const auto unsuccessful = Unsuccessful();
  ASSERT_EQ(unsuccessful.size(), 1u);
  EXPECT_EQ(unsuccessful.begin()->first, 5u);
  EXPECT_EQ(unsuccessful.begin()->second->state, TaskState::kCrashed);
  EXPECT_TRUE(unsuccessful.begin()->second->detail->poison);
  // 11 items, then 6 and 3 and 2 of them, then three times alone.
  EXPECT_EQ(deaths, 4 + 3);
  for (const auto& [item, count] : starts) {
    if (item != "item5") {
      EXPECT_EQ(count, 1) << item;
    }
  }
}

TEST_F(WithoutPage, NoItemIsStartedMoreOftenThanItMay) {
  Open();
  story.chunk_size = 32;
  story.map_options.max_attempts = 3;
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(32)).ok());
  RunAll("item20");
  EXPECT_TRUE(story.MapOf(kMap).done);
  EXPECT_EQ(Unsuccessful().size(), 1u);
  EXPECT_EQ(starts.at("item20"), 3);
  for (const auto& [item, attempt] : attempts) EXPECT_LE(attempt, 3u) << item;
}

TEST_F(WithoutPage, OneAttemptIsLeftForEachItemAlone) {
  Open();
  story.chunk_size = 8;
  story.map_options.max_attempts = 2;
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(8)).ok());
  story.Crash(story.FirstWorker());
  StartAll();
  EXPECT_EQ(SentTo(story.FirstWorker() /* the new one */), 1u);
  RunAll("item0");
  EXPECT_TRUE(story.MapOf(kMap).done);
  EXPECT_EQ(Unsuccessful().size(), 1u);
  EXPECT_EQ(Unsuccessful().count(0), 1u);
}

TEST_F(WithoutPage, OneTaskThatItHadIsTheGuiltyOne) {
  Open();
  const HandleId task = story.Submit("p", "f");
  WorkerLoss loss;  // nobody is named
  loss.death.signal = 9;
  const WorkerId worker = story.FirstWorker();
  story.processes.workers.erase(worker);
  story.core.OnWorkerLost(story.now, worker, std::move(loss));
  EXPECT_EQ(story.StateOf(task), TaskState::kCrashed);
  EXPECT_EQ(story.OutcomeOf(task).detail->death->worker, worker);
}

TEST_F(WithoutPage, AMapThatIsCancelledMeanwhileIsOver) {
  Open();
  story.chunk_size = 8;
  story.map_options.max_attempts = 9;
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(24)).ok());
  story.Crash(story.FirstWorker());
  StartAll();
  ASSERT_TRUE(story.core.OnCancel(story.now, kMap, true).ok());
  story.EndAll();
  EXPECT_TRUE(story.MapOf(kMap).done);
  EXPECT_EQ(story.Pool("p").stats.queued, 0u);
  EXPECT_EQ(story.Pool("p").stats.queued_bytes, 0u);
}

// It is killed for one item, which comes back all the same, and dies in the next.
TEST_F(WithoutPage, OnlyTheItemThatWasTooLateIsTimedOut) {
  Open();
  story.chunk_size = 4;
  story.map_options.max_attempts = 5;
  story.map_options.run_timeout = kSecond;
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(4)).ok());
  const WorkerId worker = story.FirstWorker();
  story.Pass(2 * kSecond);
  ASSERT_TRUE(story.processes.workers.at(worker).killed);
  story.RunOne(worker);  // item0, within the grace
  story.Begin(worker);
  story.EndAll();
  StartAll();
  RunAll("");
  EXPECT_TRUE(story.MapOf(kMap).done);
  EXPECT_EQ(story.MapOf(kMap).unsuccessful_items, 0u);
}

}  // namespace
}  // namespace poold::core::testing
