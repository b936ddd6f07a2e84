// The client's end of poold/v1/payload_socket.md: large payloads as shared memory, without gRPC.
//
// Thread-safe; one request at a time, each takes some 0.1 ms beside the writing of the memory. Connects when it is
// first used. What goes wrong with the connection ends it for good: the caller uses gRPC then, as for what the daemon
// does not want to do this way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "wire/mapped_file.h"
#include "wire/payload_message.h"
#include "wire/unique_fd.h"

namespace poold::client::internal {

class PayloadSocket {
 public:
  // More than `max_bytes` the daemon never takes.
  PayloadSocket(std::string path, std::uint64_t max_bytes) : path_(std::move(path)), max_bytes_(max_bytes) {}

  // The upload's id, or nothing.
  std::optional<std::string> Offer(std::string_view bytes);
  // The result of the task, or of the map's item, whose id these 16 bytes are; or nothing.
  std::optional<wire::MappedFile> Fetch(std::string_view id, std::uint64_t index);

 private:
  struct Answered {
    wire::PayloadAnswer answer{};
    wire::UniqueFd descriptor;
  };
  // Nothing: it was not kTaken.
  std::optional<Answered> Ask(const wire::PayloadRequest& request, int descriptor) ABSL_LOCKS_EXCLUDED(mu_);
  bool Connect() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Exchange(const wire::PayloadRequest& request, int descriptor, Answered* answered)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::string path_;
  const std::uint64_t max_bytes_;
  absl::Mutex mu_;
  wire::UniqueFd socket_ ABSL_GUARDED_BY(mu_);
  bool given_up_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace poold::client::internal
