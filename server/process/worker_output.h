// The stdout and stderr of one worker: the read ends of both pipes, and the last words of its current task.
//
// Role: reads the pipes, remembers whether there is something to read, keeps tails. Non-role: does not know whose text
// it is (WorkerResults does), and takes no lock.
// Threads: one at a time; but Open, Rest, Resume and Close touch watches, and so are for the process thread alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "core/types.h"
#include "process/output_pipe.h"

namespace poold::process {

class WorkerOutput {
 public:
  // Of each stream so many bytes are remembered.
  explicit WorkerOutput(std::size_t tail_bytes);

  // Makes both pipes. `on_readable` is called when one of them has something. RESOURCE_EXHAUSTED: no descriptors.
  absl::Status Open(EventLoop& loop, const std::function<void()>& on_readable, ChildPipeEnds* out, ChildPipeEnds* err);
  // Nothing is read any more. Idempotent.
  void Close();

  // There is something to read in the pipes, or there was when they came to rest.
  bool IsReadable() const { return pipes_state_ != Pipes::kQuiet; }
  // The pipes are not watched, so nobody tells when they can be read.
  bool resting() const { return pipes_state_ == Pipes::kResting; }
  // The pipes cannot be read now. They are not watched until Resume.
  void Rest();
  // The pipes were read, and are watched again.
  void Resume();

  // Reads at most `limit` bytes of each pipe.
  void Read(std::size_t limit, absl::FunctionRef<void(core::OutputStream, std::string_view)> visit);

  // Remembers the text of a task. Tails are of one task only: a neighbour's last words would mislead.
  void AddToTail(std::uint32_t ticket, core::OutputStream stream, std::string_view text);
  // The last bytes that the latest task wrote there.
  std::string Tail(core::OutputStream stream) const;

 private:
  enum class Pipes : std::uint8_t { kQuiet, kReadable, kResting };

  OutputPipe pipes_[2];
  Pipes pipes_state_ = Pipes::kQuiet;
  TextTail tails_[2];
  std::uint32_t tail_ticket_;
};

}  // namespace poold::process
