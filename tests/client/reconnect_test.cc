// What happens to handles when the connection, or the daemon, goes.
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <ranges>

#include "cutting_proxy.h"
#include "daemon_fixture.h"

namespace poold::client {
namespace {

using std::chrono::seconds;

class ReconnectTest : public DaemonTest {
 protected:
  std::string proxy_path() const { return folder() + "/proxy.sock"; }
};

// Before both sockets of the daemon.
class CuttingProxies {
 public:
  CuttingProxies(const std::string& listen_path, const std::string& target_path)
      : grpc_(listen_path, target_path), local_(listen_path + ".payloads", target_path + ".payloads") {}
  void Cut() {
    grpc_.Cut();
    local_.Cut();
  }
  std::size_t accepted() { return grpc_.accepted() + local_.accepted(); }

 private:
  CuttingProxy grpc_;
  CuttingProxy local_;
};

TEST_F(ReconnectTest, HandlesSurviveACutConnection) {
  CuttingProxies proxy(proxy_path(), socket_path());
  const Pool pool = OpenPool(Connect({.address = "unix:" + proxy_path()}));
  const auto before = pool.Submit<void>("sleep", 300);
  ASSERT_TRUE(pool.connection()->Flush(seconds(10)).ok());
  proxy.Cut();
  const auto after = pool.Submit<int>("identity", 5);
  EXPECT_EQ(after.Get().value(), 5);
  EXPECT_TRUE(before.Get().ok());
  EXPECT_GE(proxy.accepted(), 2u);
}

TEST_F(ReconnectTest, TasksAreRunOnceEachThroughManyCuts) {
  CuttingProxies proxy(proxy_path(), socket_path());
  const Pool pool = OpenPool(Connect({.address = "unix:" + proxy_path()}));
  std::vector<TaskHandle<int>> handles;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 500; ++i) handles.push_back(pool.Submit<int>("identity", round * 500 + i));
    proxy.Cut();
  }
  for (int i = 0; i < 5000; ++i) {
    const auto result = handles[i].Get(seconds(60));
    ASSERT_TRUE(result.ok()) << i << " " << result.status();
    ASSERT_EQ(*result, i);
  }
  EXPECT_EQ(pool.Stats()->succeeded, 5000u);
}

TEST_F(ReconnectTest, AMapSurvivesACutConnection) {
  CuttingProxies proxy(proxy_path(), socket_path());
  const Pool pool = OpenPool(Connect({.address = "unix:" + proxy_path()}));
  const auto map = pool.Map<void>("sleep", std::vector<int>(60, 10), {.chunk_size = 1});
  auto reader = map.Read();
  for (int i = 0; i < 60; ++i) {
    const auto item = reader.Next(seconds(60));
    ASSERT_TRUE(item.ok() && item->has_value()) << i << " " << item.status();
    ASSERT_EQ((*item)->index, static_cast<std::uint64_t>(i));
    EXPECT_TRUE((*item)->result.ok()) << (*item)->result;
    if (i % 20 == 5) proxy.Cut();
  }
  EXPECT_EQ(reader.Next().value(), std::nullopt);
}

TEST_F(ReconnectTest, AfterARestartOldHandlesAreLostAndNewWorkGoesOn) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  // Before the others: they take both workers for longer than anybody waits.
  const auto finished = pool.Submit<int>("identity", 3);
  ASSERT_EQ(finished.Get().value(), 3);
  const auto old_task = pool.Submit<void>("sleep", 60'000);
  const auto old_map = pool.Map<void>("sleep", std::vector<int>(10, 60'000));
  ASSERT_TRUE(client.Flush().ok());
  KillDaemon();
  EXPECT_EQ(ReasonOf(old_task.Get(std::chrono::milliseconds(10))), "WAIT_TIMEOUT");
  StartDaemon();
  EXPECT_EQ(ReasonOf(old_task.Get(seconds(30))), "HANDLE_LOST");
  EXPECT_TRUE(old_task.lost());
  EXPECT_EQ(ReasonOf(old_map.Get(seconds(30))), "HANDLE_LOST");
  EXPECT_EQ(finished.Get().value(), 3);
  EXPECT_EQ(OpenPool(client).Apply<int>("identity", 4).value(), 4);
}

TEST_F(ReconnectTest, AnIdleClientLosesNothingThatItSubmitsAfterARestart) {
  const Client client = Connect();
  for (int i = 0; i < 8; ++i) {
    ASSERT_EQ(OpenPool(client).Apply<int>("identity", i).value(), i);
    KillDaemon();
    StartDaemon();
  }
}

// Nothing but the submission itself looks at the connection.
TEST_F(ReconnectTest, NotEvenInAPoolThatItHadBefore) {
  const Client client = Connect();
  const Pool pool = *client.GetPool("default");
  for (int i = 0; i < 8; ++i) {
    ASSERT_EQ(pool.Apply<int>("square", i).value(), i * i);
    KillDaemon();
    StartDaemon();
  }
}

TEST_F(ReconnectTest, WhatWasSubmittedWhileTheDaemonWasAwayIsSentWhenItIsBack) {
  const Client client = Connect();
  KillDaemon();
  // Whoever has not been told of the cut yet waits for it.
  const auto handle = client.Default().Submit<int>("square", 7);
  EXPECT_FALSE(handle.Wait(std::chrono::milliseconds(50)));
  StartDaemon();
  ASSERT_TRUE(handle.Wait(seconds(30)));
  const auto result = handle.Get();
  EXPECT_TRUE(result.ok() ? *result == 49 : ReasonOf(result.status()) == "HANDLE_LOST") << result.status();
}

TEST_F(ReconnectTest, AWrittenHandleIsResumedByAnotherClient) {
  std::string written;
  std::string written_map;
  {
    const Pool pool = OpenPool(Connect());
    written = pool.Submit<int>("identity", 42).ToString();
    written_map = pool.Map<int>("identity", std::views::iota(0, 3)).ToString();
  }
  const Client other = Connect();
  auto handle = other.Resume<int>(written);
  ASSERT_TRUE(handle.ok()) << handle.status();
  EXPECT_EQ(handle->Get().value(), 42);
  auto map = other.ResumeMap<int>(written_map);
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_EQ(map->Get().value(), (std::vector<int>{0, 1, 2}));
}

TEST_F(ReconnectTest, ASmallMapThatIsWrittenDownAtItsEndIsThereForOthers) {
  const Client client = Connect();
  const auto map = OpenPool(client).Map<int>("identity", std::views::iota(0, 300));
  ASSERT_TRUE(map.Wait(seconds(30)));
  ASSERT_EQ(map.Get().value().size(), 300u);
  const std::string written = map.ToString();
  const Client other = Connect();
  const auto resumed = other.ResumeMap<int>(written);
  ASSERT_TRUE(resumed.ok()) << resumed.status();
  EXPECT_EQ(resumed->Get(seconds(30)).value(), map.Get().value());
}

TEST_F(ReconnectTest, AWrittenHandleIsResumedByTheClientThatSubmittedIt) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  const auto task = pool.Submit<int>("identity", 7);
  ASSERT_EQ(task.Get().value(), 7);
  const auto map = pool.Map<int>("identity", std::vector{1, 2, 3});
  const std::string written_map = map.ToString();
  ASSERT_EQ(map.Get().value(), (std::vector{1, 2, 3}));
  EXPECT_EQ(client.Resume<int>(task.ToString()).value().Get(seconds(30)).value(), 7);
  EXPECT_EQ(client.ResumeMap<int>(written_map).value().Get(seconds(30)).value(), (std::vector{1, 2, 3}));
}

TEST_F(ReconnectTest, AWrittenHandleIsResumedInAnotherProcess) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  const std::string written = pool.Submit<int>("identity", 42).ToString();
  const std::string program = POOLD_BIN_DIR "/resume_program '" + written + "'";
  setenv("POOLD_ADDRESS", address().c_str(), 1);
  FILE* output = popen(program.c_str(), "r");
  char line[256] = "";
  ASSERT_NE(fgets(line, sizeof(line), output), nullptr);
  EXPECT_EQ(pclose(output), 0);
  unsetenv("POOLD_ADDRESS");
  EXPECT_STREQ(line, "42\n");
}

TEST_F(ReconnectTest, ResumingNonsenseOrAnUnknownHandleIsToldSo) {
  const Client client = Connect();
  EXPECT_TRUE(absl::IsInvalidArgument(client.Resume<int>("nonsense").status()));
  const auto unknown = client.Resume<int>(HandleId::Random().ToHex());
  EXPECT_EQ(ReasonOf(unknown->Get().status()), "HANDLE_NOT_FOUND");
  const auto lost = client.Resume<int>("poold:another-instance:" + HandleId::Random().ToHex());
  EXPECT_EQ(ReasonOf(lost->Get().status()), "HANDLE_LOST");
}

TEST_F(ReconnectTest, AClientThatGoesWhileTheDaemonIsAwayDoesNotHang) {
  std::optional<Client> client = Connect({.flush_timeout = std::chrono::milliseconds(50)});
  std::optional<TaskHandle<int>> handle = client->Default().Submit<int>("square", 2);
  KillDaemon();
  client.reset();
  handle.reset();
}

}  // namespace
}  // namespace poold::client
