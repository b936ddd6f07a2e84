// Writes lines to a descriptor on a thread of its own: a reader that stopped stops nobody who logs.
//
// Role: keeps what waits, so much as fits; what does not is dropped, counted, and told in a line of its own behind what
// was written next. Threads: Put and the others by any; one thread of its own writes, with all signals blocked, and is
// never joined: it may hang in its write when the process ends. Ownership: does not own the descriptor; lives as long
// as the process.
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
  // The line that tells how many were dropped.
  using Tell = std::function<std::string(std::uint64_t lines)>;

  LogWriter(int fd, Tell tell, std::size_t max_bytes = kMaxBytes);

  // Never waits for the reader. `line`: one or several, with their ends.
  void Put(std::string_view line);
  // Waits until all is written; false: it was not in time.
  bool Drain(std::chrono::milliseconds patience);
  // Lines since the start.
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
  std::uint64_t told_ = 0;  // of the dropped ones
};

}  // namespace poold::base
