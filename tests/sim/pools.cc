// Pools come, change and go, and so do their owners.
#include "world.h"

namespace poold::core::sim {

PoolSpec World::AnySpec() {
  PoolSpec spec;
  spec.name = AnyPool();
  spec.workers = AnyWorkers(4);
  spec.stop_grace = Chance(50) ? 0 : 20 * kMillisecond;
  if (Chance(15)) {
    spec.start_method = StartMethod::kFresh;
    spec.spares = static_cast<std::uint32_t>(Any(3));
  }
  if (Chance(20)) spec.max_tasks_per_worker = static_cast<std::uint32_t>(1 + Any(5));
  if (Chance(20)) spec.max_worker_rss_bytes = 1000;
  if (Chance(20)) spec.max_worker_age = static_cast<Nanos>(5 + Any(100)) * kMillisecond;
  if (Chance(20)) spec.memory_limit_bytes = 2000;
  if (Chance(10)) spec.death_policy = DeathPolicy::kStrict;
  if (Chance(10)) spec.max_queued_tasks = 1 + Any(40);
  if (Chance(5)) spec.max_queued_bytes = 1 + Any(200);
  spec.on_owner_lost = static_cast<OwnerLost>(1 + Any(3));
  return spec;
}

void World::OpenSomePool() {
  PoolSpec spec = AnySpec();
  const Client& client = AnyClient();
  // Somebody opens the pool that is there.
  const auto there = ledger_.pools.empty() ? ledger_.pools.end() : std::prev(ledger_.pools.end());
  if (Chance(40) && there != ledger_.pools.end()) spec = there->second.spec;
  const ClientId owner = client.present && Chance(70) ? client.id : ClientId{};
  const SubscriberId call = NewCall(kNever);
  open_refused_ = false;
  core_.OnOpenPool(now_, call, spec, owner);
  if (const Pool* pool = FindPool(spec.name); pool != nullptr && ledger_.calls.contains(call)) {
    ledger_.calls.at(call).pool = pool->id;
  }
  if (open_refused_) return;
  if (shut_down_) ledger_.Wrong("a pool was opened after the shutdown began");
  NoteOpened(spec, owner);
}

void World::EndSomePool() {
  const std::string pool = AnyPool();
  if (Chance(50)) {
    ClosePool(pool, Chance(40));
  } else {
    if (const Pool* known = FindPool(pool)) ledger_.pools.at(known->id).terminate_asked = true;
    const Nanos grace = Chance(50) ? 0 : 30 * kMillisecond;
    Bounded("a terminate", 0, [&] { core_.OnTerminate(now_, NewCall(kNever, pool), pool, grace); });
    if (Chance(20)) core_.OnTerminate(now_, NewCall(kNever, pool), pool, Chance(50) ? 0 : 10 * kMillisecond);
  }
  if (Chance(50)) core_.OnJoin(now_, NewCall(now_ + 20 * kMillisecond, pool), pool, 20 * kMillisecond);
}

// While it has processes still, which is seldom seen.
void World::TerminateFailed() {
  std::string failed;
  peer_.ForEachPool([&](const Pool& pool) {
    if (pool.state == PoolState::kFailed && pool.has_processes()) failed = pool.spec.name;
  });
  if (failed.empty()) return;
  if (const Pool* known = FindPool(failed)) ledger_.pools.at(known->id).terminate_asked = true;
  core_.OnTerminate(now_, NewCall(kNever, failed), failed, 0);
}

void World::ClosePool(const std::string& name, bool cancel_queued) {
  const Pool* pool = FindPool(name);
  if (pool != nullptr) {
    ledger_.pools.at(pool->id).close_asked = true;
    ledger_.pools.at(pool->id).cancel_asked |= cancel_queued;
  }
  const SubscriberId call = NewCall(kNever, name);
  KnownCall& known = ledger_.calls.at(call);
  known.cancels = cancel_queued;
  known.unfinished = pool == nullptr ? 0 : pool->unfinished;
  Bounded("a close", 0, [&] { core_.OnClose(now_, call, name, cancel_queued); });
}

void World::ResizeSome() {
  const std::string pool = AnyPool();
  const std::uint32_t workers = Chance(5) ? 0 : Chance(5) ? 100'000 : AnyWorkers(5);
  const absl::StatusOr<PoolView> resized = core_.OnResize(now_, pool, workers);
  if (!resized.ok()) return;
  if (workers == 0 || workers == 100'000) ledger_.Wrong("a pool has an impossible number of workers");
  if (resized->spec.workers != workers) ledger_.Wrong("a pool was resized, and is not");
}

void World::ReloadSome() {
  const std::string pool = AnyPool();
  core_.OnReload(now_, NewCall(kNever, pool), pool);
}

void World::ClientComesOrGoes() {
  Client& client = AnyClient();
  client.present = !client.present;
  somebody_came_ = true;
  if (client.present) {
    core_.OnClientPresent(now_, client.id);
  } else {
    core_.OnClientAbsent(now_, client.id);
  }
  NotePresence(client);
}

void World::ShutDown() {
  shut_down_ = true;
  for (auto& [id, known] : ledger_.pools) known.close_asked = true;
  somebody_came_ = true;
  core_.OnShutdown(now_);
  if (!Chance(30)) return;
  for (auto& [id, known] : ledger_.pools) known.terminate_asked = true;
  core_.OnTerminateAll(now_);
}

}  // namespace poold::core::sim
