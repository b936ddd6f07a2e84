// The end: nothing new comes, everything that is under way goes well, and nothing is left.
#include <algorithm>

#include "world.h"

namespace poold::core::sim {

using testing::FakeWorker;

void World::Quiet() {
  CompleteMaps();
  bool closed = false;
  for (int idle = 0, i = 0; idle < 50 && ledger_.wrong.empty(); ++i) {
    if (i > 200'000) return ledger_.Wrong("the world does not quiet down");
    idle = QuietSome() ? 0 : idle + 1;
    Check();
    // Workers that grow old are replaced without end, so it is not waited for that.
    if (closed || (idle < 25 && (i % 64 != 0 || !AllHaveEndedOrWait()))) continue;
    for (const char* pool : {"p0", "p1", "p2"}) ClosePool(pool, false);
    closed = true;
    idle = 0;
  }
}

// Those who never release may wait for ever, until their pools are closed.
bool World::AllHaveEndedOrWait() {
  return std::all_of(ledger_.handles.begin(), ledger_.handles.end(), [this](const auto& known) {
    const KnownHandle& handle = known.second;
    return handle.ended || handle.released || (Hoards(handle) && FindClient(handle.client)->told_held_up);
  });
}

// As far as anybody can name them.
bool World::AllHaveEnded() const {
  return std::all_of(ledger_.handles.begin(), ledger_.handles.end(),
                     [](const auto& known) { return known.second.ended || known.second.released; });
}

// Of those that nobody can name nothing more comes: they end when their pool does.
void World::CompleteMaps() {
  for (auto& [id, handle] : ledger_.handles) {
    if (!handle.is_map || handle.ended || handle.complete || handle.released) continue;
    MapGroup group;
    group.complete = true;
    if (SendItemsOf(handle, handle.items.size(), group).ok()) handle.complete = true;
    Check();
  }
}

// False: nothing is left to do but to wait for an end.
bool World::QuietOnce() {
  if (StartZygotes(/*all_is_well=*/true) || QuietProcess() || QuietClient()) return true;
  if (core_.NextTimer() == kNever) return false;
  now_ = std::max(now_, core_.NextTimer());
  Tick();
  return true;
}

// In a wide world many steps for each look at everything.
bool World::QuietSome() {
  if (!QuietOnce()) return false;
  for (int more = wide_ ? 30 : 0; more > 0 && ledger_.wrong.empty(); --more) {
    CheckTurns();
    if (!QuietOnce()) break;
  }
  return true;
}

bool World::QuietProcess() {
  for (auto& [id, worker] : processes_.workers) {
    if (worker.killed || (worker.stopping && worker.work.empty())) return Die(id, worker.killed ? 9 : 0), true;
    if (!worker.ring.empty()) return processes_.Deliver(now_, id), true;
    if (worker.work.empty()) continue;
    if (!worker.running()) processes_.Begin(worker);
    NoteEnd(worker, true);
    processes_.End(worker, true, 1'000);
    if (!worker.uses_page) processes_.Begin(worker);
    return true;
  }
  return StartWorkers(/*all_is_well=*/true);
}

// While something is to come, clients hold on to what they have and release only when they are told that their room is
// short: that must do. For those who never release it must do that their pools are closed.
bool World::QuietClient() {
  const bool all = AllHaveEnded();
  const auto releases = [&](const KnownHandle& handle) {
    return !handle.released && (all || (FindClient(handle.client)->told_short && !Hoards(handle)));
  };
  for (auto& [id, handle] : ledger_.handles) {
    if (!handle.ended || !releases(handle)) continue;
    handle.released = true;
    core_.OnRelease(now_, id);
    return true;
  }
  const std::uint64_t used = peer_.room().used();
  for (const auto& [id, handle] : ledger_.handles) {  // whoever runs a map larger than the room takes its outcomes
    if (handle.is_map && releases(handle)) core_.OnConsumed(now_, id, 0, handle.items.size());
  }
  return peer_.room().used() < used;
}

void World::CheckEnd() {
  for (const auto& [id, handle] : ledger_.handles) {
    for (std::size_t i = 0; i < handle.items.size(); ++i) {
      if (handle.items[i].running) ledger_.Wrong(Ledger::TextOf(handle, i) + " still runs");
    }
    if (!handle.ended && !handle.released) ledger_.Wrong(Ledger::TextOf(handle, 0) + " never ended");
  }
  for (const auto& [id, stream] : ledger_.streams) {
    if (stream.gone) continue;
    for (const auto& [handle, heard] : stream.handles) {
      if (heard.ends != 1) {
        ledger_.Wrong("the subscriber of " + Ledger::TextOf(ledger_.handles.at(handle), 0) + " heard no outcome");
      }
    }
  }
  if (!ledger_.calls.empty()) ledger_.Wrong("a call was never answered");
  if (!processes_.workers.empty() || !processes_.zygotes.empty()) ledger_.Wrong("a process outlives all pools");
  if (all_gone_ != shut_down_) ledger_.Wrong("nobody was told that all pools are gone");
  for (const auto& [id, stream] : ledger_.streams) {
    if (!stream.gone) core_.OnSubscriberGone(now_, id);
  }
  for (const PoolView& pool : core_.ViewPools()) CheckCounts(pool);
  if (const std::string left = peer_.Leftovers(); !left.empty()) ledger_.Wrong("left over: " + left);
}

void World::CheckCounts(const PoolView& pool) {
  const PoolStats& stats = pool.stats;
  if (stats.queued + stats.running + stats.queued_bytes + stats.kept_outcomes + stats.kept_outcome_bytes != 0) {
    ledger_.Wrong("pool " + pool.spec.name + " counts things that are not there: queued " +
                  std::to_string(stats.queued) + " running " + std::to_string(stats.running) + " queued_bytes " +
                  std::to_string(stats.queued_bytes) + " kept " + std::to_string(stats.kept_outcomes) + " kept bytes " +
                  std::to_string(stats.kept_outcome_bytes));
  }
  if (stats.submitted !=
      stats.succeeded + stats.failed + stats.crashed + stats.timed_out + stats.expired + stats.cancelled) {
    ledger_.Wrong("pool " + pool.spec.name +
                  ": what was submitted is not what ended: " + std::to_string(stats.submitted) + " = " +
                  std::to_string(stats.succeeded) + "+" + std::to_string(stats.failed) + "+" +
                  std::to_string(stats.crashed) + "+" + std::to_string(stats.timed_out) + "+" +
                  std::to_string(stats.expired) + "+" + std::to_string(stats.cancelled));
  }
  if (stats.workers_started != stats.workers_lost) ledger_.Wrong("a worker was started and never lost");
}

}  // namespace poold::core::sim
