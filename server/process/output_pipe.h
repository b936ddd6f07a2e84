// OutputPipe: the read end of a child's stdout or stderr. TextTail: the last bytes of a text.
//
// Role: makes the pipe, watches and reads it. Non-role: does not know which task wrote the text.
// Threads: guarded by the round of the process thread; Open, Rest and Close touch a watch, so they are for that thread
// alone, and so is Read, which closes the pipe at its end.
// Reads never block, whatever the child does to the descriptors that it shares.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "process/event_loop.h"
#include "wire/unique_fd.h"

namespace poold::process {

// The last bytes of a text that goes on for ever. Appending costs what is appended, amortised.
class TextTail {
 public:
  // `limit`: in bytes. At most twice as much is kept in memory.
  explicit TextTail(std::size_t limit) : limit_(limit) {}
  void Append(std::string_view text);
  void Clear() { text_.clear(); }
  // At most `limit` bytes.
  std::string Last() const;

 private:
  std::size_t limit_;
  std::string text_;
};

// The two ends that a child is given.
struct ChildPipeEnds {
  wire::UniqueFd write_end;
  wire::UniqueFd read_end;
};

class OutputPipe {
 public:
  // Makes the pipe and watches it. The read end that the child gets is another description than ours, so the child
  // cannot change our flags. RESOURCE_EXHAUSTED: descriptors ran out.
  absl::StatusOr<ChildPipeEnds> Open(EventLoop& loop, std::function<void()> on_readable);

  // Reads at most `limit` bytes and passes them to `visit`. False: the pipe is empty now, or closed.
  bool Read(std::size_t limit, const std::function<void(std::string_view)>& visit);
  // While the pipe rests, `on_readable` is not called.
  void Rest(bool rest);
  // Ends reading for ever. Idempotent.
  void Close();

 private:
  wire::UniqueFd fd_;
  FdWatch watch_;
};

}  // namespace poold::process
