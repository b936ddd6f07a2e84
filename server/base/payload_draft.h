// A payload that comes piece by piece: in memory while it is small, in a file of the spool when it has grown, or when
// there is no memory.
//
// Not thread-safe. Does not own the spool. Errors: RESOURCE_EXHAUSTED, as Spool; the draft is lost then.
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

// Bytes with whoever keeps them, as core::Bytes.
struct Kept {
  std::shared_ptr<const void> owner;
  std::string_view view;
};

class PayloadDraft {
 public:
  // What lies in memory is taken of `memory`, if there is one; also when it is finished, until its last owner goes.
  explicit PayloadDraft(const Spool* spool, std::shared_ptr<Quota> memory = nullptr)
      : spool_(spool), memory_(std::move(memory)), taken_(memory_) {}

  std::uint64_t size() const { return file_ ? file_->size() : text_.size(); }
  // What of it is in memory.
  std::uint64_t memory_bytes() const { return text_.size(); }
  absl::Status Append(std::string_view bytes);
  // All of it. The draft is empty then.
  absl::StatusOr<Kept> Finish();
  // Forgets it.
  void Clear();

 private:
  bool TakeMemory(std::size_t bytes);
  absl::Status MoveToFile();

  const Spool* const spool_;
  const std::shared_ptr<Quota> memory_;
  Reservation taken_;
  std::string text_;
  std::optional<Spool::File> file_;
};

}  // namespace poold::base
