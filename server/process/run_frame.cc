#include "process/run_frame.h"

#include <fcntl.h>

#include <string>
#include <utility>

#include "base/payload_file.h"
#include "wire/frame.h"

namespace poold::process {
namespace {

constexpr std::uint64_t kFullBytes = 4u << 20;
constexpr int kFullTasks = 1024;
constexpr std::size_t kFullFiles = 8;

}  // namespace

// The task that is being added has its arguments in a file. False: they must go as bytes.
bool RunFrame::AddFile(const core::Bytes& args) {
  const base::FilePart part = base::PartBehind(args.owner(), args.view());
  if (part.file == nullptr || !part.whole) return false;
  wire::UniqueFd copy(fcntl(part.file->fd(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return false;
  files_.push_back(std::move(copy));
  run_.add_in_file(static_cast<std::uint32_t>(run_.ticket_size() - 1));
  return true;
}

void RunFrame::Add(std::uint32_t ticket, core::Assignment work, bool takes_descriptors) {
  run_.add_ticket(ticket);
  run_.add_function(work.function);
  run_.add_encoding(static_cast<std::uint32_t>(work.args.encoding));
  run_.add_attempt(work.attempt);
  run_.add_type_name(work.args.type_name != nullptr ? *work.args.type_name : std::string());
  has_encodings_ |= work.args.encoding != core::Encoding::kUnspecified;
  has_attempts_ |= work.attempt != 1;
  has_types_ |= work.args.type_name != nullptr;

  std::uint64_t bytes = work.args.data.size();
  std::uint32_t items = 0;
  const bool in_file = takes_descriptors && AddFile(work.args.data);
  if (!in_file && bytes > 0) blobs_.push_back(std::move(work.args.data));
  for (core::ItemSlice& slice : work.items) {
    items += static_cast<std::uint32_t>(slice.count);
    bytes += slice.data.size();
    const auto& lengths = slice.column->lengths;
    for (std::size_t i = 0; i < slice.count; ++i) run_.add_item_bytes(lengths[slice.begin + i]);
    if (!slice.data.empty()) blobs_.emplace_back(std::move(slice.column), slice.data);
  }
  run_.add_items(items);
  run_.add_args_bytes(bytes);
  has_chunks_ |= items != 0;
  if (!in_file) blob_bytes_ += bytes;
}

bool RunFrame::full() const {
  return blob_bytes_ >= kFullBytes || run_.ticket_size() >= kFullTasks || files_.size() >= kFullFiles;
}

void RunFrame::MoveTo(Outgoing* out) {
  if (!has_encodings_) run_.clear_encoding();
  if (!has_attempts_) run_.clear_attempt();
  if (!has_chunks_) run_.clear_items();
  if (!has_types_) run_.clear_type_name();
  if (!files_.empty()) out->AttachFds(std::exchange(files_, {}));
  wire::AppendFrameHead(internal::FRAME_KIND_RUN, &run_, blob_bytes_, out->tail());
  for (const core::Bytes& blob : blobs_) out->Add(blob);
  run_.Clear();
  blobs_.clear();
  blob_bytes_ = 0;
  has_encodings_ = has_attempts_ = has_chunks_ = has_types_ = false;
}

}  // namespace poold::process
