#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "poold/client.h"

namespace poold::bench {

// A pool for measurements, without a connection of its own: all channels of a process share one poller, and a
// connection that waits for nothing would take the events of the one that is measured.
class KeptPool {
 public:
  // `only_grpc`: see client::ClientOptions.
  explicit KeptPool(std::string address, bool only_grpc = false)
      : address_(std::move(address)), only_grpc_(only_grpc) {}
  KeptPool(const KeptPool&) = delete;
  KeptPool& operator=(const KeptPool&) = delete;
  ~KeptPool() { Terminate(); }

  absl::StatusOr<client::Client> Connect() const;

  // REQUIRES: it is not open.
  absl::Status Open(const client::PoolSpec& spec);
  bool is_open() const { return !name_.empty(); }
  const std::string& name() const { return name_; }
  void Terminate();

 private:
  const std::string address_;
  const bool only_grpc_;
  std::string name_;
};

}  // namespace poold::bench
