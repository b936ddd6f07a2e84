#include "world.h"

namespace poold::core::sim {
namespace {

using testing::FakeWork;
using testing::FakeWorker;

std::uint64_t RoomOf(std::uint64_t dice) { return dice == 0 ? 20'000 : dice == 1 ? 3'000 : 1'000'000; }

Limits LimitsOf(std::uint64_t seed, bool sliced) {
  std::mt19937_64 random(seed * 7919);
  Limits limits;
  limits.max_kept_outcome_bytes = RoomOf(random() % 4);
  limits.outcome_ttl = random() % 2 == 0 ? 50 * kMillisecond : 10 * kSecond;
  limits.remembered_ids = random() % 2 == 0 ? 20 : 1'000;
  limits.max_queued_tasks = random() % 3 == 0 ? 60 : 10'000;
  if (random() % 4 == 0) limits.max_task_bytes = 40 * kTaskBytes;
  limits.max_prefetch = 2 + random() % 30;
  limits.max_pools = 3;
  limits.owner_grace = random() % 2 == 0 ? 30 * kMillisecond : 2 * kSecond;
  if (sliced) limits.slice = 2 + random() % 8;
  return limits;
}

}  // namespace

World::World(std::uint64_t seed, const CoreFaults& faults, Shape shape)
    : random_(seed),
      wide_(shape == Shape::kWide),
      limits_(LimitsOf(seed, shape == Shape::kSliced)),
      trace_(this, &processes_, &now_),
      core_(limits_, &trace_, &trace_, seed),
      peer_(&core_) {
  processes_.core = &core_;
  processes_.world = this;
  processes_.on_begin = [this](const FakeWorker& worker, const FakeWork& work, std::uint32_t item) {
    NoteBegin(worker, work, item);
  };
  processes_.on_death = [this](const FakeWorker& worker) { NoteDeath(worker); };
  peer_.Plant(faults);
  const std::uint64_t count = 1 + Any(4);
  for (std::uint64_t i = 0; i < count; ++i) {
    clients_.push_back({ClientId{i + 1}, NewStream(), /*present=*/Chance(75), /*hoards=*/Chance(30)});
    if (clients_.back().present) core_.OnClientPresent(now_, clients_.back().id);
  }
}

std::string World::Run(std::uint64_t steps) {
  OpenSomePool();
  const std::uint64_t shutdown = Chance(30) ? steps / 2 + Any(steps / 2 + 1) : steps;
  for (std::uint64_t i = 0; i < steps && ledger_.wrong.empty(); ++i) {
    i == shutdown ? ShutDown() : Step();
    Check();
  }
  if (ledger_.wrong.empty()) Quiet();
  if (ledger_.wrong.empty()) CheckEnd();
  return ledger_.wrong;
}

void World::Step() {
  if (Any(300) == 0) deadly_ = Chance(50);
  if (Any(250) == 0) ShortageComesOrGoes();
  if (Any(20) == 0) TerminateFailed();
  const std::uint64_t dice = Any(1000);
  if (dice < 465) return WorkersDo();
  if (dice < 555) return ProcessesStart();
  if (dice < 560) return ProcessDies();
  if (dice < 567) return WorkerGrows();
  if (dice < 570) return ReloadSome();
  if (dice < 690) return TimePasses(Chance(8) ? kSecond : 2 * kMillisecond);
  if (dice < 780) return SubmitSome();
  if (dice < 785) return SubmitAgain();
  if (dice < 815) return MapSome();
  if (dice < 835) return AppendToSome();
  if (dice < 863) return CancelOne();
  if (dice < 920) return ReleaseOne();
  if (dice < 935) return ConsumeSome();
  if (dice < 955) return AskForOne();
  if (dice < 959) return LookAtOne();
  if (dice < 960) return LookAtList();
  if (dice < 965) return WatchSome();
  if (dice < 973) return Reconnect();
  if (dice < 979) return OpenSomePool();
  if (dice < 982) return GoAway();
  if (dice < 985) return ResizeSome();
  if (dice < 989) return ReloadSome();
  if (dice < 994) return ClientComesOrGoes();
  if (dice < 997) return WorkerGrows();
  EndSomePool();
}

// In a wide world many of them at a time; turns are looked at after each.
void World::WorkersDo() {
  WorkerDoes();
  for (std::uint64_t more = wide_ ? Any(40) : 0; more > 0 && ledger_.wrong.empty(); --more) {
    CheckTurns();
    WorkerDoes();
  }
}

void World::ProcessesStart() {
  ProcessStarts();
  for (std::uint64_t more = wide_ ? Any(100) : 0; more > 0 && ledger_.wrong.empty(); --more) {
    CheckTurns();
    ProcessStarts();
  }
}

// ---- Choices ----

std::uint32_t World::AnyWorkers(std::uint32_t most) {
  if (wide_ && Chance(80)) return static_cast<std::uint32_t>(100 + Any(200));
  return static_cast<std::uint32_t>(1 + Any(most));
}

std::string World::AnyPool() { return "p" + std::to_string(Any(3)); }

KnownHandle* World::AnyHandle() {
  while (!live_.empty()) {
    const std::size_t place = Any(live_.size());
    KnownHandle& handle = ledger_.handles.at(live_[place]);
    if (!handle.released) return &handle;
    live_[place] = live_.back();
    live_.pop_back();
  }
  return nullptr;
}

TaskOptions World::AnyOptions() {
  TaskOptions options;
  if (Chance(30)) options.priority = static_cast<int>(Any(3)) - 1;
  if (Chance(30)) options.max_attempts = static_cast<std::uint32_t>(1 + Any(4));
  if (Chance(30)) options.retry_on = static_cast<std::uint32_t>(random_() & 0x70);
  options.retry_delay = static_cast<Nanos>(Chance(40) ? 0 : 1 + Any(20)) * kMillisecond;
  if (Chance(10)) options.queue_timeout = static_cast<Nanos>(1 + Any(40)) * kMillisecond;
  if (Chance(10)) options.run_timeout = static_cast<Nanos>(1 + Any(20)) * kMillisecond;
  if (Chance(10)) options.total_timeout = static_cast<Nanos>(1 + Any(60)) * kMillisecond;
  if (Chance(10)) options.start_delay = static_cast<Nanos>(1 + Any(20)) * kMillisecond;
  options.stream_output = Chance(20);
  options.fresh = Chance(8);
  return options;
}

Nanos World::AnyElapsed() {
  constexpr Nanos kElapsed[] = {300, 1'000, 20'000, 3 * kMillisecond};
  return kElapsed[Any(4)];
}

FakeWorker* World::AnyWorker() {
  if (processes_.workers.empty()) return nullptr;
  auto at = processes_.workers.begin();
  std::advance(at, Any(processes_.workers.size()));
  return &at->second;
}

// `pool`: that it is about.
SubscriberId World::NewCall(Nanos due, const std::string& pool) {
  const SubscriberId call{++last_call_};
  KnownCall& known = ledger_.calls[call];
  known.due = due;
  if (const Pool* of = FindPool(pool)) known.pool = of->id;
  return call;
}

SubscriberId World::NewStream() {
  const SubscriberId stream{++last_call_};
  ledger_.streams[stream] = {};
  return stream;
}

void World::Subscribed(SubscriberId stream, const KnownHandle& handle, bool from_start) {
  KnownStream& known = ledger_.streams.at(stream);
  const auto [at, added] = known.handles.try_emplace(handle.id);
  if (added) at->second.all_items = from_start;
  // Who asks when it is over is told once more.
  const Handle* const there = added ? nullptr : peer_.Find(handle.id);
  if (there != nullptr && there->ended()) at->second = {};
}

void World::ExpectToldAgain(SubscriberId stream, const KnownHandle& handle) {
  const Handle* const there = peer_.Find(handle.id);
  const auto& heard = ledger_.streams.at(stream).handles;
  const auto at = heard.find(handle.id);
  if (there == nullptr || !there->ended() || at == heard.end() || at->second.ends == 1) return;
  ledger_.Wrong("who asked for " + Ledger::TextOf(handle, 0) + " when it was over was not told");
}

// The one that has this name now.
const Pool* World::FindPool(const std::string& name) const {
  const Pool* found = nullptr;
  peer_.ForEachPool([&](const Pool& pool) {
    if (pool.spec.name == name) found = &pool;  // the newest is the last one
  });
  return found;
}

const Pool* World::FindPool(PoolId id) const {
  const Pool* found = nullptr;
  peer_.ForEachPool([&](const Pool& pool) {
    if (pool.id == id) found = &pool;
  });
  return found;
}

}  // namespace poold::core::sim
