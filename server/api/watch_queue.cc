#include "api/watch_queue.h"

#include <algorithm>
#include <utility>

#include "api/convert.h"

namespace poold::api {
namespace {

std::uint64_t TextBytes(const core::Outcome& outcome) {
  if (outcome.detail == nullptr) return 0;
  const core::OutcomeDetail& detail = *outcome.detail;
  std::uint64_t bytes = outcome.result.data.size() + detail.stdout_tail.size() + detail.stderr_tail.size();
  if (detail.failure) bytes += detail.failure->message.size() + detail.failure->backtrace.size();
  if (detail.death) bytes += detail.death->backtrace.size();
  return bytes;
}

// Results are not sent: one that waits here is not to keep its bytes alive. Returns how many there were.
std::uint64_t DropResult(core::OutcomePtr* outcome) {
  if (*outcome == nullptr) return 0;
  const core::Outcome& whole = **outcome;
  const std::uint64_t bytes = whole.result.data.size();
  if (bytes <= core::Bytes::kFew || whole.detail != nullptr) return bytes;
  auto slim = std::make_shared<core::Outcome>();
  slim->state = whole.state;
  slim->attempt = whole.attempt;
  slim->result.encoding = whole.result.encoding;
  slim->result.type_name = whole.result.type_name;
  slim->submitted_at = whole.submitted_at;
  slim->started_at = whole.started_at;
  slim->ended_at = whole.ended_at;
  *outcome = std::move(slim);
  return bytes;
}

}  // namespace

void WatchQueue::Add(core::WatchEvent event) {
  absl::MutexLock lock(&mu_);
  if (lost_ > 0) {
    ++lost_;
    return;
  }
  Entry entry{.at = clock_.Now(), .cost = kEventBytes};
  if (auto* output = std::get_if<core::OutputEvent>(&event)) {
    entry.what = std::move(*output);
    AddOutput(std::move(entry));
  } else if (auto* task = std::get_if<core::TaskView>(&event)) {
    entry.result_bytes = DropResult(&task->outcome);
    if (task->outcome != nullptr) entry.cost += TextBytes(*task->outcome);
    entry.what = std::move(*task);
    Append(std::move(entry));
  } else if (auto* map = std::get_if<core::MapView>(&event)) {
    const core::HandleId id = map->id;
    entry.what = std::move(*map);
    Replace(&maps_, id, std::move(entry));
  } else if (auto* progress = std::get_if<core::ProgressEvent>(&event)) {
    const core::HandleId id = progress->id;
    entry.what = std::move(*progress);
    Replace(&progress_, id, std::move(entry));
  } else {
    core::PoolView& pool = std::get<core::PoolView>(event);
    const std::string name = pool.spec.name;
    entry.what = std::move(pool);
    Replace(&pools_, name, std::move(entry));
  }
}

template <typename Key>
void WatchQueue::Replace(absl::flat_hash_map<Key, Place>* latest, const Key& key, Entry entry) {
  if (const auto waiting = latest->find(key); waiting != latest->end()) Remove(waiting->second);
  if (Append(std::move(entry))) (*latest)[key] = std::prev(entries_.end());
}

bool WatchQueue::Append(Entry entry) {
  if (!Count(bytes_ + entry.cost)) {
    LoseAll();
    ++lost_;
    return false;
  }
  entries_.push_back(std::move(entry));
  return true;
}

void WatchQueue::AddOutput(Entry entry) {
  const std::size_t bytes = std::get<core::OutputEvent>(entry.what).data.size();
  if (output_bytes_ + bytes <= max_output_bytes_) {
    entry.cost += bytes;
    if (Append(std::move(entry))) output_bytes_ += bytes;
    return;
  }
  if (entries_.empty() || !std::holds_alternative<DroppedOutput>(entries_.back().what)) {
    entry.what = DroppedOutput{};
    if (!Append(std::move(entry))) return;
  }
  std::get<DroppedOutput>(entries_.back().what).bytes += bytes;
}

bool WatchQueue::Count(std::uint64_t bytes) {
  if (!room_.Resize(bytes - std::min(bytes, kOwnBytes))) return false;
  bytes_ = bytes;
  return true;
}

void WatchQueue::LoseAll() {
  lost_ = entries_.size();
  lost_entries_.splice(lost_entries_.end(), entries_);
  maps_.clear();
  progress_.clear();
  pools_.clear();
  output_bytes_ = 0;
  lost_bytes_ = bytes_;
}

void WatchQueue::End() {
  absl::MutexLock lock(&mu_);
  ended_ = true;
}

bool WatchQueue::over() const {
  absl::MutexLock lock(&mu_);
  return ended_ && entries_.empty() && lost_ == 0;
}

// Before it goes.
void WatchQueue::Forget(Place place) {
  const auto forget = [place](auto& index, const auto& key) {
    const auto found = index.find(key);
    if (found != index.end() && found->second == place) index.erase(found);
  };
  if (const auto* map = std::get_if<core::MapView>(&place->what)) forget(maps_, map->id);
  if (const auto* progress = std::get_if<core::ProgressEvent>(&place->what)) forget(progress_, progress->id);
  if (const auto* pool = std::get_if<core::PoolView>(&place->what)) forget(pools_, pool->spec.name);
  if (const auto* output = std::get_if<core::OutputEvent>(&place->what)) output_bytes_ -= output->data.size();
  Count(bytes_ - place->cost);
}

// It has no payload, and may go inside an event.
void WatchQueue::Remove(Place place) {
  Forget(place);
  entries_.erase(place);
}

void WatchQueue::DropLost() {
  std::list<Entry> lost;
  {
    absl::MutexLock lock(&mu_);
    lost.swap(lost_entries_);
  }
  if (lost.empty()) return;
  lost.clear();
  absl::MutexLock lock(&mu_);
  Count(bytes_ - std::exchange(lost_bytes_, 0));
}

bool WatchQueue::Next(v1::WatchResponse* message) {
  std::list<Entry> next;
  {
    absl::MutexLock lock(&mu_);
    if (lost_ > 0) {
      message->mutable_resync()->set_lost_events(std::exchange(lost_, 0));
      WallTime(clock_).Write(clock_.Now(), message->mutable_time());
      return true;
    }
    if (entries_.empty()) return false;
    Forget(entries_.begin());
    next.splice(next.begin(), entries_, entries_.begin());
  }
  Write(next.front(), message);
  return true;
}

void WatchQueue::Write(const Entry& entry, v1::WatchResponse* message) const {
  const DisplayContext display{WallTime(clock_), names_};
  display.wall.Write(entry.at, message->mutable_time());
  if (const auto* task = std::get_if<core::TaskView>(&entry.what)) {
    WriteTask(*task, display, kNoResultData, message->mutable_task());
    v1::Task& told = *message->mutable_task();
    if (told.outcome().has_result()) told.mutable_outcome()->mutable_result()->set_size_bytes(entry.result_bytes);
  } else if (const auto* map = std::get_if<core::MapView>(&entry.what)) {
    WriteMap(*map, display, message->mutable_map());
  } else if (const auto* pool = std::get_if<core::PoolView>(&entry.what)) {
    WritePool(*pool, display.wall, message->mutable_pool());
  } else if (const auto* output = std::get_if<core::OutputEvent>(&entry.what)) {
    WriteOutput(*output, message->mutable_output());
  } else if (const auto* progress = std::get_if<core::ProgressEvent>(&entry.what)) {
    WriteProgress(progress->id, progress->progress, message->mutable_progress());
  } else {
    message->set_dropped_output_bytes(std::get<DroppedOutput>(entry.what).bytes);
  }
}

}  // namespace poold::api
