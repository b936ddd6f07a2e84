// RecordReader: the records of a file or of standard input, as they come.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "wire/unique_fd.h"

namespace poold::cli {

// Reads no more than is asked for, in blocks of 64 KiB. Not thread-safe, except Abandon.
class RecordReader {
 public:
  // Opens a file; "-" is standard input. A record ends with `separator`; the last one may lack it. NOT_FOUND with the
  // reason.
  static absl::StatusOr<std::unique_ptr<RecordReader>> Open(const std::string& path, char separator);

  // Returns the next record; nothing: the end. Blocks until there is one. UNAVAILABLE: the file cannot be read.
  absl::StatusOr<std::optional<std::string>> Next();

  // Whether Next would not block.
  bool Ready() const;

  // Ends the input: a Next that blocks, and every later one, answers that there is no more. Any thread may call.
  void Abandon();

 private:
  RecordReader(std::string name, wire::UniqueFd fd, wire::UniqueFd abandoned, char separator)
      : name_(std::move(name)), fd_(std::move(fd)), abandoned_(std::move(abandoned)), separator_(separator) {}
  // Reads a block. False: there is no more.
  absl::StatusOr<bool> Fill();
  // Waits for input. False: Abandon was called.
  bool AwaitInput() const;

  const std::string name_;
  const wire::UniqueFd fd_;
  // An eventfd that is readable after Abandon.
  const wire::UniqueFd abandoned_;
  const char separator_;
  // Bytes that were read and not handed out begin at `begin_`.
  std::string buffer_;
  std::size_t begin_ = 0;
};

}  // namespace poold::cli
