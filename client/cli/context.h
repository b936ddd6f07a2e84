// Context: the daemon and the global options, as every command gets them.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "cli/daemon.h"
#include "cli/exit_status.h"
#include "cli/grammar/options.h"
#include "cli/text/console.h"
#include "contract/reason.h"
#include "google/protobuf/duration.pb.h"
#include "poold/client.h"

namespace poold::cli {

// Threads: the main thread.
class Context {
 public:
  Context(GlobalOptions global, client::Client client)
      : global_(std::move(global)), client_(std::move(client)), daemon_(client_.connection()) {}

  const GlobalOptions& global() const { return global_; }
  // Whether answers are JSON.
  bool json() const { return global_.json; }
  const client::Client& client() const { return client_; }
  const Daemon& daemon() const { return daemon_; }

  // The named pool; without a name the pool of --pool.
  const std::string& PoolOr(const std::string& name) const { return name.empty() ? global_.pool : name; }

 private:
  const GlobalOptions global_;
  client::Client client_;
  Daemon daemon_;
};

// Prints on stderr what failed and what to do, and returns the exit status: kUnreachable, kCancelled (HANDLE_LOST) or
// kRefused.
ExitStatus Complain(const absl::Status& status);

// The end of --wait-timeout; without the option a wait never ends.
class Patience {
 public:
  // Begins to count now.
  explicit Patience(const GlobalOptions& global);

  // Whether the time is over.
  bool Over() const;
  // The time that is left; client::kForever without --wait-timeout.
  Duration Left() const;
  // The time that the next call may wait: the rest, at most `most`. A longer call would notice late that the daemon is
  // gone.
  google::protobuf::Duration Next(Duration most = std::chrono::seconds(30)) const;

 private:
  std::optional<std::chrono::steady_clock::time_point> end_;
};

}  // namespace poold::cli
