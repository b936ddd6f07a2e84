#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace poold::bench {

// A poold of our own, from beside our own program, on a socket in a new private folder. Ends, folder and all, with this
// object; also when this process is killed.
class PrivateDaemon {
 public:
  // Answers when it listens. REQUIRES: this process has no other thread yet.
  static absl::StatusOr<std::unique_ptr<PrivateDaemon>> Start();
  ~PrivateDaemon();

  PrivateDaemon(const PrivateDaemon&) = delete;
  PrivateDaemon& operator=(const PrivateDaemon&) = delete;

  // "unix:/..."
  std::string address() const { return "unix:" + socket_; }
  pid_t pid() const { return pid_; }

 private:
  PrivateDaemon(std::string folder, pid_t pid);

  const std::string folder_;
  const std::string socket_;
  const pid_t pid_;
};

}  // namespace poold::bench
