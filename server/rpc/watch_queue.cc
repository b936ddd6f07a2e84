#include "rpc/watch_queue.h"

#include <utility>

#include "rpc/convert.h"

namespace poold::rpc {

void WatchQueue::Add(core::WatchEvent event) {
  absl::MutexLock lock(&mu_);
  const core::Nanos now = clock_.Now();
  if (auto* output = std::get_if<core::OutputEvent>(&event)) return AddOutput(now, std::move(*output));
  if (auto* task = std::get_if<core::TaskView>(&event)) {
    const auto waiting = handles_.find(task->id);
    if (entries_.size() >= kMaxExactStates && waiting != handles_.end()) entries_.erase(waiting->second);
    const core::HandleId id = task->id;
    handles_[id] = entries_.insert(entries_.end(), Entry{now, std::move(*task)});
  } else if (auto* map = std::get_if<core::MapView>(&event)) {
    const auto waiting = handles_.find(map->id);
    if (waiting != handles_.end()) entries_.erase(waiting->second);
    const core::HandleId id = map->id;
    handles_[id] = entries_.insert(entries_.end(), Entry{now, std::move(*map)});
  } else if (auto* progress = std::get_if<core::ProgressEvent>(&event)) {
    const auto waiting = progress_.find(progress->id);
    if (waiting != progress_.end()) entries_.erase(waiting->second);
    const core::HandleId id = progress->id;
    progress_[id] = entries_.insert(entries_.end(), Entry{now, std::move(*progress)});
  } else {
    core::PoolView& pool = std::get<core::PoolView>(event);
    const auto waiting = pools_.find(pool.spec.name);
    if (waiting != pools_.end()) entries_.erase(waiting->second);
    std::string name = pool.spec.name;
    pools_[std::move(name)] = entries_.insert(entries_.end(), Entry{now, std::move(pool)});
  }
}

void WatchQueue::AddOutput(core::Nanos now, core::OutputEvent output) {
  const std::size_t bytes = output.data.size();
  if (output_bytes_ + bytes <= max_output_bytes_) {
    output_bytes_ += bytes;
    entries_.push_back(Entry{now, std::move(output)});
    return;
  }
  if (entries_.empty() || !std::holds_alternative<DroppedOutput>(entries_.back().what)) {
    entries_.push_back(Entry{now, DroppedOutput{}});
  }
  std::get<DroppedOutput>(entries_.back().what).bytes += bytes;
}

void WatchQueue::End() {
  absl::MutexLock lock(&mu_);
  ended_ = true;
}

bool WatchQueue::over() const {
  absl::MutexLock lock(&mu_);
  return ended_ && entries_.empty();
}

void WatchQueue::Forget(Place place) {
  const auto forget = [place](auto& index, const auto& key) {
    const auto found = index.find(key);
    if (found != index.end() && found->second == place) index.erase(found);
  };
  if (const auto* task = std::get_if<core::TaskView>(&place->what)) forget(handles_, task->id);
  if (const auto* map = std::get_if<core::MapView>(&place->what)) forget(handles_, map->id);
  if (const auto* progress = std::get_if<core::ProgressEvent>(&place->what)) forget(progress_, progress->id);
  if (const auto* pool = std::get_if<core::PoolView>(&place->what)) forget(pools_, pool->spec.name);
  if (const auto* output = std::get_if<core::OutputEvent>(&place->what)) output_bytes_ -= output->data.size();
}

bool WatchQueue::Next(v1::WatchResponse* message) {
  std::list<Entry> next;
  {
    absl::MutexLock lock(&mu_);
    if (entries_.empty()) return false;
    Forget(entries_.begin());
    next.splice(next.begin(), entries_, entries_.begin());
  }
  const Legend legend{WallTime(clock_), names_};
  const Entry& entry = next.front();
  legend.wall.Write(entry.at, message->mutable_time());
  if (const auto* task = std::get_if<core::TaskView>(&entry.what)) {
    WriteTask(*task, legend, kNoResultData, message->mutable_task());
  } else if (const auto* map = std::get_if<core::MapView>(&entry.what)) {
    WriteMap(*map, legend, message->mutable_map());
  } else if (const auto* pool = std::get_if<core::PoolView>(&entry.what)) {
    WritePool(*pool, legend.wall, message->mutable_pool());
  } else if (const auto* output = std::get_if<core::OutputEvent>(&entry.what)) {
    WriteOutput(*output, message->mutable_output());
  } else if (const auto* progress = std::get_if<core::ProgressEvent>(&entry.what)) {
    WriteProgress(progress->id, progress->progress, message->mutable_progress());
  } else {
    message->set_dropped_output_bytes(std::get<DroppedOutput>(entry.what).bytes);
  }
  return true;
}

}  // namespace poold::rpc
