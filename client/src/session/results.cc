// Large results stay in the daemon until they are asked for. That is short of room at times, and then starts nothing
// more for who keeps too much there: so results that handles of this client wait with are brought, on a thread of its
// own, and released. What a walk over a streamed map has not reached yet stays: the walk sets the pace.
#include <utility>

#include "session/session.h"

namespace poold::client::internal {
namespace {

v1::Payload WithoutBytes(const v1::Payload& result) {
  v1::Payload told = result;
  told.clear_data();
  return told;
}

ResultsInDaemon ResultsOf(const TaskHandleState& task) {
  return {.count = 1, .results = {{0, WithoutBytes(task.detail->outcome->result())}}};
}

void KeepBrought(HandleState* cell, std::uint64_t index, Downloaded bytes) {
  auto brought = std::make_shared<const Downloaded>(std::move(bytes));
  if (cell->is_map) {
    AsMap(cell)->brought.emplace(index, std::move(brought));
  } else if (cell->detail->downloaded == nullptr) {
    cell->detail->downloaded = std::move(brought);
  }
}

// Of a reference that Session::Hold took.
void LetGo(HandleState* cell) { cell->is_map ? void(MapRef(AsMap(cell))) : void(TaskRef(AsTask(cell))); }

}  // namespace

void Session::NoteInDaemon(HandleState* cell) {
  in_daemon_.insert(cell);
  BringSoon();
}

void Session::NoteInDaemon(MapHandleState* map, const v1::ItemOutcomes& block) {
  if (map->resumed() || (map->call && map->call->streamed)) return;
  ResultsInDaemon& noted = map->in_daemon_blocks.emplace_back();
  noted.first = block.first_index();
  noted.count = static_cast<std::uint64_t>(block.result_bytes_size());
  for (const auto& other : block.others()) {
    const v1::Payload& result = other.outcome().result();
    if (result.size_bytes() > result.data().size()) noted.results.push_back({other.index(), WithoutBytes(result)});
  }
  NoteInDaemon(map);
}

void Session::ForgetInDaemon(HandleState* cell) {
  if (!in_daemon_.empty()) in_daemon_.erase(cell);
}

// If it is due.
void Session::BringSoon() {
  if (!room_is_short_ || in_daemon_.empty() || std::exchange(brings_, true)) return;
  results_.Post([self = shared_from_this()] {
    while (self->BringNext()) {
    }
  });
}

// Held; null: enough was brought.
HandleState* Session::NextToBring(ResultsInDaemon* results) {
  while (room_is_short_ && !stopping_ && !in_daemon_.empty()) {
    HandleState* cell = *in_daemon_.begin();
    if (cell->kept() || !Hold(cell, 1)) {
      ForgetInDaemon(cell);
      continue;
    }
    if (!cell->is_map) {
      *results = ResultsOf(*AsTask(cell));
      ForgetInDaemon(cell);
      return cell;
    }
    auto& blocks = AsMap(cell)->in_daemon_blocks;
    *results = std::move(blocks.front());
    blocks.pop_front();
    if (blocks.empty()) ForgetInDaemon(cell);
    return cell;
  }
  return nullptr;
}

// False: that was all, or the daemon does not answer; it goes on when something more is noted, or room is said to be
// short.
bool Session::BringNext() {
  ResultsInDaemon results;
  HandleState* cell = nullptr;
  {
    MutexLock lock(&mu_);
    cell = NextToBring(&results);
    brings_ = cell != nullptr;
  }
  if (cell == nullptr) return false;
  const absl::Status brought = Bring(cell, results);
  const bool away = absl::IsUnavailable(brought);
  Write write;
  {
    MutexLock lock(&mu_);
    if (brought.ok()) ReleaseBrought(cell, results);
    if (away) PutBack(cell, std::move(results));
    brings_ = !away;
    WakeLeader();
    write = WriteOrNudge();
  }
  Begin(std::move(write));
  LetGo(cell);
  return !away;
}

void Session::PutBack(HandleState* cell, ResultsInDaemon results) {
  if (cell->is_map) AsMap(cell)->in_daemon_blocks.push_front(std::move(results));
  in_daemon_.insert(cell);
}

absl::Status Session::Bring(HandleState* cell, const ResultsInDaemon& results) {
  for (const ResultsInDaemon::One& one : results.results) {
    v1::DownloadRequest request;
    request.set_id(cell->id.ToBytes());
    request.set_index(one.index);
    auto bytes = stub_->Fetch(request, one.told);
    if (!bytes.ok()) return bytes.status();
    MutexLock lock(&mu_);
    KeepBrought(cell, one.index, *std::move(bytes));
  }
  return absl::OkStatus();
}

void Session::ReleaseBrought(HandleState* cell, const ResultsInDaemon& results) {
  if (!cell->is_map) return ReleaseOutcome(cell);
  if (!cell->kept()) outbox_.AddConsumed(cell->id, results.first, results.count);
}

}  // namespace poold::client::internal
