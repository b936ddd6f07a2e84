#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "cli/console.h"
#include "cli/exit_status.h"
#include "cli/options.h"
#include "google/protobuf/duration.pb.h"
#include "poold/client.h"

namespace poold::cli {

// What every command is given: whom it talks to, how it answers. Used by the main thread.
class Context {
 public:
  Context(GlobalOptions global, client::Client client) : global_(std::move(global)), client_(std::move(client)) {}

  const GlobalOptions& global() const { return global_; }
  bool json() const { return global_.json; }
  const client::Client& client() const { return client_; }
  client::Connection& daemon() const { return *client_.connection(); }

  // The named pool, that of --pool when no name was given.
  const std::string& PoolOr(const std::string& name) const { return name.empty() ? global_.pool : name; }

 private:
  const GlobalOptions global_;
  client::Client client_;
};

// Says on stderr what the daemon (or nobody) answered, and what to do.
ExitStatus Complain(const absl::Status& status);

// When a wait is over; never, without --wait-timeout.
class Patience {
 public:
  explicit Patience(const GlobalOptions& global);

  bool Over() const;
  // client::kForever without --wait-timeout.
  Duration Left() const;
  // What one call may wait: the rest, at most `most` (a call that is too long tells us late that the daemon is gone).
  google::protobuf::Duration Next(Duration most = std::chrono::seconds(30)) const;

 private:
  std::optional<std::chrono::steady_clock::time_point> end_;
};

}  // namespace poold::cli
