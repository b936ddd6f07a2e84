#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "wire/unique_fd.h"

namespace poold::cli {

// Records of a file or of standard input, one after the other, as they come: no more is read than asked for. Not
// thread-safe but for Abandon.
class RecordReader {
 public:
  // "-" is standard input. NotFound with the reason. A record ends with `separator`, the last one also without.
  static absl::StatusOr<std::unique_ptr<RecordReader>> Open(const std::string& path, char separator);

  // Blocks until there is one; nothing at the end. Unavailable when it cannot be read.
  absl::StatusOr<std::optional<std::string>> Next();

  // Next would not block.
  bool Ready() const;

  // From any thread: a Next that blocks, and every later one, answers that there is no more.
  void Abandon();

 private:
  RecordReader(std::string name, wire::UniqueFd fd, wire::UniqueFd abandoned, char separator)
      : name_(std::move(name)), fd_(std::move(fd)), abandoned_(std::move(abandoned)), separator_(separator) {}
  // False: there is no more.
  absl::StatusOr<bool> Fill();
  // False: abandoned.
  bool AwaitInput() const;

  const std::string name_;
  const wire::UniqueFd fd_;
  // Readable once it is so.
  const wire::UniqueFd abandoned_;
  const char separator_;
  // Read and not yet given away: from `begin_` on.
  std::string buffer_;
  std::size_t begin_ = 0;
};

}  // namespace poold::cli
