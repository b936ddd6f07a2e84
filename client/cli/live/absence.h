// Absence: poolctl's behaviour while the daemon is away.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "absl/status/status.h"
#include "cli/grammar/options.h"

namespace poold::cli {

// Role: says at once that the daemon went away, and ends the process with kUnreachable when the daemon stays away for
//   longer than `patience`.
// Threads: thread-safe; each absence has a thread of its own.
class Absence : public std::enable_shared_from_this<Absence> {
 public:
  explicit Absence(Duration patience) : patience_(patience) {}

  // The daemon went away (the status says why), or is back (OK). As ClientOptions::on_connection.
  void Heard(const absl::Status& connection);

 private:
  // Waits on a thread of its own, and ends the process.
  void Await();

  const Duration patience_;
  // The C++ library's, because Abseil's waits use the wall clock.
  std::mutex mu_;
  std::condition_variable changed_;
  bool back_ = false;
};

}  // namespace poold::cli
