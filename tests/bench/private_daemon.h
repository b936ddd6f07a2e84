#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "child.h"
#include "private_folder.h"

namespace poold::bench {

// A poold of our own, from beside our own program, on a socket in a new private folder and on a port of the loopback
// address. Ends, folder and all, with this object; also when this process is killed.
class PrivateDaemon {
 public:
  // Answers when it listens. `more`: further options of its command line. Call it in the main thread.
  static absl::StatusOr<std::unique_ptr<PrivateDaemon>> Start(const std::vector<std::string>& more = {});

  PrivateDaemon(const PrivateDaemon&) = delete;
  PrivateDaemon& operator=(const PrivateDaemon&) = delete;

  // "unix:/..."
  std::string address() const { return "unix:" + socket_; }
  // "127.0.0.1:..."
  const std::string& tcp_address() const { return tcp_address_; }
  pid_t pid() const { return child_.pid(); }

 private:
  explicit PrivateDaemon(PrivateFolder folder);

  const PrivateFolder folder_;
  const std::string socket_;
  const std::string tcp_address_;
  Child child_;
};

// A port of the loopback address that nobody listens on.
int FreePort();

}  // namespace poold::bench
