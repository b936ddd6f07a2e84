#include "process/output_pipe.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace poold::process {

void TextTail::Append(std::string_view text) {
  if (text.size() > limit_) text.remove_prefix(text.size() - limit_);
  text_.append(text);
  if (text_.size() > 2 * limit_) text_.erase(0, text_.size() - limit_);
}

std::string TextTail::Last() const { return text_.substr(text_.size() - std::min(text_.size(), limit_)); }

absl::StatusOr<ChildPipeEnds> OutputPipe::Open(EventLoop& loop, std::function<void()> on_readable) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return absl::ResourceExhaustedError(std::string("cannot make an output pipe: ") + strerror(errno));
  }
  ChildPipeEnds child;
  child.read_end.Reset(ends[0]);
  child.write_end.Reset(ends[1]);
  // The child has the read end too, and with it the flags of that description: O_NONBLOCK must be out of its reach.
  const std::string path = "/proc/self/fd/" + std::to_string(child.read_end.get());
  fd_.Reset(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd_) {
    return absl::ResourceExhaustedError(std::string("cannot open an output pipe: ") + strerror(errno));
  }
  const absl::Status watched = watch_.Start(loop, fd_.get(), std::move(on_readable));
  if (!watched.ok()) return watched;
  watch_.Want(true, false);
  return child;
}

bool OutputPipe::Read(std::size_t limit, const std::function<void(std::string_view)>& visit) {
  char part[16 * 1024];
  while (fd_ && limit > 0) {
    const ssize_t got = read(fd_.get(), part, std::min(limit, sizeof part));
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) Close();  // nobody has the write end any more
    if (got <= 0) return false;
    visit(std::string_view(part, static_cast<std::size_t>(got)));
    limit -= static_cast<std::size_t>(got);
  }
  return static_cast<bool>(fd_);
}

void OutputPipe::Rest(bool rest) { watch_.Want(!rest, false); }

void OutputPipe::Close() {
  watch_.Stop();
  fd_.Reset();
}

}  // namespace poold::process
