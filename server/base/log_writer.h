// LogWriter: writes lines to a descriptor on a thread of its own, so that a reader that stopped reading stops no
// caller.
//
// Role: keeps waiting lines up to a limit; drops and counts lines beyond that, and reports their number in a line
//   behind the next write.
// Threads: any thread calls Put and the others; one thread writes, with all signals blocked, and is never joined,
//   because it may hang in its write when the process ends.
// Ownership: does not own the descriptor. An object lives as long as the process.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace poold::base {

class LogWriter {
 public:
  static constexpr std::size_t kMaxBytes = 1 << 20;
  // Makes the line that reports dropped lines.
  using Tell = std::function<std::string(std::uint64_t lines)>;

  // Starts the thread. `max_bytes`: the most bytes of waiting lines.
  LogWriter(int fd, Tell tell, std::size_t max_bytes = kMaxBytes);

  // Appends one or several lines with their ends. Never waits for the reader.
  void Put(std::string_view line);
  // Waits until all lines are written. False: that took longer than `patience`.
  bool Drain(std::chrono::milliseconds patience);
  // Lines, or groups of lines of one Put, that were dropped since the start.
  std::uint64_t dropped() const;

  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

 private:
  void Run();
  void Write(std::string_view text) const;

  const int fd_;
  const Tell tell_;
  const std::size_t max_bytes_;
  mutable std::mutex mu_;
  std::condition_variable changed_;
  std::string waiting_;
  bool writing_ = false;
  std::uint64_t dropped_ = 0;
  // Dropped lines that were reported.
  std::uint64_t told_ = 0;
};

}  // namespace poold::base
