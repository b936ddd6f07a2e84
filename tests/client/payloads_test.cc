// Large payloads between a client and a daemon on one host: handed over, and by gRPC where that is not possible.
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "payloads_fixture.h"

namespace poold::client {
namespace {

std::size_t OpenDescriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator()));
}

TEST_F(PayloadsTest, SixtyFourMebibytesAreHandedOverThereAndBack) {
  const Client client = Connect({.only_grpc = true});
  const Pool pool = OpenPool(client);
  EXPECT_EQ(HandOvers(), 0);
  ExpectEcho(pool, 64 * kMiB);
  EXPECT_EQ(HandOvers(), 1);
}

TEST_F(PayloadsTest, EverySizeAroundTheThresholdsArrives) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  for (const std::size_t bytes :
       {kMiB / 32 - 1, kMiB / 32, kMiB / 32 + 1, kMiB / 16, kMiB / 16 + 4097, kMiB / 4 - 1, kMiB / 4, kMiB / 4 + 1,
        kMiB / 2, kMiB / 2 + 1, kMiB, kMiB + 1, 2 * kMiB, 4 * kMiB + 3}) {
    ExpectEcho(pool, bytes);
  }
}

TEST_F(PayloadsTest, MoreThanFitsIntoSharedMemoryArrivesToo) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  const Bytes sent{Pattern(48 * kMiB)};
  std::vector<TaskHandle<Bytes>> handles;
  for (int i = 0; i < 8; ++i) handles.push_back(pool.Submit<Bytes>("echo", sent));
  for (const auto& handle : handles) {
    const auto back = handle.Get();
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_TRUE(back->data == sent.data);
  }
}

TEST_F(PayloadsTest, OtherValuesArriveToo) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  const std::string text = Pattern(3 * kMiB);
  const std::vector<Bytes> list{{text}, {"small"}};
  const auto value = pool.Apply<std::vector<Bytes>>("echo_value", list);
  ASSERT_TRUE(value.ok()) << value.status();
  EXPECT_TRUE(*value == list);
  const auto payload = pool.SubmitPayload({}, "echo", Payload{Encoding::kRaw, "", text}).Get();
  ASSERT_TRUE(payload.ok());
  EXPECT_TRUE(payload->data == text);
  const auto map = pool.Map<Bytes>("echo", list);
  EXPECT_TRUE(map.Get().value()[0].data == text);
}

TEST_F(PayloadsTest, WithoutTheSocketEverythingGoesThroughGrpc) {
  std::filesystem::remove(payload_path());
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  ExpectEcho(pool, 300'000);
  ExpectEcho(pool, 5 * kMiB);
  EXPECT_EQ(HandOvers(), 0);
}

TEST_F(PayloadsTest, AfterARestartOfTheDaemonPayloadsAreHandedOverAgain) {
  const Client client = Connect({.only_grpc = true});
  Pool pool = OpenPool(client);
  ExpectEcho(pool, 5 * kMiB);
  KillDaemon();
  StartDaemon();
  pool = OpenPool(client);
  ExpectEcho(pool, 5 * kMiB);
  EXPECT_EQ(HandOvers(), 1);
}

// Connections to the payload socket of a client that hands nothing over carry its session and its calls.
TEST_F(PayloadsTest, ASessionGoesThroughItAlsoAfterARestartOfTheDaemon) {
  if (std::getenv("POOLD_TEST_ONLY_GRPC") != nullptr) GTEST_SKIP() << "not without it";
  const Client client = Connect();
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(OpenPool(client).Apply<int>("identity", i).value(), i);
    // Those that saw the daemon come may be on their way out still.
    for (int looks = 0; HandOvers() != 2; ++looks) {
      ASSERT_LT(looks, 30'000) << i;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    KillDaemon();
    StartDaemon();
  }
}

class FewLocalSessionsTest : public PayloadsTest {
 protected:
  // Of each kind; the connection that saw the daemon come may count for a moment.
  std::vector<std::string> MoreFlags() const override { return {"--max-connections", "4"}; }
};

TEST_F(FewLocalSessionsTest, WhoFindsNoRoomThereUsesGrpc) {
  if (std::getenv("POOLD_TEST_ONLY_GRPC") != nullptr) GTEST_SKIP() << "not without it";
  std::vector<Client> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(Connect({.client_name = std::to_string(i)}));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(clients[i].Default().Apply<int>("square", i).value(), i * i);
  EXPECT_LE(HandOvers(), 4);
}

// Nothing is left that gRPC could connect to.
TEST_F(PayloadsTest, AClientOnThisHostNeedsNoGrpcChannel) {
  if (std::getenv("POOLD_TEST_ONLY_GRPC") != nullptr) GTEST_SKIP() << "not without it";
  ASSERT_TRUE(std::filesystem::remove(socket_path()));
  const Client client = Connect({.call_timeout = std::chrono::seconds(5)});
  const Pool pool = OpenPool(client);
  EXPECT_EQ(pool.Apply<int>("identity", 7).value(), 7);
  ExpectEcho(pool, 5 * kMiB);
  EXPECT_TRUE(client.GetServerInfo().ok());
  EXPECT_TRUE(client.ListPools().ok());
  EXPECT_TRUE(pool.Stats().ok());
  const auto handle = pool.Submit<void>("sleep", 60'000);
  EXPECT_TRUE(handle.Cancel(/*running=*/true).value());
  EXPECT_TRUE(pool.Terminate().ok());
  // The daemon is gone: all of it is told as before.
  KillDaemon();
  EXPECT_EQ(client.GetServerInfo().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(PayloadsTest, ALargeResultIsThereAsOftenAsItIsAskedFor) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  const Bytes sent{Pattern(kMiB)};
  const auto handle = pool.Submit<Bytes>("echo", sent);
  std::vector<TaskHandle<Bytes>> others;
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(handle.Get().value().data == sent.data) << i;
    others.push_back(pool.Submit<Bytes>("echo", Bytes{std::string(kMiB, 'x')}));
    others.back().Wait();
    if (others.size() > 3) others.clear();
  }
  const auto payload = client.Resume<Payload>(handle.ToString()).value();
  EXPECT_TRUE(payload.Get().value().data == sent.data);
}

TEST_F(PayloadsTest, WhatAnotherClientHasReleasedIsNotMistakenForAnotherResult) {
  const Client owner = Connect(), reader = Connect();
  const Pool pool = OpenPool(owner);
  const auto handle = pool.Submit<Bytes>("echo", Bytes{Pattern(kMiB)});
  ASSERT_TRUE(owner.Flush().ok());
  const auto other = reader.Resume<Bytes>(handle.ToString()).value();
  ASSERT_TRUE(other.Wait());
  ASSERT_TRUE(owner.connection()->Release({handle.id()}).ok());
  // Its slot has another result by now.
  const auto next = pool.Submit<Bytes>("echo", Bytes{std::string(kMiB, 'y')});
  ASSERT_TRUE(next.Wait());
  const auto result = other.Get();
  EXPECT_TRUE(absl::IsNotFound(result.status())) << result.status();
  EXPECT_EQ(next.Get().value().data, std::string(kMiB, 'y'));
}

TEST_F(PayloadsTest, ArgumentsOfAnyKindLieInArenas) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  std::vector<double> numbers(100'000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<double>(i) / 7;
  std::vector<TaskHandle<std::vector<double>>> handles;
  for (int i = 0; i < 8; ++i) {
    numbers[0] = i;
    handles.push_back(pool.Submit<std::vector<double>>("echo_value", numbers));
  }
  for (int i = 0; i < 8; ++i) {
    numbers[0] = i;
    EXPECT_EQ(handles[i].Get().value(), numbers);
  }
}

TEST_F(PayloadsTest, WhatIsSubmittedLastIsRunAlsoWhenItsClientGoes) {
  const Client observer = Connect();
  const Pool pool = OpenPool(observer);
  std::vector<std::string> names;
  const Bytes sent{Pattern(kMiB)};
  {
    const Client client = Connect();
    const Pool same = client.GetPool(pool.name()).value();
    for (int i = 0; i < 10; ++i) names.push_back(same.Submit<Bytes>("echo", sent).ToString());
  }
  for (const std::string& name : names) {
    const auto back = observer.Resume<Bytes>(name).value().Get();
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_TRUE(back->data == sent.data);
  }
}

TEST_F(PayloadsTest, ManyThreadsShareArenas) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < 25; ++i) {
        const Bytes sent{Pattern(40'000 + 30'000 * static_cast<std::size_t>(i % 7)) + std::to_string(t * 100 + i)};
        const auto back = pool.Submit<Bytes>("echo", sent).Get();
        ASSERT_TRUE(back.ok()) << back.status();
        EXPECT_TRUE(back->data == sent.data);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(PayloadsTest, NothingIsLeftInTheClient) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  ExpectEcho(pool, 2 * kMiB);
  const std::size_t before = OpenDescriptors();
  for (int i = 0; i < 20; ++i) ExpectEcho(pool, 2 * kMiB);
  EXPECT_EQ(OpenDescriptors(), before);
}

// A pool that is there after every start.
class RestartTest : public PayloadsTest {
 protected:
  std::vector<std::string> MoreFlags() const override {
    const std::string path = folder() + "/poold.toml";
    std::ofstream(path) << "[pools.test]\nworkers = 2\nmodules = [\"testing\"]\n";
    return {"--config", path};
  }
};

TEST_F(RestartTest, InTheMiddleOfSubmissionsEveryHandleEndsAndNoneWithAnotherResult) {
  const Client client = Connect();
  const Pool pool = client.GetPool("test").value();
  for (int round = 0; round < 4; ++round) {
    const Bytes sent{Pattern(kMiB + static_cast<std::size_t>(round))};
    std::atomic<bool> over = false;
    std::vector<std::vector<TaskHandle<Bytes>>> handles(3);
    std::vector<std::thread> threads;
    for (auto& mine : handles) {
      threads.emplace_back([&] {
        while (!over) {
          mine.push_back(pool.Submit<Bytes>("echo", sent));
          if (mine.size() > 100) mine.erase(mine.begin());
        }
      });
    }
    ASSERT_TRUE(pool.Submit<Bytes>("echo", sent).Get().ok());
    StopDaemon();
    StartDaemon();
    over = true;
    for (std::thread& thread : threads) thread.join();
    for (const auto& mine : handles) {
      for (const auto& handle : mine) {
        const auto back = handle.Get(std::chrono::seconds(60));
        ASSERT_NE(ReasonOf(back.status()), "WAIT_TIMEOUT");
        EXPECT_TRUE(!back.ok() || back->data == sent.data);
      }
    }
  }
}

class TcpPayloadsTest : public PayloadsTest {
 protected:
  std::vector<std::string> MoreFlags() const override { return {"--listen", tcp_}; }
  const std::string tcp_ = FreeAddress();
};

TEST_F(TcpPayloadsTest, AClientOverTcpLooksAtACopy) {
  SharedBytes kept;
  const std::string sent = Pattern(5 * kMiB);
  {
    const Client client = Connect({.address = tcp_});
    const Pool pool = OpenPool(client);
    for (const std::size_t bytes : {std::size_t{0}, 40 * kMiB / 1024, 5 * kMiB}) {
      const std::string text = Pattern(bytes);
      EXPECT_TRUE(pool.Apply<SharedBytes>("echo_text", text)->view() == text) << bytes;
    }
    kept = pool.Apply<SharedBytes>("echo_view", BytesView{sent}).value();
    EXPECT_EQ(HandOvers(), 0);
  }
  KillDaemon();
  EXPECT_TRUE(kept.view() == sent);
}

TEST_F(TcpPayloadsTest, AClientOverTcpHandsNoMemoryOver) {
  for (const bool only_grpc : {false, true}) {
    const Client client = Connect({.address = tcp_, .only_grpc = only_grpc});
    const Pool pool = OpenPool(client);
    ExpectEcho(pool, 300'000);
    ExpectEcho(pool, 5 * kMiB);
    EXPECT_EQ(HandOvers(), 0);
  }
}

}  // namespace
}  // namespace poold::client
