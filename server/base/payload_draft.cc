#include "base/payload_draft.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace poold::base {

// For so many more.
bool PayloadDraft::TakeMemory(std::size_t bytes) {
  const std::size_t wanted = text_.size() + bytes;
  if (wanted > spool_->options().threshold_bytes) return false;
  if (wanted <= text_.capacity()) return true;
  const std::size_t capacity = std::max(wanted, 2 * text_.capacity());
  if (!taken_.Resize(capacity)) return false;
  text_.reserve(capacity);
  return true;
}

absl::Status PayloadDraft::Append(std::string_view bytes) {
  if (!file_ && !TakeMemory(bytes.size())) {
    if (absl::Status moved = MoveToFile(); !moved.ok()) return moved;
  }
  if (file_) return file_->Append(bytes);
  text_.append(bytes);
  return absl::OkStatus();
}

absl::Status PayloadDraft::MoveToFile() {
  absl::StatusOr<Spool::File> file = spool_->NewFile();
  if (!file.ok()) return file.status();
  file_.emplace(*std::move(file));
  const std::string text = std::exchange(text_, {});
  taken_.Clear();
  return file_->Append(text);
}

absl::StatusOr<Kept> PayloadDraft::Finish() {
  if (file_) {
    auto finished = std::move(*file_).Finish();
    Clear();
    if (!finished.ok()) return finished.status();
    const std::string_view view = (*finished)->view();
    return Kept{*std::move(finished), view};
  }
  struct Text {
    std::string text;
    Reservation taken;
  };
  text_.shrink_to_fit();
  taken_.Resize(std::min<std::uint64_t>(text_.capacity(), taken_.taken()));
  auto kept = std::make_shared<Text>();
  kept->text = std::exchange(text_, {});
  kept->taken = std::exchange(taken_, Reservation(memory_));
  const std::string_view view = kept->text;
  return Kept{std::move(kept), view};
}

void PayloadDraft::Clear() {
  std::string().swap(text_);
  taken_.Clear();
  file_.reset();
}

}  // namespace poold::base
