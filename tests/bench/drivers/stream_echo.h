#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>

#include "child.h"
#include "driver.h"
#include "echo.grpc.pb.h"
#include "private_folder.h"

namespace poold::bench {

// A floor: a bare gRPC stream over a Unix socket, one completion queue in another process, which parses a batch and
// sends it back. The thread that waits is the thread that polls.
class StreamEcho : public Driver {
 public:
  std::string subject() const override { return "stream-echo"; }
  bool Does(const Job& job) const override;
  absl::Status Start() override;
  Samples Measure(const Job& job) override;
  void Stop() override;

 private:
  using Stream = grpc::ClientReaderWriter<Batch, Batch>;

  Samples RunMap(const Job& job);
  Samples RunTrips(const Job& job);
  Samples RunEcho(const Job& job);
  // Megabytes a second, where payloads travel in fragments of this size.
  absl::StatusOr<double> EchoIn(std::uint64_t fragment, std::uint64_t bytes);

  std::optional<PrivateFolder> folder_;
  Child server_;
  std::unique_ptr<Echo::Stub> stub_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<Stream> stream_;
};

// The role of the other process. Arguments: the address to listen on.
int ServeStreamEcho(const std::vector<std::string>& arguments);

}  // namespace poold::bench
