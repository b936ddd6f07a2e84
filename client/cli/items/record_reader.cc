#include "cli/items/record_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace poold::cli {
namespace {

constexpr std::size_t kBlockBytes = 64 << 10;

}  // namespace

absl::StatusOr<std::unique_ptr<RecordReader>> RecordReader::Open(const std::string& path, char separator) {
  const bool standard = path == "-";
  wire::UniqueFd fd(standard ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const std::string name = standard ? "standard input" : path;
  if (!fd) return absl::NotFoundError(absl::StrCat(name, ": ", std::strerror(errno)));
  wire::UniqueFd abandoned(eventfd(0, EFD_CLOEXEC));
  if (!abandoned) return absl::UnavailableError(absl::StrCat("eventfd: ", std::strerror(errno)));
  return std::unique_ptr<RecordReader>(new RecordReader(name, std::move(fd), std::move(abandoned), separator));
}

bool RecordReader::Ready() const {
  if (buffer_.find(separator_, begin_) != std::string::npos) return true;
  pollfd input{fd_.get(), POLLIN, 0};
  return poll(&input, 1, 0) > 0;
}

void RecordReader::Abandon() {
  const uint64_t one = 1;
  (void)!write(abandoned_.get(), &one, sizeof one);
}

bool RecordReader::AwaitInput() const {
  pollfd either[] = {{fd_.get(), POLLIN, 0}, {abandoned_.get(), POLLIN, 0}};
  while (poll(either, 2, -1) < 0 && errno == EINTR) {
  }
  return either[1].revents == 0;
}

absl::StatusOr<bool> RecordReader::Fill() {
  if (!AwaitInput()) return false;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t size = buffer_.size();
  buffer_.resize(size + kBlockBytes);
  ssize_t count = 0;
  do {
    count = read(fd_.get(), buffer_.data() + size, kBlockBytes);
  } while (count < 0 && errno == EINTR);
  buffer_.resize(size + static_cast<std::size_t>(count > 0 ? count : 0));
  if (count < 0) return absl::UnavailableError(absl::StrCat(name_, ": ", std::strerror(errno)));
  return count > 0;
}

absl::StatusOr<std::optional<std::string>> RecordReader::Next() {
  std::size_t searched = begin_;
  while (true) {
    const std::size_t end = buffer_.find(separator_, searched);
    if (end != std::string::npos) {
      std::string record = buffer_.substr(begin_, end - begin_);
      begin_ = end + 1;
      return std::optional<std::string>(std::move(record));
    }
    const std::size_t pending = buffer_.size() - begin_;
    auto more = Fill();
    if (!more.ok()) return more.status();
    searched = pending;
    if (*more) continue;
    if (pending == 0) return std::optional<std::string>();
    begin_ = buffer_.size();
    return std::optional<std::string>(buffer_.substr(0, pending));
  }
}

}  // namespace poold::cli
