// The read end of a child's stdout or stderr.
//
// Threads: the process thread only. Reads never block, whatever the child does to the descriptors that it shares.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "process/event_loop.h"
#include "wire/unique_fd.h"

namespace poold::process {

// The last bytes of a text that goes on for ever.
class TextTail {
 public:
  explicit TextTail(std::size_t limit) : limit_(limit) {}
  void Append(std::string_view text);
  void Clear() { text_.clear(); }
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
  // Makes the pipe; its reading description is our own. Fails when descriptors run out.
  absl::StatusOr<ChildPipeEnds> Open(EventLoop& loop, std::function<void()> on_readable);

  // Reads at most `limit` bytes. False: nothing (more) there now, or ever.
  bool Read(std::size_t limit, const std::function<void(std::string_view)>& visit);
  // While resting, `on_readable` is not called.
  void Rest(bool rest);
  void Close();

 private:
  wire::UniqueFd fd_;
  FdWatch watch_;
};

}  // namespace poold::process
