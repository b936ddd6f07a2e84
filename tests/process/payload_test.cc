// Large arguments and results in shared memory, between the dispatcher and real workers.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/arena.h"
#include "base/payload_file.h"
#include "base/spool.h"
#include "process/stage.h"
#include "wire/arena_maker.h"
#include "wire/memory_file.h"

namespace poold::process {
namespace {

using core::TaskState;

std::string Pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 2654435761u >> 13);
  return text;
}

const base::Arena* ArenaOf(const core::Bytes& bytes) {
  const base::PayloadFile* const file = base::PayloadFile::Behind(bytes.owner());
  return file != nullptr ? file->arena() : nullptr;
}

bool OnDisk(const core::Bytes& bytes) {
  const base::PayloadFile* const file = base::PayloadFile::Behind(bytes.owner());
  return file != nullptr && file->arena() == nullptr && !wire::CheckSealedFile(file->fd(), bytes.size()).ok();
}

bool IgnoresSigterm(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("SigIgn:", 0) == 0) return (std::stoull(line.substr(7), nullptr, 16) >> (SIGTERM - 1) & 1) != 0;
  }
  return false;
}

class PayloadTest : public testing::Test {
 protected:
  DispatcherOptions With(base::SpoolOptions spool, DispatcherOptions options = WithPoolWorker()) {
    spool.folder = std::filesystem::temp_directory_path();
    spool_ = std::make_shared<const base::Spool>(spool);
    options.spool = spool_;
    return options;
  }
  // In a file, as an upload or a client brings them.
  core::Bytes InMemory(const std::string& text) {
    wire::UniqueFd fd = std::move(wire::MakeSealedFile(text).value());
    const auto file = spool_->Adopt(&fd, text.size()).value();
    return core::Bytes(file, file->view());
  }
  // As a client of the same user puts them into an arena of its own.
  core::Bytes InArena(const std::string& text) {
    const auto reserved = maker_.Reserve(text.size(), [this](int fd, const wire::ArenaShape& shape) {
      wire::UniqueFd copy(dup(fd));
      arenas_.push_back(spool_->AdoptArena(&copy, shape.slot_bytes).value());
      return std::optional<std::uint64_t>(arenas_.size() - 1);
    });
    std::memcpy(reserved->memory, text.data(), text.size());
    const auto file = arenas_[reserved->arena]->Take(reserved->place, text.size()).value();
    return core::Bytes(file, file->view());
  }
  // It was taken: nobody waits for it any more.
  void Release(Stage& stage, core::HandleId id) {
    stage.clients.Forget(id);
    stage.gate.Enter([&](core::Core& core, core::Nanos now) { core.OnRelease(now, id); });
  }
  core::Bytes Spooled(const std::string& text) {
    base::PayloadDraft draft(spool_.get());
    EXPECT_TRUE(draft.Append(text).ok());
    const base::Kept kept = draft.Finish().value();
    return core::Bytes(kept.owner, kept.view);
  }

  std::shared_ptr<const base::Spool> spool_;
  wire::ArenaMaker maker_{64u << 20};
  std::vector<std::shared_ptr<base::Arena>> arenas_;
};

TEST_F(PayloadTest, ArgumentsInSealedMemoryReachTheWorkerAndAResultComesBackSo) {
  Stage stage(With({}));
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const std::string text = Pattern((5u << 20) + 17);
  const core::OutcomePtr outcome = stage.clients.Outcome(stage.SubmitBytes("echo", InMemory(text)));
  ASSERT_EQ(outcome->state, TaskState::kSucceeded);
  EXPECT_TRUE(outcome->result.data.view() == text);
  const base::Arena* const arena = ArenaOf(outcome->result.data);
  ASSERT_NE(arena, nullptr);
  // The arguments are gone.
  EXPECT_EQ(spool_->used_memory_bytes(), arena->mapping().shape().bytes());
}

TEST_F(PayloadTest, ArgumentsInAnArenaReachTheWorker) {
  Stage stage(With({}));
  ASSERT_TRUE(stage.Open(TestingPool(2)).ok());
  std::vector<std::pair<core::HandleId, std::string>> expected;
  for (int i = 0; i < 40; ++i) {
    const std::string text =
        std::to_string(i) + std::string(40'000 + 20'000 * (i % 5), static_cast<char>('a' + i % 26));
    expected.emplace_back(stage.SubmitBytes("echo", InArena(text)), text);
  }
  for (const auto& [id, text] : expected) EXPECT_TRUE(stage.clients.Outcome(id)->result.data.view() == text);
  expected.clear();
  WaitUntil([&] {
    return std::all_of(arenas_.begin(), arenas_.end(), [](const auto& one) { return one->mapping().AllFree(); });
  });
}

TEST_F(PayloadTest, MemoryIsUsedAgainForResultAfterResult) {
  Stage stage(With({}));
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  std::set<const base::Arena*> seen;
  for (int i = 0; i < 30; ++i) {
    const std::string text = std::to_string(i) + Pattern(1u << 20);
    const core::HandleId id = stage.SubmitBytes("echo", InArena(text));
    {
      const core::OutcomePtr outcome = stage.clients.Outcome(id);
      ASSERT_TRUE(outcome->result.data.view() == text);
      seen.insert(ArenaOf(outcome->result.data));
    }
    Release(stage, id);
  }
  // The next one may come while the last one is on its way out.
  EXPECT_LE(seen.size(), 3u);
  EXPECT_LE(arenas_.size(), 3u);
}

TEST_F(PayloadTest, ArgumentsStayAsTheyAreWhileTheTaskMayRun) {
  Stage stage(With({}));
  core::PoolSpec spec = TestingPool();
  spec.stop_grace = core::kNever;
  ASSERT_TRUE(stage.Open(spec).ok());
  const core::HandleId id = stage.SubmitBytes("hold_bytes", InArena(Pattern(100'000)));
  WaitUntil([&] { return IgnoresSigterm(stage.WorkerPid()); });
  stage.gate.Enter([&](core::Core& core, core::Nanos now) { EXPECT_TRUE(core.OnCancel(now, id, true).ok()); });
  Release(stage, id);
  EXPECT_FALSE(arenas_[0]->mapping().AllFree());
  kill(stage.WorkerPid(), SIGKILL);
  WaitUntil([&] { return arenas_[0]->mapping().AllFree(); });
}

TEST_F(PayloadTest, ArgumentsOnDiskReachTheWorker) {
  Stage stage(With({.threshold_bytes = 1000}));
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const std::string text = Pattern(3u << 20);
  const core::Bytes args = Spooled(text);
  EXPECT_TRUE(OnDisk(args));
  EXPECT_TRUE(stage.clients.Outcome(stage.SubmitBytes("echo", args))->result.data.view() == text);
}

TEST_F(PayloadTest, AWorkerThatTakesNoDescriptorsGetsTheBytes) {
  for (const char* odd : {"", "no_page"}) {
    Stage stage(With({.threshold_bytes = 1000}, {}));
    ASSERT_TRUE(stage.Open(OddPool(odd)).ok());
    const std::string text = Pattern((3u << 20) + 5);
    const core::Bytes args = Spooled(text);
    EXPECT_TRUE(stage.clients.Outcome(stage.SubmitBytes("echo", args))->result.data.view() == text) << odd;
    EXPECT_EQ(stage.Run("echo", "small")->result.data.view(), "small") << odd;
  }
}

TEST_F(PayloadTest, ManyOfThemAmongSmallOnesKeepTheirPlaces) {
  Stage stage(With({.max_files = 200}));
  ASSERT_TRUE(stage.Open(TestingPool(2)).ok());
  std::vector<std::pair<core::HandleId, std::string>> expected;
  for (int i = 0; i < 60; ++i) {
    const std::string text =
        std::to_string(i) + std::string(i % 3 == 0 ? 300'000 : 20, static_cast<char>('a' + i % 26));
    expected.emplace_back(stage.SubmitBytes("echo", i % 3 == 0 ? InMemory(text) : core::Bytes(text)), text);
  }
  for (const auto& [id, text] : expected) EXPECT_TRUE(stage.clients.Outcome(id)->result.data.view() == text);
}

TEST_F(PayloadTest, AResultForWhichThereIsNoMemoryGoesToDisk) {
  Stage stage(With({.max_memory_bytes = 1u << 20}));
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const std::string text = Pattern(3u << 20);
  const core::OutcomePtr outcome = stage.Run("echo", text);
  EXPECT_TRUE(outcome->result.data.view() == text);
  EXPECT_TRUE(OnDisk(outcome->result.data));
}

TEST_F(PayloadTest, ResultsForWhichThereIsNoMemoryAnyMoreAreCopiedOneByOne) {
  Stage stage(With({.max_memory_bytes = 1u << 20}));
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  std::vector<core::HandleId> ids;
  for (int i = 0; i < 50; ++i) ids.push_back(stage.Submit("echo", std::to_string(i) + Pattern(100'000)));
  int copied = 0;
  for (int i = 0; i < 50; ++i) {
    const core::OutcomePtr outcome = stage.clients.Outcome(ids[i]);
    EXPECT_TRUE(outcome->result.data.view() == std::to_string(i) + Pattern(100'000)) << i;
    copied += ArenaOf(outcome->result.data) == nullptr ? 1 : 0;
  }
  EXPECT_GE(copied, 40);
  EXPECT_LT(copied, 50);
  EXPECT_LE(spool_->used_memory_bytes(), 1u << 20);
}

TEST_F(PayloadTest, WhatNobodyUsesGivesWayToWhatIsWanted) {
  Stage stage(With({.max_memory_bytes = 10u << 20}));
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const core::HandleId id = stage.Submit("echo", Pattern(7u << 20));
  EXPECT_NE(ArenaOf(stage.clients.Outcome(id)->result.data), nullptr);
  Release(stage, id);
  WaitUntil([&] { return ArenaOf(stage.Run("echo", Pattern(3u << 20))->result.data) != nullptr; });
  EXPECT_LE(spool_->used_memory_bytes(), 10u << 20);
}

TEST_F(PayloadTest, AResultTooLargeForAnArenaIsGatheredOnDisk) {
  Stage stage(With({}));
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const std::string text = Pattern(wire::kMaxArenaPayloadBytes + 1);
  const core::OutcomePtr outcome = stage.clients.Outcome(stage.SubmitBytes("echo", InMemory(text)));
  ASSERT_EQ(outcome->state, TaskState::kSucceeded);
  EXPECT_TRUE(outcome->result.data.view() == text);
  EXPECT_TRUE(OnDisk(outcome->result.data));
}

TEST_F(PayloadTest, AFullSpoolFailsTheTaskAndTheWorkerLives) {
  Stage stage(With({.max_bytes = 2u << 20, .max_memory_bytes = 1u << 20}));
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const pid_t pid = stage.WorkerPid();
  const core::OutcomePtr outcome = stage.Run("echo", Pattern(3u << 20));
  EXPECT_EQ(outcome->state, TaskState::kFailed);
  EXPECT_EQ(outcome->detail->failure->type, "poold.ResultError");
  EXPECT_NE(outcome->detail->failure->message.find("spool.max_bytes"), std::string::npos);
  EXPECT_EQ(stage.Run("echo", "small")->result.data.view(), "small");
  EXPECT_EQ(stage.WorkerPid(), pid);
  EXPECT_EQ(spool_->used_bytes(), 0u);
}

TEST_F(PayloadTest, AWorkerThatDiesBetweenAnArenaAndItsRecordHasNoResult) {
  Stage stage(With({}, {}));
  ASSERT_TRUE(stage.Open(OddPool("arena_then_death")).ok());
  const core::OutcomePtr outcome = stage.Run("echo", "x");
  EXPECT_EQ(outcome->state, TaskState::kCrashed);
  EXPECT_EQ(spool_->used_memory_bytes(), 0u);
}

TEST_F(PayloadTest, AWorkerThatLiesAboutAnArenaIsKilled) {
  for (const char* odd :
       {"no_arena", "unsealed_arena", "arena_of_another_shape", "slot_that_is_not_filled", "slot_of_an_old_use",
        "more_than_a_slot", "no_such_slot", "arena_out_of_turn", "flood_arenas"}) {
    Stage stage(With({}, {}));
    ASSERT_TRUE(stage.Open(OddPool(odd)).ok());
    const core::OutcomePtr outcome = stage.Run("echo", "x");
    EXPECT_EQ(outcome->state, TaskState::kCrashed) << odd;
    EXPECT_EQ(outcome->detail->death->killed_by, core::KilledBy::kItself) << odd;
    WaitUntil([&] { return spool_->used_memory_bytes() == 0; });
  }
}

TEST_F(PayloadTest, NoDescriptorIsLeftWhenOutcomesAreReleased) {
  Stage stage(With({}));
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  stage.Run("echo", "warm");
  std::size_t before = 0;
  for (int i = 0; i < 20; ++i) {
    const core::HandleId id = stage.SubmitBytes("echo", InMemory(std::string(300'000, 'x')));
    stage.clients.Outcome(id);
    Release(stage, id);
    // With the worker's arena.
    if (i == 0) before = OpenDescriptors();
  }
  WaitUntil([&] { return spool_->used_files() == 1 && OpenDescriptors() <= before; });
}

}  // namespace
}  // namespace poold::process
