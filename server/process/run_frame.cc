#include "process/run_frame.h"

#include <fcntl.h>

#include <iterator>
#include <string>
#include <utility>

#include "base/arena.h"
#include "core/option_fields.h"
#include "wire/frame.h"

namespace poold::process {
namespace {

constexpr std::uint64_t kFullBytes = 4u << 20;
constexpr int kFullTasks = 1024;
constexpr std::size_t kFullFiles = 8;

// A list in which all have the usual value stays empty: it is begun with the first one that has another.
void AddUnlike(std::uint32_t value, std::uint32_t usual, int place,
               google::protobuf::RepeatedField<std::uint32_t>* list) {
  if (value == usual && list->empty()) return;
  if (list->empty()) list->Resize(place, usual);
  list->Add(value);
}

}  // namespace

// The task that is being added has its arguments in shared memory. False: they must go as bytes.
bool RunFrame::AddShared(const core::Bytes& args, Abilities abilities) {
  if (args.size() < wire::kMinArenaPayloadBytes) return false;
  const base::FilePart part = base::PartBehind(args.owner(), args.view());
  if (part.file == nullptr || !part.whole) return false;
  if (part.file->arena() != nullptr) return abilities.arenas && AddPlace(*part.file);
  return abilities.descriptors && AddFile(*part.file);
}

bool RunFrame::AddFile(const base::PayloadFile& file) {
  wire::UniqueFd copy(fcntl(file.fd(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return false;
  files_.push_back(std::move(copy));
  run_.add_in_file(static_cast<std::uint32_t>(run_.ticket_size() - 1));
  return true;
}

bool RunFrame::AddPlace(const base::PayloadFile& file) {
  const std::uint64_t number = file.arena()->number();
  if (!arenas_.contains(number)) {
    wire::UniqueFd copy(fcntl(file.fd(), F_DUPFD_CLOEXEC, 0));
    if (!copy) return false;
    ForgetGone();
    const std::uint64_t bytes = file.arena()->mapping().shape().bytes();
    arenas_.emplace(number, Known{file.arena()->weak_from_this(), bytes});
    arena_bytes_.fetch_add(bytes, std::memory_order_relaxed);
    arena_files_.push_back(std::move(copy));
    run_.add_new_arena(number);
  }
  run_.add_in_arena(static_cast<std::uint32_t>(run_.ticket_size() - 1));
  run_.add_arena(number);
  run_.add_arena_offset(file.offset());
  return true;
}

// Their memory is given back already: the worker loses only its mappings.
void RunFrame::ForgetGone() {
  std::erase_if(arenas_, [this](const auto& entry) {
    const std::shared_ptr<const base::Arena> arena = entry.second.arena.lock();
    if (arena != nullptr && !arena->empty()) return false;
    arena_bytes_.fetch_sub(entry.second.bytes, std::memory_order_relaxed);
    run_.add_forget_arena(entry.first);
    return true;
  });
}

void RunFrame::AddTypeName(const std::shared_ptr<const std::string>& type_name, int place) {
  while (run_.type_name_size() < place) run_.add_type_name();
  *run_.add_type_name() = type_name != nullptr ? *type_name : std::string();
}

// Tasks of one submission share one context.
void RunFrame::AddContext(std::shared_ptr<const core::TaskOptions> carried, int place) {
  if (carried != nullptr && carried != context_) {
    auto& options = *run_.add_context()->mutable_options();
    core::ForEachCarried(*carried, [&options](const option::Option& option, const std::string& text) {
      options[std::string(option.name)] = text;
    });
    context_ = carried;
  }
  const int number = carried != nullptr ? run_.context_size() : 0;
  AddUnlike(static_cast<std::uint32_t>(number), 0, place, run_.mutable_in_context());
}

// Neighbours of one message are one blob: large enough together, they are not copied. Few bytes are, at once.
void RunFrame::AddBlob(core::Bytes blob) {
  if (blob.size() <= core::Bytes::kFew) {
    few_.append(blob.view());
    return;
  }
  if (!few_.empty()) blobs_.emplace_back(std::exchange(few_, {}));
  if (blobs_.empty() || !blobs_.back().Join(blob)) blobs_.push_back(std::move(blob));
}

void RunFrame::Add(std::uint32_t ticket, core::Assignment work, Abilities abilities) {
  const int place = run_.ticket_size();
  run_.add_ticket(ticket);
  run_.add_function(work.function);
  AddUnlike(static_cast<std::uint32_t>(work.args.encoding), 0, place, run_.mutable_encoding());
  AddUnlike(work.attempt, 1, place, run_.mutable_attempt());
  if (work.carried != nullptr || run_.context_size() > 0) AddContext(std::move(work.carried), place);
  if (work.args.type_name != nullptr || run_.type_name_size() > 0) AddTypeName(work.args.type_name, place);

  std::uint64_t bytes = work.args.data.size();
  std::uint32_t items = 0;
  const bool shared = AddShared(work.args.data, abilities);
  // What lies in an arena stays there as long as the core keeps it: until the task is over.
  if (!shared && bytes > 0) AddBlob(std::move(work.args.data));
  for (core::ItemSlice& slice : work.items) {
    items += static_cast<std::uint32_t>(slice.count);
    bytes += slice.data.size();
    const auto lengths = slice.column->lengths.begin() + static_cast<std::ptrdiff_t>(slice.begin);
    run_.mutable_item_bytes()->Add(lengths, lengths + static_cast<std::ptrdiff_t>(slice.count));
    if (!slice.data.empty()) AddBlob(core::Bytes(std::move(slice.column), slice.data));
  }
  AddUnlike(items, 0, place, run_.mutable_items());
  run_.add_args_bytes(bytes);
  if (!shared) blob_bytes_ += bytes;
}

bool RunFrame::full() const {
  return blob_bytes_ >= kFullBytes || run_.ticket_size() >= kFullTasks ||
         files_.size() + arena_files_.size() >= kFullFiles;
}

void RunFrame::MoveTo(Outgoing* out) {
  std::move(arena_files_.begin(), arena_files_.end(), std::back_inserter(files_));
  arena_files_.clear();
  if (!files_.empty()) out->AttachFds(std::exchange(files_, {}));
  wire::AppendFrameHead(internal::FRAME_KIND_RUN, &run_, blob_bytes_, out->tail());
  for (const core::Bytes& blob : blobs_) out->Add(blob);
  if (!few_.empty()) out->tail()->append(few_);
  run_.Clear();
  blobs_.clear();
  few_.clear();
  context_.reset();
  blob_bytes_ = 0;
}

}  // namespace poold::process
