#include "base/payload_draft.h"

#include <utility>

namespace poold::base {

absl::Status PayloadDraft::Append(std::string_view bytes) {
  if (!file_ && text_.size() + bytes.size() > spool_->options().threshold_bytes) {
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
  auto text = std::make_shared<const std::string>(std::exchange(text_, {}));
  const std::string_view view = *text;
  return Kept{std::move(text), view};
}

void PayloadDraft::Clear() {
  std::string().swap(text_);
  file_.reset();
}

}  // namespace poold::base
