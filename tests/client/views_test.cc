// Large payloads that functions and clients look at where they lie.
#include <malloc.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "payloads_fixture.h"
#include "session/handle_state.h"

namespace poold::client {
namespace {

// What this process has in memory of its own.
std::size_t OwnBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

class ViewsTest : public PayloadsTest {
 protected:
  // Bytes from where they lie to where they are to lie, and looked at there.
  static SharedBytes Echo(const Pool& pool, const std::string& sent) {
    auto back = pool.Submit<SharedBytes>("echo_view", BytesView{sent}).Get();
    EXPECT_TRUE(back.ok()) << back.status();
    EXPECT_TRUE(back.ok() && back->view() == sent) << sent.size();
    return back.ok() ? *std::move(back) : SharedBytes();
  }
  static void ExpectViews(const Pool& pool, std::size_t bytes) {
    const std::string sent = Pattern(bytes);
    EXPECT_EQ(Echo(pool, sent).size(), bytes);
    const auto text = pool.Submit<SharedBytes>("echo_text", std::string_view(sent)).Get();
    ASSERT_TRUE(text.ok()) << text.status();
    EXPECT_TRUE(text->view() == sent) << bytes;
    // Owning and looking types are the same on the way.
    EXPECT_TRUE(pool.Apply<std::string>("echo_text", sent).value() == sent) << bytes;
    EXPECT_TRUE(pool.Apply<Bytes>("echo_view", Bytes{sent})->data == sent) << bytes;
    EXPECT_TRUE(pool.Apply<SharedBytes>("echo", Bytes{sent})->view() == sent) << bytes;
  }
  // Results of others, so that what lies free in arenas is written over.
  static void WriteOver(const Pool& pool, std::size_t bytes) {
    for (int i = 0; i < 8; ++i) {
      const std::string other(bytes, static_cast<char>('0' + i));
      EXPECT_TRUE(Echo(pool, other).view() == other);
    }
  }
};

TEST_F(ViewsTest, OfEverySizeShowTheSameBytes) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, kMiB / 1024, kMiB / 32 - 6, kMiB / 32,
                                  40 * kMiB / 1024, kMiB, 64 * kMiB - 5, 64 * kMiB, 64 * kMiB + 1, 80 * kMiB}) {
    ExpectViews(pool, bytes);
  }
}

TEST_F(ViewsTest, AreCopiedNeitherHereNorInTheWorker) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers' own memory is in the way";
#endif
  const Client client = Connect();
  // The worker has no memory for a string of this size.
  const Pool pool = client
                        .OpenPool({.name = "poor",
                                   .workers = 1,
                                   .modules = {"testing"},
                                   .initializer = "init_private_bytes",
                                   .initializer_args = Arguments(60 * kMiB)})
                        .value();
  const std::string sent = Pattern(64 * kMiB);
  EXPECT_EQ(ReasonOf(pool.Apply<SharedBytes>("echo", Bytes{sent}).status()), "TASK_FAILED");
  const std::size_t before = OwnBytes();
  const SharedBytes raw = Echo(pool, sent);
  const auto text = pool.Apply<SharedBytes>("echo_text", sent);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_LT(OwnBytes(), before + kMiB);
  EXPECT_TRUE(text->view() == sent);
}

TEST_F(ViewsTest, OutliveTheirHandleTheClientAndTheDaemon) {
  std::vector<std::pair<SharedBytes, std::string>> kept;
  const auto expect_all = [&kept](const char* when) {
    for (const auto& [bytes, sent] : kept) EXPECT_TRUE(bytes.view() == sent) << sent.size() << " bytes, " << when;
  };
  {
    const Client client = Connect();
    const Pool pool = OpenPool(client);
    for (const std::size_t bytes : {std::size_t{10}, 40 * kMiB / 1024, kMiB, 3 * kMiB, 65 * kMiB}) {
      const std::string sent = Pattern(bytes);
      kept.emplace_back(Echo(pool, sent), sent);
      WriteOver(pool, bytes);
    }
    expect_all("without a handle");
  }
  {
    const Client other = Connect();
    const Pool pool = OpenPool(other);
    for (const auto& [bytes, sent] : kept) WriteOver(pool, sent.size());
    expect_all("without their client");
    ASSERT_TRUE(pool.Terminate().ok());
    expect_all("without their worker");
  }
  KillDaemon();
  expect_all("without the daemon");
  StartDaemon();
  const Client client = Connect();
  WriteOver(OpenPool(client), kMiB);
  expect_all("after a restart");
}

TEST_F(ViewsTest, OfWhatAnotherClientReleasesStay) {
  const Client owner = Connect(), reader = Connect();
  const Pool pool = OpenPool(owner);
  const std::string sent = Pattern(kMiB);
  const auto handle = pool.Submit<SharedBytes>("echo_view", BytesView{sent});
  ASSERT_TRUE(owner.Flush().ok());
  const auto other = reader.Resume<SharedBytes>(handle.ToString()).value();
  const SharedBytes bytes = other.Get().value();
  ASSERT_TRUE(owner.connection()->Release({handle.id()}).ok());
  WriteOver(pool, kMiB);
  EXPECT_TRUE(bytes.view() == sent);
  EXPECT_TRUE(absl::IsNotFound(other.Get().status()));
}

TEST_F(ViewsTest, GiveTheirRoomBackWithTheLastCopy) {
  const Client client = Connect();
  const Pool pool = OpenPool(client, "one", 1);
  const std::string sent = Pattern(60 * kMiB);
  // An arena of 64 MiB each: a worker has room for less than four.
  const auto lies_in_arena = [&pool, &sent](const TaskHandle<SharedBytes>& handle) {
    EXPECT_TRUE(handle.Wait());
    return handle.ref().get()->detail->outcome->result().has_in_arena();
  };
  std::vector<SharedBytes> kept;
  int in_arenas = 0;
  for (int i = 0; i < 6; ++i) {
    const auto handle = pool.Submit<SharedBytes>("echo_view", BytesView{sent});
    in_arenas += lies_in_arena(handle) ? 1 : 0;
    kept.push_back(handle.Get().value());
    kept.push_back(kept.back());
  }
  EXPECT_GE(in_arenas, 1);
  EXPECT_LE(in_arenas, 3) << "the others went another way";
  for (const SharedBytes& bytes : kept) EXPECT_TRUE(bytes.view() == sent);
  kept.clear();
  for (int i = 0; i < 6; ++i) {
    const auto handle = pool.Submit<SharedBytes>("echo_view", BytesView{sent});
    EXPECT_TRUE(lies_in_arena(handle)) << i;
    EXPECT_TRUE(handle.Get()->view() == sent);
  }
}

TEST_F(ViewsTest, AreCopiedMovedAndAskedForAgain) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  const std::string sent = Pattern(kMiB);
  const auto handle = pool.Submit<SharedBytes>("echo_view", BytesView{sent});
  SharedBytes first = handle.Get().value();
  {
    const SharedBytes second = handle.Get().value();
    EXPECT_EQ(second.view().data(), first.view().data()) << "where they lie";
  }
  SharedBytes copy = first;
  const SharedBytes moved = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move)
  copy = SharedBytes();
  EXPECT_TRUE(copy.view().empty());
  WriteOver(pool, kMiB);
  EXPECT_TRUE(moved.view() == sent);
}

TEST_F(ViewsTest, OfAnotherTypeAreToldAsForAString) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  const auto both = [&pool](const char* function, const auto&... args) {
    const auto view = pool.Apply<SharedBytes>(function, args...);
    const auto text = pool.Apply<std::string>(function, args...);
    EXPECT_FALSE(view.ok());
    EXPECT_EQ(ReasonOf(text.status()), "RESULT_TYPE");
    EXPECT_EQ(ReasonOf(view.status()), "RESULT_TYPE");
  };
  both("identity", 7);
  both("echo_value", std::vector<double>(100'000, 1.5));
  const auto number = pool.Apply<SharedBytes>("echo_text", 7);
  EXPECT_EQ(ReasonOf(number.status()), "TASK_FAILED");
}

TEST_F(ViewsTest, ATaskThatIsRunAgainSeesTheSameBytes) {
  const Client client = Connect();
  const Pool pool = OpenPool(client).With({.max_attempts = 3, .retry_on = {TaskState::kCrashed}});
  for (const std::size_t bytes : {40 * kMiB / 1024, kMiB, 65 * kMiB}) {
    const std::string sent = Pattern(bytes);
    const auto handle = pool.Submit<SharedBytes>("flaky_echo", sent, 3);
    WriteOver(pool, bytes);
    const auto back = handle.Get();
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_TRUE(back->view() == sent);
  }
}

TEST_F(ViewsTest, LargeTextsAmongOtherArgumentsArrive) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  const std::string text = Pattern(kMiB);
  EXPECT_TRUE(pool.Apply<SharedBytes>("repeat", text, 3)->view() == text + text + text);
  EXPECT_TRUE(pool.With({.wait_when_full = true}).Apply<SharedBytes>("repeat", std::string_view(text), 1)->view() ==
              text);
  // More than daemon and client keep in shared memory at a time.
  std::vector<TaskHandle<SharedBytes>> handles;
  const std::string large = Pattern(48 * kMiB);
  for (int i = 0; i < 8; ++i) handles.push_back(pool.Submit<SharedBytes>("echo_text", large));
  for (const auto& handle : handles) EXPECT_TRUE(handle.Get()->view() == large);
}

TEST_F(ViewsTest, OfItemsOfAMapStay) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  std::vector<std::string> texts;
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{100}, 40 * kMiB / 1024, kMiB, 5 * kMiB}) {
    texts.push_back(Pattern(bytes));
  }
  const std::vector<SharedBytes> results = pool.Map<SharedBytes>("echo_text", texts).Get().value();
  WriteOver(pool, kMiB);
  ASSERT_EQ(results.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_TRUE(results[i].view() == texts[i]) << i;
}

TEST_F(ViewsTest, ManyThreadsLookWhileOthersWrite) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool, t] {
      std::vector<std::pair<SharedBytes, std::string>> kept;
      for (int i = 0; i < 25; ++i) {
        const std::string sent =
            Pattern(40'000 + 30'000 * static_cast<std::size_t>(i % 7)) + std::to_string(t * 100 + i);
        kept.emplace_back(Echo(pool, sent), sent);
        if (kept.size() == 5) {
          for (const auto& [bytes, text] : kept) EXPECT_TRUE(bytes.view() == text);
          kept.clear();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace poold::client
