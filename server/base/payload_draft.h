// PayloadDraft: a payload that arrives in pieces: in memory while it is small, in a file of the spool when it has grown
// or when there is no memory.
//
// Thread safety: none. Ownership: does not own the spool.
// Errors: RESOURCE_EXHAUSTED, as Spool; the draft is lost then.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/quota.h"
#include "base/spool.h"

namespace poold::base {

// Bytes and the owner that keeps them valid, as core::Bytes.
struct Kept {
  std::shared_ptr<const void> owner;
  std::string_view view;
};

class PayloadDraft {
 public:
  // Bytes in memory are taken of `memory`, if that is not null, until the last owner of the finished payload is gone.
  explicit PayloadDraft(const Spool* spool, std::shared_ptr<Quota> memory = nullptr)
      : spool_(spool), memory_(std::move(memory)), taken_(memory_) {}

  // Bytes that have arrived.
  std::uint64_t size() const { return file_ ? file_->size() : text_.size(); }
  // The part of them in memory.
  std::uint64_t memory_bytes() const { return text_.size(); }
  // Adds a piece.
  absl::Status Append(std::string_view bytes);
  // Returns the whole payload. The draft is empty afterwards.
  absl::StatusOr<Kept> Finish();
  // Drops the payload and gives memory and file back.
  void Clear();

 private:
  // Reserves memory for a piece. False: the payload goes to a file.
  bool TakeMemory(std::size_t bytes);
  absl::Status MoveToFile();

  const Spool* const spool_;
  const std::shared_ptr<Quota> memory_;
  Reservation taken_;
  std::string text_;
  std::optional<Spool::File> file_;
};

}  // namespace poold::base
