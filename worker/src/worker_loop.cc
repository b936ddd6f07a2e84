#include "worker_loop.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "failure.h"
#include "own_process.h"
#include "wire/absl_text.h"
#include "wire/mapped_file.h"

namespace poold::worker {
namespace {

constexpr double kAverageWeight = 0.125;
// What took less made no system call, hence wrote nothing that is not in stdio's buffer.
constexpr std::int64_t kSilentNs = 200;
// A larger result's memory is given back.
constexpr std::size_t kKeepReplyBytes = 1u << 20;
// Of larger arguments a function may need but a part.
constexpr std::uint64_t kMapAtOnceBytes = 256u << 20;

template <typename List>
bool EmptyOr(const List& list, int size) {
  return list.empty() || list.size() == size;
}

// Whether these are so many bytes together. No sum of them wraps.
bool AddUpTo(std::uint64_t bytes, std::span<const std::uint64_t> lengths) {
  for (const std::uint64_t length : lengths) {
    if (length > bytes) return false;
    bytes -= length;
  }
  return bytes == 0;
}

}  // namespace

WorkerLoop::WorkerLoop(Startup* startup, Channel* channel, void* page, wire::UniqueFd stdout_read,
                       wire::UniqueFd stderr_read)
    : startup_(startup),
      channel_(channel),
      page_(static_cast<wire::WorkerPage*>(page)),
      outcomes_(page, channel),
      output_(page_, &outcomes_, std::move(stdout_read), std::move(stderr_read)),
      slot_(channel, &outcomes_, startup->MayAnswerInArena() ? startup->MaxResultBytes() : 0),
      average_ns_(startup->functions().functions().size(), -1.0) {
  startup->ListenToProgress(&outcomes_);
  reply_.room = &slot_;
}

absl::Status WorkerLoop::Run() {
  while (true) {
    auto frame = channel_->Next();
    if (!frame.ok()) return frame.status();
    if (!*frame) {
      auto progress = channel_->Read();
      if (progress.ok() && *progress == Channel::Progress::kNothing) {
        outcomes_.BeforeSleep();
        progress = channel_->Wait();
      }
      if (!progress.ok()) return progress.status();
      // The daemon is gone: nobody waits for what is left.
      if (*progress == Channel::Progress::kEndOfFile) _exit(0);
      continue;
    }
    if ((*frame)->kind == internal::FRAME_KIND_STOP) {
      outcomes_.BeforeSleep();
      return absl::OkStatus();
    }
    if ((*frame)->kind != internal::FRAME_KIND_RUN) {
      return absl::InvalidArgumentError(absl::StrCat("unexpected frame of kind ", (*frame)->kind));
    }
    if (absl::Status ran = RunFrame(**frame); !ran.ok()) return ran;
  }
}

absl::Status WorkerLoop::RunFrame(const wire::Frame& frame) {
  if (!run_.ParseFromArray(frame.message.data(), static_cast<int>(frame.message.size()))) {
    return absl::InvalidArgumentError("malformed RUN message");
  }
  if (!CutTasks(frame.blob)) return absl::InvalidArgumentError("the lists of a RUN message do not fit together");
  now_ = clock_.Now();
  now_is_old_ = false;
  {
    const std::lock_guard held(outcomes_);
    for (const Task& task : tasks_) RunTask(task);
  }
  files_.clear();
  ForgetArenas();
  return absl::OkStatus();
}

// With the frame came the descriptors of the tasks whose arguments lie in files, and then of new arenas.
bool WorkerLoop::TakeFiles() {
  std::vector<wire::UniqueFd>& came = channel_->descriptors();
  const auto files = static_cast<std::ptrdiff_t>(run_.in_file_size());
  const auto arenas = static_cast<std::ptrdiff_t>(run_.new_arena_size());
  files_.clear();
  files_used_ = places_used_ = 0;
  if (static_cast<std::ptrdiff_t>(came.size()) < files + arenas) return false;
  std::move(came.begin(), came.begin() + files, std::back_inserter(files_));
  for (std::ptrdiff_t i = 0; i < arenas; ++i) {
    auto mapped = wire::MappedFile::MapShared(came[static_cast<std::size_t>(files + i)].get());
    // Whoever has arguments there ends FAILED.
    if (mapped.ok()) arenas_[run_.new_arena(static_cast<int>(i))] = *std::move(mapped);
  }
  came.erase(came.begin(), came.begin() + files + arenas);
  return true;
}

void WorkerLoop::ForgetArenas() {
  for (const std::uint64_t number : run_.forget_arena()) arenas_.erase(number);
}

// Whether the task at this place has its arguments in shared memory is in its file, or its arena.
bool WorkerLoop::CutShared(int place, std::uint64_t bytes, Task* task) {
  const auto at = static_cast<std::uint32_t>(place);
  task->shared_bytes = bytes;
  if (files_used_ < run_.in_file_size() && run_.in_file(files_used_) == at) {
    task->file = &files_[static_cast<std::size_t>(files_used_++)];
    return task->items == 0;
  }
  if (places_used_ >= run_.in_arena_size() || run_.in_arena(places_used_) != at) return true;
  task->arena_offset = run_.arena_offset(places_used_);
  task->arena = &arenas_[run_.arena(places_used_++)];
  return task->items == 0;
}

bool WorkerLoop::CutTasks(std::string_view blob) {
  const int count = run_.ticket_size();
  tasks_.clear();
  if (!EmptyOr(run_.function(), count) || !EmptyOr(run_.args_bytes(), count) || !EmptyOr(run_.encoding(), count) ||
      !EmptyOr(run_.attempt(), count) || !EmptyOr(run_.items(), count) || !EmptyOr(run_.type_name(), count) ||
      !EmptyOr(run_.in_context(), count)) {
    return false;
  }
  if (run_.arena_size() != run_.in_arena_size() || run_.arena_offset_size() != run_.in_arena_size()) return false;
  if (!TakeFiles()) return false;
  const std::uint64_t* item_bytes = run_.item_bytes().data();
  std::uint64_t items_left = static_cast<std::uint64_t>(run_.item_bytes_size());
  for (int i = 0; i < count; ++i) {
    Task& task = tasks_.emplace_back();
    task.ticket = run_.ticket(i);
    if (!run_.function().empty()) task.function = run_.function(i);
    if (!run_.encoding().empty()) task.encoding = run_.encoding(i);
    if (!run_.attempt().empty() && run_.attempt(i) != 0) task.attempt = run_.attempt(i);
    if (!run_.type_name().empty()) task.type_name = run_.type_name(i);
    if (!run_.items().empty()) task.items = run_.items(i);
    if (!run_.in_context().empty() && run_.in_context(i) != 0) {
      if (run_.in_context(i) > static_cast<std::uint32_t>(run_.context_size())) return false;
      task.context = &run_.context(static_cast<int>(run_.in_context(i)) - 1);
    }
    const std::uint64_t bytes = run_.args_bytes().empty() ? 0 : run_.args_bytes(i);
    if (!CutShared(i, bytes, &task)) return false;
    if (task.file != nullptr || task.arena != nullptr) continue;
    if (bytes > blob.size() || task.items > items_left) return false;
    task.args = blob.substr(0, bytes);
    blob.remove_prefix(bytes);
    if (task.items > 0 && !AddUpTo(bytes, {item_bytes, task.items})) return false;
    task.item_bytes = item_bytes;
    item_bytes += task.items;
    items_left -= task.items;
  }
  return blob.empty() && files_used_ == run_.in_file_size() && places_used_ == run_.in_arena_size();
}

void WorkerLoop::ShowOptions(const Task& task) {
  carried_.clear();
  for (const auto& [name, text] : task.context->options()) carried_.push_back({name, text});
  startup_->context().options = carried_;
}

void WorkerLoop::RunTask(const Task& task) {
  std::uint32_t item;
  // Taken back, all of it: it runs elsewhere or nowhere.
  if (!wire::ClaimNext(*page_, task.ticket, &item)) return;

  TaskContext& context = startup_->context();
  const auto& functions = startup_->functions().functions();
  context.function = task.function < functions.size() ? std::string_view(functions[task.function].name) : "";
  context.attempt = task.attempt;
  context.chunk_items = task.items;
  if (task.context != nullptr) ShowOptions(task);

  output_.Begin(task.ticket, item);
  const std::uint32_t items = task.items == 0 ? 1 : task.items;
  std::uint64_t begin = 0;
  std::uint32_t next = 0;
  bool ended = false;
  do {
    if (item >= items) break;  // an offer of more items than were sent: not ours to run
    for (; next < item; ++next) begin += task.item_bytes[next];
    const std::string_view args =
        task.items == 0 ? task.args : task.args.substr(begin, static_cast<std::size_t>(task.item_bytes[item]));
    ended = item + 1 == items;
    RunItem(task, item, args, ended);
  } while (!ended && wire::ClaimNext(*page_, task.ticket, &item));
  if (!ended) output_.End();
  context = TaskContext{.pool = context.pool, .worker_id = context.worker_id};
}

void WorkerLoop::RunItem(const Task& task, std::uint32_t item, std::string_view args, bool is_last) {
  const bool known = task.function < average_ns_.size();
  outcomes_.BeforeRun(now_, known ? average_ns_[task.function] : -1.0);

  startup_->context().item = item;
  output_.NextItem(item);
  outcomes_.BeginItem(task.ticket, item);
  // What a boundary or a bell before it cost must not make this one look as if it had written; the little else that is
  // between two items is not worth a look at the clock.
  now_is_old_ |= outcomes_.TakeRang();
  if (std::exchange(now_is_old_, false)) now_ = clock_.Now();
  const std::int64_t begin = now_;
  outcomes_.unlock();
  Invoke(task, args);
  now_ = clock_.Now();
  const std::int64_t elapsed = std::max<std::int64_t>(now_ - begin, 0);
  // Of a function that forked two come back, and one of them speaks. Before the lock, which another thread of the
  // parent may have held when the child was made.
  if (elapsed >= kSilentNs) LeaveIfChild(kChildReturned);
  PlaceResult();
  outcomes_.lock();

  const bool silent = elapsed < kSilentNs && !OutputBoundary::StdioPending();
  now_is_old_ = !silent;
  if (is_last) {
    silent ? output_.EndSilent() : output_.End();
  } else if (!silent) {
    output_.Collect();
  }
  Answer(elapsed);
  if (!known) return;
  double& average = average_ns_[task.function];
  const double sample = static_cast<double>(elapsed);
  average = average < 0 ? sample : average + kAverageWeight * (sample - average);
}

void WorkerLoop::Invoke(const Task& task, std::string_view args) {
  reply_.data.clear();
  reply_.failure.reset();
  slot_.Open(task.items == 0);  // a chunk's results go through the ring
  const auto& functions = startup_->functions().functions();
  if (task.function >= functions.size()) {
    reply_.failure =
        TaskFailure{"poold.UnknownFunction", absl::StrCat("this worker has no function number ", task.function), "", 0};
    return;
  }
  if (task.arena != nullptr) return InvokeInArena(functions[task.function], task);
  if (task.file == nullptr) return Call(functions[task.function], task, args);
  const wire::Faults faults = task.shared_bytes <= kMapAtOnceBytes ? wire::Faults::kAtOnce : wire::Faults::kWhenTouched;
  const auto mapped = wire::MappedFile::Map(task.file->get(), task.shared_bytes, faults);
  if (mapped.ok()) return Call(functions[task.function], task, mapped->view());
  reply_.failure = TaskFailure{"poold.ArgumentError", std::string(wire::ToStd(mapped.status().message())), "", 0};
}

void WorkerLoop::InvokeInArena(const Function& function, const Task& task) {
  const std::string_view memory = task.arena->view();
  if (task.arena_offset <= memory.size() && task.shared_bytes <= memory.size() - task.arena_offset) {
    return Call(function, task, memory.substr(task.arena_offset, task.shared_bytes));
  }
  reply_.failure = TaskFailure{"poold.ArgumentError", "the shared memory with the arguments cannot be mapped", "", 0};
}

void WorkerLoop::Call(const Function& function, const Task& task, std::string_view args) {
  const worker::Call call{function.name, static_cast<Encoding>(task.encoding), task.type_name, args};
  try {
    function.invoke(call, &reply_);
  } catch (...) {
    LeaveIfChild(kChildThrew);
    reply_.failure = FailureOfException();
  }
}

// What is large and was not written to the slot at once.
void WorkerLoop::PlaceResult() {
  if (reply_.failure && slot_.taken()) slot_.Abandon();
  if (reply_.failure || reply_.data.size() < ResultRoom::kLeastBytes) return;
  char* const at = slot_.Take(reply_.data.size());
  if (at != nullptr) std::memcpy(at, reply_.data.data(), reply_.data.size());
}

void WorkerLoop::Answer(std::int64_t elapsed) {
  const auto encoding = static_cast<std::uint32_t>(reply_.encoding);
  if (slot_.taken()) {
    outcomes_.EndItemInArena(encoding, elapsed, slot_.Finish());
    return KeepLittle();
  }
  const std::uint64_t limit = startup_->MaxResultBytes();
  if (!reply_.failure && reply_.data.size() > limit) {
    reply_.failure = TaskFailure{
        "poold.ResultError", absl::StrCat("a result of ", reply_.data.size(), " bytes; the limit is ", limit), "", 0};
  }
  if (reply_.failure) {
    const std::string failure = ToProto(*reply_.failure).SerializeAsString();
    outcomes_.EndItem(wire::RecordKind::kFailure, 0, elapsed, failure);
  } else {
    outcomes_.EndItem(wire::RecordKind::kResult, encoding, elapsed, reply_.data);
  }
  KeepLittle();
}

void WorkerLoop::KeepLittle() {
  if (reply_.data.capacity() > kKeepReplyBytes) std::string().swap(reply_.data);
}

}  // namespace poold::worker
