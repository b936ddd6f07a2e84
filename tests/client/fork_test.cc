// A child that a program forks has the client's memory, but the client is its parent's.
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <optional>

#include "daemon_fixture.h"

namespace poold::client {
namespace {

using std::chrono::seconds;

class ForkTest : public DaemonTest {};

// How a child is made: fork() runs handlers of pthread_atfork, a bare clone none.
pid_t Fork() { return fork(); }
pid_t Clone() { return static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr)); }

// Whether `story` is true in a child. It is killed when it hangs.
bool HoldsInChild(pid_t (*make_child)(), const std::function<bool()>& story) {
  const pid_t child = make_child();
  if (child == 0) {
    alarm(60);
    _exit(story() ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool IsForked(const absl::Status& status) { return ReasonOf(status) == "FORKED"; }

TEST_F(ForkTest, AScopeThatGoesInAChildLeavesThePoolOfItsParent) {
  const Client client = Connect();
  auto opened = PoolScope::Open(client, {.name = "mine", .workers = 1, .modules = {"testing"}});
  ASSERT_TRUE(opened.ok()) << opened.status();
  std::optional<PoolScope> scope(*std::move(opened));
  ASSERT_EQ((*scope)->Apply<int>("identity", 1).value(), 1);
  for (pid_t (*make_child)() : {Fork, Clone}) {
    EXPECT_TRUE(HoldsInChild(make_child, [&] {
      scope.reset();
      return true;
    }));
    EXPECT_EQ((*scope)->Apply<int>("identity", 2).value(), 2);
  }
}

TEST_F(ForkTest, EveryCallInAChildSaysWhoseClientItIs) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  const auto pending = pool.Submit<void>("sleep", 300);
  const auto map = pool.Map<int>("identity", std::vector<int>{1, 2, 3});
  ASSERT_TRUE(client.Flush().ok());
  for (pid_t (*make_child)() : {Fork, Clone}) {
    EXPECT_TRUE(HoldsInChild(make_child, [&] { return IsForked(pool.Submit<int>("identity", 1).Get().status()); }));
    EXPECT_TRUE(
        HoldsInChild(make_child, [&] { return IsForked(pool.Map<int>("identity", std::vector{1}).Get().status()); }));
    EXPECT_TRUE(HoldsInChild(make_child, [&] { return IsForked(pending.Get()); }));
    EXPECT_TRUE(HoldsInChild(make_child, [&] { return IsForked(pool.Info().status()); }));
    EXPECT_TRUE(HoldsInChild(make_child, [&] { return IsForked(pool.Terminate().status()); }));
    EXPECT_TRUE(HoldsInChild(make_child, [&] { return IsForked(client.Flush()); }));
    EXPECT_TRUE(HoldsInChild(make_child, [&] { return IsForked(Client::Connect({.address = address()}).status()); }));
  }
  EXPECT_TRUE(pending.Get(seconds(60)).ok());
  EXPECT_EQ(map.Get().value(), (std::vector<int>{1, 2, 3}));
}

TEST_F(ForkTest, AChildThatExitsInAnOrderlyWayTakesNothingWithIt) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  std::optional<TaskHandle<void>> pending = pool.Submit<void>("sleep", 300);
  ASSERT_TRUE(client.Flush().ok());
  EXPECT_TRUE(HoldsInChild(Fork, [&] {
    std::optional<TaskHandle<void>> copy = std::move(pending);
    copy.reset();  // its last handle, in the child
    return true;
  }));
  EXPECT_TRUE(pending->Get(seconds(60)).ok());
  EXPECT_EQ(pool.Apply<int>("identity", 3).value(), 3);
}

TEST_F(ForkTest, AProcessThatMadeNoClientBeforeItsForkMakesOneInTheChild) {
  // This process has clients: its child cannot. So the program that tries it begins anew.
  EXPECT_TRUE(HoldsInChild(Fork, [&] {
    execl(FORK_PROGRAM, FORK_PROGRAM, address().c_str(), nullptr);
    return false;
  }));
}

}  // namespace
}  // namespace poold::client
