#include "session/response_encoder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "api/convert.h"
#include "api/errors.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/payload_file.h"

namespace poold::session {
namespace {

constexpr std::size_t kMaxOutputsBytes = 256 << 10;
constexpr std::size_t kProgressBytes = 48;
constexpr std::size_t kOtherBytes = 256;
constexpr std::size_t kRunBytes = 18;
constexpr std::size_t kRefusalBytes = 512;
// Tasks and bytes of a packed group. Some of them fit into a message.
constexpr int kPackedTasks = 4096;
constexpr std::size_t kPackedBytes = 64 << 10;
// Packed, so small a result takes less than what points to it.
constexpr std::size_t kAlwaysPacked = 64;
// Of larger ones so many bytes are copied ahead: the core keeps them anyway.
constexpr std::size_t kPackedAhead = 1 << 20;
// More groups than the next message takes are not kept for later ones.
constexpr int kSparePacked = 16;
// So much of each session is not counted, and what grows is counted ahead.
constexpr std::size_t kUncounted = 16 << 10;
constexpr std::size_t kCountedAhead = 64 << 10;
constexpr std::size_t kPartBytes = 96;
constexpr std::size_t kPackedTaskBytes = 12;
// Some of them fit into a message that a client takes in one go.
constexpr std::uint32_t kMaxRun = 4096;

bool SameType(const v1::OutcomeGroup& group, const core::Payload& result) {
  if (group.encoding() != static_cast<v1::Encoding>(result.encoding)) return false;
  return result.type_name == nullptr ? group.type_name().empty() : group.type_name() == *result.type_name;
}

std::size_t RoughBytes(const core::Outcome& outcome, std::size_t result_bytes) {
  std::size_t bytes = kOtherBytes + result_bytes;
  if (outcome.detail == nullptr) return bytes;
  bytes += outcome.detail->stdout_tail.size() + outcome.detail->stderr_tail.size();
  if (outcome.detail->failure)
    bytes += outcome.detail->failure->message.size() + outcome.detail->failure->backtrace.size();
  return bytes;
}

// What lies in a file or in an arena is counted there.
std::size_t InMemory(const core::Bytes& bytes) {
  const bool small = bytes.size() < wire::kMinArenaPayloadBytes;
  return small || base::PayloadFile::Behind(bytes.owner()) == nullptr ? bytes.size() : 0;
}

v1::OutcomeGroup* GroupFor(core::HandleId id, const core::Payload& result, v1::SessionResponse* message) {
  if (message->succeeded_size() > 0) {
    v1::OutcomeGroup* last = message->mutable_succeeded(message->succeeded_size() - 1);
    if (last->id_high() == id.high && SameType(*last, result)) return last;
  }
  v1::OutcomeGroup* group = message->add_succeeded();
  group->set_id_high(id.high);
  group->set_encoding(static_cast<v1::Encoding>(result.encoding));
  if (result.type_name != nullptr) group->set_type_name(*result.type_name);
  return group;
}

void AddIds(core::HandleId first, std::uint32_t count, api::MessageRoom* room, v1::IdRuns* runs) {
  const int last = runs->high_size() - 1;
  if (last >= 0 && runs->high(last) == first.high && runs->low(last) + runs->count(last) == first.low) {
    runs->set_count(last, runs->count(last) + count);
    return room->Use(0, count);
  }
  runs->add_high(first.high);
  runs->add_low(first.low);
  runs->add_count(count);
  room->Use(kRunBytes, count);
}

v1::MapOutcomes* PartFor(const std::string& id, v1::SessionResponse* message) {
  if (message->maps_size() > 0) {
    v1::MapOutcomes* last = message->mutable_maps(message->maps_size() - 1);
    if (last->id() == id && !last->has_end()) return last;
  }
  v1::MapOutcomes* part = message->add_maps();
  part->set_id(id);
  return part;
}

}  // namespace

bool ResponseEncoder::TaskPart::GoesOn(core::HandleId next, const core::OutcomePtr& its) const {
  return outcome == its && id.high == next.high && id.low + count == next.low && count < kMaxRun;
}

void ResponseEncoder::Count(std::size_t bytes) {
  pending_bytes_ += bytes;
  const std::size_t all = pending_bytes_ + active_bytes_;
  if (all <= kUncounted || all <= unsent_.taken()) return;
  if (!unsent_.Resize(all + kCountedAhead)) over_quota_.store(true, std::memory_order_relaxed);
}

void ResponseEncoder::AddOutcome(core::HandleId task, core::OutcomePtr outcome) {
  absl::MutexLock lock(&mu_);
  if (!pending_.tasks.empty() && pending_.tasks.back().GoesOn(task, outcome)) {
    ++pending_.tasks.back().count;
    return;
  }
  Count(kPartBytes + RoughBytes(*outcome, InMemory(outcome->result.data)));
  pending_.tasks.push_back({task, 1, std::move(outcome)});
  waiting_.fetch_add(1, std::memory_order_relaxed);
}

v1::OutcomeGroup* ResponseEncoder::PackFor(core::HandleId task, core::Encoding encoding) {
  auto& packed = pending_.packed;
  if (!packed.empty()) {
    v1::OutcomeGroup* last = packed.Mutable(packed.size() - 1);
    if (last->id_high() == task.high && last->encoding() == static_cast<v1::Encoding>(encoding) &&
        last->id_low_size() < kPackedTasks && last->results().size() < kPackedBytes) {
      return last;
    }
  }
  v1::OutcomeGroup* group = packed.Add();
  group->set_id_high(task.high);
  group->set_encoding(static_cast<v1::Encoding>(encoding));
  return group;
}

void ResponseEncoder::AddSuccess(core::HandleId task, const core::CompactSuccess& success) {
  const std::string_view result = success.result.view();
  {
    absl::MutexLock lock(&mu_);
    const bool packs = result.size() <= max_inline_bytes_.load(std::memory_order_relaxed) &&
                       result.size() < wire::kMinArenaPayloadBytes &&
                       (result.size() <= kAlwaysPacked || pending_.packed_bytes < kPackedAhead);
    if (packs) {
      v1::OutcomeGroup* group = PackFor(task, success.encoding);
      group->add_id_low(task.low);
      group->add_result_bytes(static_cast<std::uint32_t>(result.size()));
      group->mutable_results()->append(result);
      pending_.packed_bytes += result.size();
      Count(result.size() + kPackedTaskBytes);
      pending_packed_.store(pending_packed_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      return;
    }
  }
  AddOutcome(task, success.ToOutcome());
}

void ResponseEncoder::AddItems(core::HandleId map, core::ItemBlockPtr items) {
  absl::MutexLock lock(&mu_);
  Count(kPartBytes + items->results.size() + items->result_bytes.size() * sizeof(std::uint32_t) +
        items->others.size() * kOtherBytes);
  pending_.maps.push_back({map, std::move(items), nullptr});
  waiting_.fetch_add(1, std::memory_order_relaxed);
}

void ResponseEncoder::AddMapEnd(const core::MapView& map) {
  absl::MutexLock lock(&mu_);
  pending_.maps.push_back({map.id, nullptr, std::make_unique<core::MapView>(map)});
  waiting_.fetch_add(1, std::memory_order_relaxed);
}

void ResponseEncoder::AddOutput(const core::OutputEvent& output) {
  absl::MutexLock lock(&mu_);
  Count(kPartBytes + output.data.size());
  pending_.outputs.push_back(output);
  pending_.output_bytes += output.data.size();
  waiting_.fetch_add(1, std::memory_order_relaxed);
  while (pending_.output_bytes > options_.max_waiting_output_bytes) {
    const std::size_t bytes = pending_.outputs.front().data.size();
    dropped_output_bytes_.fetch_add(bytes);
    pending_.output_bytes -= bytes;
    pending_bytes_ -= kPartBytes + bytes;
    pending_.dropped_outputs.push_back(std::move(pending_.outputs.front()));
    pending_.outputs.pop_front();
    waiting_.fetch_sub(1, std::memory_order_relaxed);
  }
}

void ResponseEncoder::AddProgress(const core::ProgressEvent& progress) {
  absl::MutexLock lock(&mu_);
  const auto [place, is_new] = progress_places_.try_emplace(progress.id, pending_.progress.size());
  if (!is_new) {
    pending_.progress[place->second] = progress;
    return;
  }
  Count(kPartBytes + progress.progress.text.size());
  pending_.progress.push_back(progress);
  waiting_.fetch_add(1, std::memory_order_relaxed);
}

void ResponseEncoder::AddRefused(std::vector<RefusedHandle> refused) {
  absl::MutexLock lock(&mu_);
  Count(refused.size() * kRefusalBytes);
  waiting_.fetch_add(refused.size(), std::memory_order_relaxed);
  for (RefusedHandle& one : refused) {
    // What many are refused for is kept once.
    if (!pending_.refused.empty() && pending_.refused.back().why == one.why) one.why = pending_.refused.back().why;
    pending_.refused.push_back(std::move(one));
  }
}

void ResponseEncoder::AddGreeting(const v1::ServerInfo& server) {
  absl::MutexLock lock(&mu_);
  pending_.greeting = std::make_unique<v1::ServerInfo>(server);
}

void ResponseEncoder::TellRoom() {
  absl::MutexLock lock(&mu_);
  pending_.room = true;
}

void ResponseEncoder::SetTaken(std::uint64_t requests, bool send_now) {
  absl::MutexLock lock(&mu_);
  taken_ = requests;
  tell_taken_ |= send_now;
}

bool ResponseEncoder::Fill(v1::SessionResponse* message) {
  message->Clear();
  std::uint64_t taken = 0;
  bool tell = false;
  std::vector<core::OutputEvent> dropped;
  {
    absl::MutexLock lock(&mu_);
    taken = taken_;
    tell = std::exchange(tell_taken_, false);
    dropped.swap(pending_.dropped_outputs);
    TakePending();
  }
  if (!dropped.empty() && !std::exchange(told_dropped_, true)) {
    base::Log(base::Level::kWarning, "session_output_dropped");
  }
  if (active_.empty() && (!tell || taken == acknowledged())) return false;
  const api::WallTime wall(clock_);
  api::MessageRoom room;
  if (active_.greeting != nullptr) message->mutable_server()->Swap(std::exchange(active_.greeting, nullptr).get());
  if (std::exchange(active_.room, false)) message->set_room_is_short(short_rooms_ > 0);
  FillRefused(&room, message);
  // What a task printed and how far it was is sent before its outcome: outcomes wait until what came before them is
  // gone.
  if (FillOutputs(&room, message) && FillProgress(&room, message)) {
    FillPacked(&room, message);
    FillTasks(wall, &room, message);
    FillMaps(wall, &room, message);
  }
  if (!active_.refused.empty()) taken = acknowledged();  // refusals come first
  message->set_taken_requests(taken);
  acknowledged_.store(taken, std::memory_order_relaxed);
  return true;
}

// Refusals, and what is said of the room, do not wait for what came before them.
void ResponseEncoder::TakePending() {
  if (active_.empty()) {
    std::swap(active_, pending_);
    active_bytes_ = std::exchange(pending_bytes_, 0);
    const bool counts = active_bytes_ > kUncounted;
    if (unsent_.Resize(counts ? active_bytes_ + kCountedAhead : 0)) over_quota_.store(false, std::memory_order_relaxed);
    waiting_.fetch_add(pending_packed_.exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
    progress_places_.clear();
    return;
  }
  active_.room |= std::exchange(pending_.room, false);
  std::move(pending_.refused.begin(), pending_.refused.end(), std::back_inserter(active_.refused));
  pending_.refused.clear();
}

bool ResponseEncoder::FillOutputs(api::MessageRoom* room, v1::SessionResponse* message) {
  std::size_t bytes = 0;
  while (!active_.outputs.empty() && bytes < kMaxOutputsBytes) {
    const core::OutputEvent& output = active_.outputs.front();
    api::WriteOutput(output, message->add_outputs());
    bytes += output.data.size() + 32;
    active_.outputs.pop_front();
    waiting_.fetch_sub(1, std::memory_order_relaxed);
  }
  active_.output_bytes = 0;
  room->Use(bytes, 0);
  return active_.outputs.empty();
}

bool ResponseEncoder::Packs(const core::Outcome& outcome) const {
  return outcome.state == core::TaskState::kSucceeded && outcome.detail == nullptr && outcome.attempt <= 1 &&
         outcome.result.data.size() <= max_inline_bytes_.load(std::memory_order_relaxed) &&
         !PlaceOf(outcome.result.data);
}

std::optional<v1::ArenaSlot> ResponseEncoder::PlaceOf(const core::Bytes& result) const {
  if (result.size() < wire::kMinArenaPayloadBytes || !shares_memory_.load(std::memory_order_relaxed))
    return std::nullopt;
  const base::FilePart part = base::PartBehind(result.owner(), result.view());
  if (part.file == nullptr || !part.whole || part.file->arena() == nullptr) return std::nullopt;
  v1::ArenaSlot slot;
  slot.set_arena(part.file->arena()->number());
  slot.set_slot(part.file->place().slot);
  slot.set_use(part.file->place().use);
  slot.set_bytes(result.size());
  return slot;
}

void ResponseEncoder::WriteOther(const core::Outcome& outcome, const api::WallTime& wall, api::MessageRoom* room,
                                 v1::Outcome* out) const {
  const std::uint64_t inline_bytes = max_inline_bytes_.load(std::memory_order_relaxed);
  std::optional<v1::ArenaSlot> place = PlaceOf(outcome.result.data);
  api::WriteOutcome(outcome, wall, place ? 0 : inline_bytes, out);
  room->Use(RoughBytes(outcome, out->result().data().size()), 0);
  if (place) *out->mutable_result()->mutable_in_arena() = *std::move(place);
}

bool ResponseEncoder::FillProgress(api::MessageRoom* room, v1::SessionResponse* message) {
  for (; next_progress_ < active_.progress.size() && !room->full(); ++next_progress_) {
    const core::ProgressEvent& progress = active_.progress[next_progress_];
    api::WriteProgress(progress.id, progress.progress, message->add_progress());
    room->Use(progress.progress.text.size() + kProgressBytes, 0);
    waiting_.fetch_sub(1, std::memory_order_relaxed);
  }
  if (next_progress_ < active_.progress.size()) return false;
  active_.progress.clear();
  next_progress_ = 0;
  return true;
}

void ResponseEncoder::FillPacked(api::MessageRoom* room, v1::SessionResponse* message) {
  std::size_t tasks = 0;
  for (; next_packed_ < active_.packed.size() && !room->full(); ++next_packed_) {
    v1::OutcomeGroup* group = active_.packed.Mutable(next_packed_);
    const auto here = static_cast<std::size_t>(group->id_low_size());
    room->Use(group->results().size() + 12 * here, here);
    tasks += here;
    message->add_succeeded()->Swap(group);
  }
  waiting_.fetch_sub(tasks, std::memory_order_relaxed);
  if (next_packed_ < active_.packed.size()) return;
  if (active_.packed.size() > kSparePacked) {
    google::protobuf::RepeatedPtrField<v1::OutcomeGroup>().Swap(&active_.packed);
  } else {
    active_.packed.Clear();
  }
  active_.packed_bytes = 0;
  next_packed_ = 0;
}

void ResponseEncoder::FillTasks(const api::WallTime& wall, api::MessageRoom* room, v1::SessionResponse* message) {
  v1::OutcomeGroup* group = nullptr;
  // What the last of the others tells.
  core::OutcomePtr told;
  const std::size_t first = next_task_;
  for (; next_task_ < active_.tasks.size() && !room->full(); ++next_task_) {
    TaskPart& task = active_.tasks[next_task_];
    if (task.outcome == told) {
      AddIds(task.id, task.count, room, message->mutable_others(message->others_size() - 1)->mutable_ids());
      task.outcome = nullptr;
      continue;
    }
    const core::Outcome& outcome = *task.outcome;
    if (Packs(outcome)) {
      const std::string_view result = outcome.result.data.view();
      if (group == nullptr || group->id_high() != task.id.high || !SameType(*group, outcome.result)) {
        group = GroupFor(task.id, outcome.result, message);
      }
      for (std::uint32_t i = 0; i < task.count; ++i) {
        group->add_id_low(task.id.low + i);
        group->add_result_bytes(static_cast<std::uint32_t>(result.size()));
        group->mutable_results()->append(result);
        room->Use(result.size() + 12);
      }
    } else {
      v1::TaskOutcome* other = message->add_others();
      AddIds(task.id, task.count, room, other->mutable_ids());
      WriteOther(outcome, wall, room, other->mutable_outcome());
      told = task.outcome;
    }
    task.outcome = nullptr;
  }
  waiting_.fetch_sub(next_task_ - first, std::memory_order_relaxed);
  if (next_task_ < active_.tasks.size()) return;
  active_.tasks.clear();
  next_task_ = 0;
}

void ResponseEncoder::FillMaps(const api::WallTime& wall, api::MessageRoom* room, v1::SessionResponse* message) {
  for (; next_map_ < active_.maps.size() && !room->full(); ++next_map_) {
    MapPart& part = active_.maps[next_map_];
    v1::MapOutcomes* out = PartFor(api::IdBytes(part.id), message);
    if (part.end != nullptr) {
      api::WriteMap(*part.end, {wall, names_}, out->mutable_end());
    } else {
      if (!reader_) reader_.emplace(std::move(part.items));
      reader_->Write(options_.max_inline_result_bytes, wall, room, out->mutable_outcomes());
      if (!reader_->done()) return;
      reader_.reset();
    }
    waiting_.fetch_sub(1, std::memory_order_relaxed);
  }
  if (next_map_ < active_.maps.size()) return;
  active_.maps.clear();
  next_map_ = 0;
}

void ResponseEncoder::FillRefused(api::MessageRoom* room, v1::SessionResponse* message) {
  for (; next_refused_ < active_.refused.size() && !room->full(); ++next_refused_) {
    RefusedHandle& refused = active_.refused[next_refused_];
    v1::SubmitResult* out = message->add_refused();
    out->set_id(std::move(refused.id));
    *out->mutable_error() = api::ToProto(refused.why);
    if (refused.accepted_items) out->set_accepted_items(*refused.accepted_items);
    room->Use(kRefusalBytes);
    waiting_.fetch_sub(1, std::memory_order_relaxed);
  }
  if (next_refused_ < active_.refused.size()) return;
  active_.refused.clear();
  next_refused_ = 0;
}

}  // namespace poold::session
