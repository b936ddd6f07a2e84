// WorkerOutput: the stdout and stderr of one worker: the read ends of both pipes, and the last bytes of its current
// task's text.
//
// Role: reads the pipes, remembers whether they can be read, keeps tails. Non-role: does not know which task wrote a
// text
//   (WorkerResults does), and takes no lock.
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
  // Remembers so many bytes of each stream.
  explicit WorkerOutput(std::size_t tail_bytes);

  // Makes both pipes. `on_readable` is called when one of them has something. RESOURCE_EXHAUSTED: no descriptors.
  absl::Status Open(EventLoop& loop, const std::function<void()>& on_readable, ChildPipeEnds* out, ChildPipeEnds* err);
  // Ends reading for ever. Idempotent.
  void Close();

  // Whether the pipes can be read, or could be when they came to rest.
  bool IsReadable() const { return pipes_state_ != Pipes::kQuiet; }
  // Whether the pipes rest: they are not watched, and no callback tells when they can be read.
  bool resting() const { return pipes_state_ == Pipes::kResting; }
  // Stops watching the pipes until Resume, because they may not be read now.
  void Rest();
  // Watches the pipes again, after they were read.
  void Resume();

  // Reads at most `limit` bytes of each pipe.
  void Read(std::size_t limit, absl::FunctionRef<void(core::OutputStream, std::string_view)> visit);

  // Remembers text of a task. Tails are of one task only, so that a neighbour's last words never mislead.
  void AddToTail(std::uint32_t ticket, core::OutputStream stream, std::string_view text);
  // The last bytes that the latest task wrote to the stream.
  std::string Tail(core::OutputStream stream) const;

 private:
  // kQuiet: nothing to read. kReadable: a pipe has something. kResting: not watched, perhaps with something in it.
  enum class Pipes : std::uint8_t { kQuiet, kReadable, kResting };

  OutputPipe pipes_[2];
  Pipes pipes_state_ = Pipes::kQuiet;
  TextTail tails_[2];
  std::uint32_t tail_ticket_;
};

}  // namespace poold::process
