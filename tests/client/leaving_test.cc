// Calls that are left in an unusual way leave a client that works.
#include <pthread.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>

#include "cutting_proxy.h"
#include "daemon_fixture.h"

namespace poold::client {
namespace {

using std::chrono::seconds;

class LeavingTest : public DaemonTest {};

// Runs `wait` in a thread, cancels that thread, and joins it.
void* CancelIn(const std::function<void()>& wait) {
  struct Story {
    const std::function<void()>* wait;
    std::atomic<bool> begun = false;
  } story{&wait};
  pthread_t thread{};
  pthread_create(
      &thread, nullptr,
      [](void* told) -> void* {
        auto* const mine = static_cast<Story*>(told);
        mine->begun = true;
        (*mine->wait)();
        return nullptr;
      },
      &story);
  while (!story.begun) std::this_thread::yield();
  pthread_cancel(thread);
  void* ended_by = nullptr;
  pthread_join(thread, &ended_by);
  return ended_by;
}

TEST_F(LeavingTest, AThreadThatIsCancelledWhileItWaitsLeavesAClientThatWorks) {
  const Pool pool = OpenPool(Connect());
  const auto held = pool.Submit<void>("sleep", 100'000);
  const auto map = pool.Map<void>("sleep", std::vector<int>{100'000});
  EXPECT_EQ(CancelIn([&] { (void)held.Get(); }), PTHREAD_CANCELED);
  EXPECT_EQ(CancelIn([&] { (void)map.Get(); }), PTHREAD_CANCELED);
  EXPECT_TRUE(held.Cancel(/*running=*/true).value());
  EXPECT_TRUE(map.Cancel(/*running=*/true).ok());
  EXPECT_EQ(pool.Apply<int>("identity", 4).value(), 4);
}

TEST_F(LeavingTest, OthersWaitOnWhenTheThreadThatReadsForThemIsCancelled) {
  const Pool pool = OpenPool(Connect());
  const auto held = pool.Submit<void>("sleep", 100'000);
  const auto short_one = pool.Submit<void>("sleep", 3000);
  absl::Status ended = absl::UnknownError("not yet");
  std::thread other;
  EXPECT_EQ(CancelIn([&] {
              other = std::thread([&] { ended = short_one.Get(seconds(60)); });
              (void)held.Get();
            }),
            PTHREAD_CANCELED);
  other.join();
  EXPECT_TRUE(ended.ok()) << ended;
  EXPECT_TRUE(held.Cancel(/*running=*/true).value());
}

TEST_F(LeavingTest, AThreadThatDoesNotWishToBeCancelledIsNot) {
  const Pool pool = OpenPool(Connect());
  EXPECT_EQ(CancelIn([&] {
              int before = 0;
              pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
              EXPECT_TRUE(pool.Apply<void>("sleep", 200).ok());
            }),
            nullptr);
}

TEST_F(LeavingTest, WhatAWatchThrowsComesToWhoCalledIt) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  const auto look = [](const WatchEvent&) -> bool { throw std::runtime_error("seen enough"); };
  EXPECT_THROW((void)pool.Watch(look), std::runtime_error);
  EXPECT_EQ(pool.Apply<int>("identity", 5).value(), 5);
}

TEST_F(LeavingTest, WhatACallbackThrowsHarmsNobody) {
  const Pool pool = OpenPool(Connect());
  TaskOptions options;
  options.on_output = [](const Output&) { throw 7; };
  const auto printing = pool.SubmitWith<void>(options, "print", std::string("once"));
  printing.OnDone([](const TaskHandle<void>&) { throw std::runtime_error("so be it"); });
  EXPECT_TRUE(printing.Get(seconds(60)).ok());
  EXPECT_EQ(pool.Apply<int>("identity", 6).value(), 6);
}

class SilenceTest : public DaemonTest {};

// The host is gone without a word: only another connection comes through.
TEST_F(SilenceTest, AConnectionThatWentSilentIsLeftForAnother) {
  const std::string path = folder() + "/proxy.sock";
  CuttingProxy proxy(path, socket_path());
  const Client client = Connect({.address = "unix:" + path});
  const Pool pool = OpenPool(client);
  const auto before = pool.Submit<void>("sleep", 100);
  ASSERT_TRUE(client.Flush().ok());
  proxy.Silence();
  const auto after = pool.Submit<int>("identity", 7);
  absl::Status called;
  std::thread caller([&] { called = pool.Info().status(); });
  EXPECT_TRUE(before.Get(seconds(60)).ok());
  EXPECT_EQ(after.Get(seconds(60)).value(), 7);
  caller.join();
  EXPECT_TRUE(called.ok()) << called;
}

}  // namespace
}  // namespace poold::client
