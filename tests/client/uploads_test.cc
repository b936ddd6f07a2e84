// Uploads that wait in the daemon for a submission that does not come about, or comes to another daemon.
#include <filesystem>
#include <fstream>
#include <optional>

#include "absl/strings/match.h"
#include "cutting_proxy.h"
#include "payloads_fixture.h"

namespace poold::client {
namespace {

using std::chrono::seconds;

// Clients upload through gRPC, and the daemon has room for one upload.
class RoomForOneUploadTest : public PayloadsTest {
 protected:
  std::vector<std::string> MoreFlags() const override {
    return {"--set", "spool.max_bytes = 4000000", "--set", "spool.threshold_bytes = 1000000"};
  }
  void SetUp() override {
    PayloadsTest::SetUp();
    std::filesystem::remove(payload_path());
  }
  // A pool whose worker sleeps and whose queue is full, and what fills it.
  static Pool OpenFullPool(const Client& client, std::vector<TaskHandle<void>>* sleeping) {
    const Pool pool = *client.OpenPool({.name = "full", .workers = 1, .modules = {"testing"}, .max_queued_tasks = 1});
    EXPECT_TRUE(pool.Apply<void>("noop").ok());
    do {
      sleeping->push_back(pool.Submit<void>("sleep", 60'000));
      EXPECT_TRUE(client.Flush().ok());
    } while (!sleeping->back().done());
    return pool;
  }
  // The daemon has room for the upload, and none in the queue.
  void ExpectRefused(const Client& client, const Pool& pool) {
    const absl::Status why = pool.Submit<Bytes>("echo", sent_).Get().status();
    EXPECT_TRUE(absl::StrContains(why.message(), "queue of pool 'full' is full")) << why;
    // What the client said since has arrived.
    EXPECT_TRUE(client.Flush().ok());
  }

  const Bytes sent_{Pattern(3 * kMiB)};
  std::vector<TaskHandle<void>> sleeping_;
};

TEST_F(RoomForOneUploadTest, IsThereAgainWhenTheSubmissionWasRefused) {
  const Client client = Connect();
  const Pool pool = OpenFullPool(client, &sleeping_);
  for (int i = 0; i < 3; ++i) ExpectRefused(client, pool);
}

TEST_F(RoomForOneUploadTest, IsThereAgainWhenATaskWasCancelledThatWaitedForTheQueue) {
  const Client client = Connect();
  const Pool pool = OpenFullPool(client, &sleeping_);
  const auto waiting = pool.With({.wait_when_full = true}).Submit<Bytes>("echo", sent_);
  ASSERT_TRUE(client.Flush().ok());
  waiting.CancelSoon();
  EXPECT_EQ(ReasonOf(waiting.Get(seconds(60)).status()), "TASK_CANCELLED");
  ASSERT_TRUE(client.Flush().ok());
  ExpectRefused(client, pool);
}

TEST_F(RoomForOneUploadTest, IsKeptForATaskThatWaitsForTheQueue) {
  const Client client = Connect();
  const Pool pool = OpenFullPool(client, &sleeping_);
  const auto waiting = pool.With({.wait_when_full = true}).Submit<Bytes>("echo", sent_);
  ASSERT_TRUE(client.Flush().ok());
  EXPECT_FALSE(waiting.done());
  for (const auto& handle : sleeping_) handle.CancelSoon(/*running=*/true);
  const auto back = waiting.Get(seconds(60));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_TRUE(back->data == sent_.data);
}

// Its streams come through a proxy. What it hands over does not, and does not fit into arenas.
class RestartedUploadTest : public PayloadsTest {
 protected:
  std::vector<std::string> MoreFlags() const override {
    const std::string path = folder() + "/poold.toml";
    std::ofstream(path) << "[pools.test]\nworkers = 2\nmodules = [\"testing\"]\n";
    return {"--config", path, "--set", "spool.max_memory_bytes = 800000"};
  }
  void SetUp() override {
    PayloadsTest::SetUp();
    OpenProxy();
  }
  void OpenProxy() { proxy_.emplace(proxy_path(), socket_path()); }
  // Returns when `client` knows it.
  void CloseProxy(const Client& client) {
    proxy_.reset();
    std::filesystem::remove(proxy_path());
    EXPECT_TRUE(absl::IsUnavailable(client.ListPools().status()));
  }
  Client ConnectThroughProxy() { return Connect({.address = "unix:" + proxy_path(), .call_timeout = seconds(1)}); }
  void ExpectUploadedAgain(const TaskOptions& options) {
    const Client client = ConnectThroughProxy();
    const Pool pool = client.GetPool("test")->With(options);
    CloseProxy(client);
    const int before = HandOvers();
    const Bytes sent{Pattern(600'000)};
    const auto handle = pool.Submit<Bytes>("echo", sent);
    ASSERT_EQ(HandOvers(), before + 1);
    KillDaemon();
    StartDaemon();
    OpenProxy();
    const auto back = handle.Get(seconds(60));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_TRUE(back->data == sent.data);
  }

 private:
  std::string proxy_path() const { return folder() + "/proxy.sock"; }

  std::optional<CuttingProxy> proxy_;
};

TEST_F(RestartedUploadTest, ATaskWhoseUploadWentWithTheDaemonIsUploadedAgain) { ExpectUploadedAgain({}); }

TEST_F(RestartedUploadTest, AlsoOneThatMayWaitForTheQueue) { ExpectUploadedAgain({.wait_when_full = true}); }

}  // namespace
}  // namespace poold::client
