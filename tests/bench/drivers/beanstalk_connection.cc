#include "drivers/beanstalk_connection.h"

#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "connect_to.h"
#include "transfer.h"

namespace poold::bench {

bool BeanstalkConnection::Connect(const std::string& address) {
  socket_ = ConnectTo(address);
  return static_cast<bool>(socket_);
}

void BeanstalkConnection::Send(std::string_view command) { absl::StrAppend(&out_, std::string(command), "\r\n"); }

void BeanstalkConnection::SendPut(std::string_view body) {
  absl::StrAppend(&out_, "put 0 0 3600 ", body.size(), "\r\n");
  out_.append(body);
  out_.append("\r\n");
}

void BeanstalkConnection::SendDelete(std::string_view id) { Send(absl::StrCat("delete ", std::string(id))); }

absl::Status BeanstalkConnection::Flush() {
  const bool written = WriteAll(socket_.get(), out_);
  out_.clear();
  return written ? absl::OkStatus() : absl::UnavailableError("beanstalkd is gone");
}

absl::Status BeanstalkConnection::Fill() {
  if (!out_.empty()) {
    if (absl::Status status = Flush(); !status.ok()) return status;
  }
  if (taken_ > 0 && taken_ >= in_.size() / 2) {
    in_.erase(0, taken_);
    taken_ = 0;
  }
  constexpr std::size_t kPart = 256 << 10;
  const std::size_t size = in_.size();
  in_.resize(size + kPart);
  const ssize_t got = read(socket_.get(), in_.data() + size, kPart);
  in_.resize(size + static_cast<std::size_t>(got > 0 ? got : 0));
  return got > 0 ? absl::OkStatus() : absl::UnavailableError("beanstalkd is gone");
}

absl::StatusOr<std::string> BeanstalkConnection::Read() {
  std::size_t end;
  while ((end = in_.find("\r\n", taken_)) == std::string::npos) {
    if (absl::Status status = Fill(); !status.ok()) return status;
  }
  std::string line = in_.substr(taken_, end - taken_);
  taken_ = end + 2;
  return line;
}

absl::Status BeanstalkConnection::Expect(std::string_view beginning) {
  const auto line = Read();
  if (!line.ok()) return line.status();
  if (line->compare(0, beginning.size(), beginning) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("beanstalkd says ", *line, ", not ", std::string(beginning)));
}

// RESERVED <id> <bytes>\r\n<data>\r\n
absl::StatusOr<BeanstalkConnection::Job> BeanstalkConnection::ReadReserved() {
  const auto line = Read();
  if (!line.ok()) return line.status();
  const std::size_t id = line->find(' ');
  const std::size_t bytes = line->rfind(' ');
  if (line->compare(0, 8, "RESERVED") != 0 || id == bytes) return absl::InternalError("beanstalkd says " + *line);
  const std::size_t size = std::strtoull(line->c_str() + bytes, nullptr, 10);
  while (in_.size() - taken_ < size + 2) {
    if (absl::Status status = Fill(); !status.ok()) return status;
  }
  Job job{line->substr(id + 1, bytes - id - 1), in_.substr(taken_, size)};
  taken_ += size + 2;
  return job;
}

}  // namespace poold::bench
