#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "cli/options.h"

namespace poold::cli {

// What is done while the daemon is away: says so at once, and ends the process with kUnreachable when it stays away for
// longer than `patience`. Thread-safe.
class Absence : public std::enable_shared_from_this<Absence> {
 public:
  explicit Absence(Duration patience) : patience_(patience) {}

  // It went away, or (OK) it is back. As ClientOptions::on_connection.
  void Heard(const absl::Status& connection) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // On a thread of its own.
  void Await() ABSL_LOCKS_EXCLUDED(mu_);

  const Duration patience_;
  absl::Mutex mu_;
  bool back_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace poold::cli
