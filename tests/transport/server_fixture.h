// A whole daemon without processes: the real core, gate and server on a private socket, with fake workers.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "api/convert.h"
#include "base/clock.h"
#include "core/core.h"
#include "engine/engine.h"
#include "fake_workers.h"
#include "google/rpc/error_details.pb.h"
#include "poold/v1/pool_service.grpc.pb.h"
#include "transport/server.h"

namespace poold::transport {

// A folder that goes with everything in it.
class PrivateFolder {
 public:
  PrivateFolder();
  ~PrivateFolder();
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// What a failed call says.
struct ErrorDetails {
  std::string reason;
  std::string bad_field;
  std::string quota;
  bool retry = false;
};
ErrorDetails DetailsOf(const google::rpc::Status& status);
ErrorDetails DetailsOf(const grpc::Status& status);

class ServerTest : public testing::Test {
 protected:
  ServerTest();
  ~ServerTest() override;

  // Before anything else of the test, where other options are wanted.
  virtual void Adjust(ServerOptions*) {}
  void SetUp() override;

  // With POOLD_TEST_LOCAL in the environment its calls go through the payload socket; where that is "tcp" through a TCP
  // port, but without gRPC.
  std::unique_ptr<v1::PoolService::StubInterface> NewClient();
  // Where calls and sessions go without gRPC. Empty: they do not.
  std::string local_address() const;
  // See FakeWorkers: of every shard.
  void LetGo();
  void BreakModule(const std::string& module, const std::string& words);
  // Opens a pool with the fake functions.
  void OpenPool(const std::string& name, int workers = 2);
  // Submits one task and returns its handle.
  std::string Submit(const std::string& function, const std::string& args = "");
  // Arguments that were uploaded.
  v1::SubmitResult SubmitUploaded(const std::string& function, const std::string& upload_id);
  v1::GetResponse Get(const std::string& id, int wait_seconds = 60);
  // For a minute at most.
  template <typename Condition>
  void Await(Condition condition) {
    for (int i = 0; !condition(); ++i) {
      ASSERT_LT(i, 60'000);
      absl::SleepFor(absl::Milliseconds(1));
    }
  }

  PrivateFolder folder_;
  base::SystemClock clock_;
  ServerOptions options_;
  // From the environment: POOLD_TEST_SHARDS.
  std::size_t shard_count_ = 1;
  std::vector<std::unique_ptr<FakeWorkers>> workers_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<Server> server_;
  std::vector<std::unique_ptr<core::Core>> cores_;
  std::vector<std::unique_ptr<engine::Gate>> gates_;
  std::unique_ptr<v1::PoolService::StubInterface> client_;
};

inline v1::Payload Raw(const std::string& data) {
  v1::Payload out;
  out.set_encoding(v1::ENCODING_RAW);
  out.set_data(data);
  return out;
}

}  // namespace poold::transport
