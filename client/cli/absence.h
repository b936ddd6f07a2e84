#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "absl/status/status.h"
#include "cli/options.h"

namespace poold::cli {

// What is done while the daemon is away: says so at once, and ends the process with kUnreachable when it stays away for
// longer than `patience`. Thread-safe.
class Absence : public std::enable_shared_from_this<Absence> {
 public:
  explicit Absence(Duration patience) : patience_(patience) {}

  // It went away, or (OK) it is back. As ClientOptions::on_connection.
  void Heard(const absl::Status& connection);

 private:
  // On a thread of its own.
  void Await();

  const Duration patience_;
  // Those of C++: Abseil's wait by the wall clock.
  std::mutex mu_;
  std::condition_variable changed_;
  bool back_ = false;
};

}  // namespace poold::cli
