// ItemSource: the items of a map, from the words of the command line, a file or standard input.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/grammar/options.h"
#include "cli/items/record_reader.h"
#include "poold/client/payload.h"

namespace poold::cli {

// Hands out the encoded arguments of one call after the other. Reads a file as the items are asked for. Not
// thread-safe, except Abandon.
class ItemSource {
 public:
  // Errors: INVALID_ARGUMENT: the words make no sense (all are checked here); NOT_FOUND: the file cannot be opened.
  static absl::StatusOr<std::unique_ptr<ItemSource>> Open(const MapOptions& options);

  // Returns the arguments of the next call; nothing: the end. Blocks for the input. An error names the item and is the
  // last answer.
  absl::StatusOr<std::optional<client::Payload>> Next();

  // Whether Next would not block.
  bool Ready() const { return reader_ == nullptr || reader_->Ready(); }
  // Ends the input here. Any thread may call.
  void Abandon();

  // The number of items; nothing: not known.
  std::optional<uint64_t> count() const { return count_; }

 private:
  explicit ItemSource(const MapOptions& options) : options_(options) {}
  absl::Status TakeWords();
  absl::StatusOr<client::Payload> FromRecord(const std::string& record) const;
  absl::StatusOr<std::optional<client::Payload>> NextRecord();

  const MapOptions options_;
  std::optional<uint64_t> count_;
  // Items from the command line.
  std::vector<client::Payload> ready_;
  // Null: the items come from the command line.
  std::unique_ptr<RecordReader> reader_;
  // The input of every program, with exec.
  std::string stdin_bytes_;
  uint64_t next_ = 0;
};

}  // namespace poold::cli
