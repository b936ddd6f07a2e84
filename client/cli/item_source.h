#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/options.h"
#include "cli/record_reader.h"
#include "poold/client/payload.h"

namespace poold::cli {

// The items of a map as they travel, one after the other: from the words of the command line, else from the file or
// standard input as it comes. Not thread-safe.
class ItemSource {
 public:
  // Errors: InvalidArgument when the words make no sense (all of them are looked at now), NotFound for the file.
  static absl::StatusOr<std::unique_ptr<ItemSource>> Open(const MapOptions& options);

  // The arguments of the next call; nothing at the end. Errors name the item; after one nothing more may be asked for.
  absl::StatusOr<std::optional<client::Payload>> Next();

  // Next would not block.
  bool Ready() const { return reader_ == nullptr || reader_->Ready(); }
  // From any thread: as if the input ended here.
  void Abandon();

  // How many there are, where it is known.
  std::optional<uint64_t> count() const { return count_; }

 private:
  explicit ItemSource(const MapOptions& options) : options_(options) {}
  absl::Status TakeWords();
  absl::StatusOr<client::Payload> FromRecord(const std::string& record) const;
  absl::StatusOr<std::optional<client::Payload>> NextRecord();

  const MapOptions options_;
  std::optional<uint64_t> count_;
  // From the command line.
  std::vector<client::Payload> ready_;
  // Else.
  std::unique_ptr<RecordReader> reader_;
  // With exec: fed to every program.
  std::string stdin_bytes_;
  uint64_t next_ = 0;
};

}  // namespace poold::cli
