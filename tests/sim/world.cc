#include "world.h"

#include <algorithm>

namespace poold::core::sim {
namespace {

using testing::FakeWork;
using testing::FakeWorker;

Limits LimitsOf(std::uint64_t seed) {
  std::mt19937_64 random(seed * 7919);
  Limits limits;
  limits.max_kept_outcome_bytes = random() % 3 == 0 ? 20'000 : 1'000'000;
  limits.outcome_ttl = random() % 2 == 0 ? 50 * kMillisecond : 10 * kSecond;
  limits.remembered_ids = random() % 2 == 0 ? 20 : 1'000;
  limits.max_queued_tasks = random() % 3 == 0 ? 60 : 10'000;
  limits.max_prefetch = 2 + random() % 30;
  limits.max_pools = 3;
  return limits;
}

}  // namespace

World::World(std::uint64_t seed, const CoreFaults& faults)
    : random_(seed), limits_(LimitsOf(seed)), core_(limits_, &processes_, this, seed), peer_(&core_) {
  processes_.core = &core_;
  processes_.world = this;
  processes_.on_begin = [this](const FakeWorker&, const FakeWork& work, std::uint32_t item) { NoteBegin(work, item); };
  processes_.on_death = [this](const FakeWorker& worker) { NoteStop(worker); };
  peer_.Plant(faults);
  const std::uint64_t count = 1 + Any(4);
  for (std::uint64_t i = 0; i < count; ++i) clients_.push_back({ClientId{i + 1}, NewStream()});
}

std::string World::Run(std::uint64_t steps) {
  OpenSomePool();
  for (std::uint64_t i = 0; i < steps && ledger_.wrong.empty(); ++i) {
    Step();
    Check();
  }
  if (ledger_.wrong.empty()) Quiet();
  if (ledger_.wrong.empty()) CheckEnd();
  return ledger_.wrong;
}

void World::Step() {
  const std::uint64_t dice = Any(1000);
  if (dice < 500) return WorkerDoes();
  if (dice < 570) return ProcessStarts();
  if (dice < 575) return ProcessDies();
  if (dice < 700) return TimePasses(Chance(5) ? kSecond : 2 * kMillisecond);
  if (dice < 800) return SubmitSome();
  if (dice < 825) return MapSome();
  if (dice < 845) return AppendToSome();
  if (dice < 875) return CancelOne();
  if (dice < 935) return ReleaseOne();
  if (dice < 950) return ConsumeSome();
  if (dice < 975) return AskForOne();
  if (dice < 980) return WatchSome();
  if (dice < 988) return Reconnect();
  if (dice < 994) return OpenSomePool();
  if (dice < 997) return GoAway();
  EndSomePool();
}

// ---- Choices ----

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
  options.retry_delay = static_cast<Nanos>(1 + Any(20)) * kMillisecond;
  if (Chance(10)) options.queue_timeout = static_cast<Nanos>(1 + Any(40)) * kMillisecond;
  if (Chance(10)) options.run_timeout = static_cast<Nanos>(1 + Any(20)) * kMillisecond;
  if (Chance(10)) options.total_timeout = static_cast<Nanos>(1 + Any(60)) * kMillisecond;
  if (Chance(10)) options.start_delay = static_cast<Nanos>(1 + Any(20)) * kMillisecond;
  options.stream_output = Chance(20);
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

SubscriberId World::NewCall(Nanos due) {
  const SubscriberId call{++last_call_};
  calls_[call] = {due};
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
}

// ---- Clients ----

void World::OpenSomePool() {
  PoolSpec spec;
  spec.name = AnyPool();
  spec.workers = static_cast<std::uint32_t>(1 + Any(3));
  if (Chance(25)) spec.max_tasks_per_worker = static_cast<std::uint32_t>(1 + Any(5));
  spec.stop_grace = Chance(50) ? 0 : 20 * kMillisecond;
  core_.OnOpenPool(now_, NewCall(kNever), spec);
}

void World::EndSomePool() {
  const std::string pool = AnyPool();
  if (Chance(50)) {
    (void)core_.OnClose(now_, pool);
  } else {
    core_.OnTerminate(now_, NewCall(kNever), pool);
  }
  if (Chance(50)) core_.OnJoin(now_, NewCall(now_ + 20 * kMillisecond), pool, 20 * kMillisecond);
}

void World::SubmitSome() {
  Client& client = AnyClient();
  const std::string pool = AnyPool();
  const auto options = std::make_shared<TaskOptions>(AnyOptions());
  std::vector<NewTask> tasks;
  const std::uint64_t count = Chance(20) ? 1 + Any(40) : 1 + Any(4);
  for (std::uint64_t i = 0; i < count; ++i) {
    const HandleId id{1, ++last_task_};
    KnownHandle& known = ledger_.handles[id];
    known = {id, false, pool, client.id, *options, {{}}, true};
    tasks.push_back({id, {Encoding::kRaw, nullptr, Bytes(Ledger::TextOf(known, 0))}});
    Subscribed(client.stream, known, true);
    live_.push_back(id);
  }
  const auto before = core_.ViewPool(pool);
  std::vector<Refusal> refused;
  const char* function = Chance(3) ? "unknown" : Chance(50) ? "f" : "g";
  core_.OnSubmit(now_, {client.id, client.stream, pool, function, options}, tasks, &refused);
  for (const Refusal& refusal : refused) {
    ledger_.handles.erase(refusal.id);
    ledger_.streams.at(client.stream).handles.erase(refusal.id);
    std::erase(live_, refusal.id);
  }
  const std::uint64_t taken = count - refused.size();
  if (taken > 0 && before->stats.queued + taken > limits_.max_queued_tasks) {
    ledger_.Wrong("more tasks were taken than the queue may hold");
  }
}

void World::MapSome() {
  const HandleId id{2, ++last_map_};
  Client& client = AnyClient();
  KnownHandle known{id, true, AnyPool(), client.id, AnyOptions()};
  MapGroup group;
  group.client = client.id;
  group.subscriber = client.stream;
  group.pool = known.pool;
  group.function = "h";
  group.options = std::make_shared<TaskOptions>(known.options);
  group.id = id;
  group.complete = Chance(60);
  group.chunk_size = Chance(30) ? static_cast<std::uint32_t>(1 + Any(10)) : 0;
  group.fail_fast = Chance(20);
  auto column = std::make_shared<ItemColumn>();
  std::string data;
  const std::uint64_t count = Any(60);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string text = Ledger::TextOf(known, i);
    column->lengths.push_back(static_cast<std::uint32_t>(text.size()));
    data += text;
  }
  column->data = Bytes(data);
  group.items = column;
  known.complete = group.complete;
  known.items.resize(count);
  ledger_.handles[id] = known;
  Subscribed(client.stream, known, true);
  if (!core_.OnMap(now_, group).ok()) {
    ledger_.handles.erase(id);
    ledger_.streams.at(client.stream).handles.erase(id);
    return;
  }
  live_.push_back(id);
}

void World::AppendToSome() {
  KnownHandle* known = AnyHandle();
  if (known == nullptr || !known->is_map || known->complete) return;
  MapGroup group;
  group.client = known->client;
  group.pool = known->pool;
  group.function = "h";
  group.options = std::make_shared<TaskOptions>(known->options);
  group.id = known->id;
  // Some of it the daemon has already.
  group.first_index = known->items.size() - std::min<std::uint64_t>(known->items.size(), Any(4));
  group.complete = Chance(50);
  auto column = std::make_shared<ItemColumn>();
  std::string data;
  const std::uint64_t end = known->items.size() + Any(20);
  for (std::uint64_t i = group.first_index; i < end; ++i) {
    const std::string text = Ledger::TextOf(*known, i);
    column->lengths.push_back(static_cast<std::uint32_t>(text.size()));
    data += text;
  }
  column->data = Bytes(data);
  group.items = column;
  const std::size_t had = known->items.size();
  known->items.resize(std::max<std::uint64_t>(had, end));
  const HandleId id = known->id;
  const auto taken = core_.OnMap(now_, group);
  known = &ledger_.handles.at(id);
  if (!taken.ok()) {
    known->items.resize(had);
  } else {
    known->complete |= group.complete;
  }
}

void World::CancelOne() {
  KnownHandle* handle = AnyHandle();
  if (handle == nullptr) return;
  const HandleId id = handle->id;
  const absl::StatusOr<bool> cancelled = core_.OnCancel(now_, id, Chance(50));
  if (!cancelled.ok() && peer_.Find(id) != nullptr) ledger_.Wrong("a cancel of a known handle failed");
}

void World::ReleaseOne() {
  KnownHandle* handle = AnyHandle();
  if (handle == nullptr || (!handle->ended && !Chance(10))) return;
  handle->released = true;
  core_.OnRelease(now_, handle->id);
}

void World::ConsumeSome() {
  KnownHandle* handle = AnyHandle();
  if (handle == nullptr || !handle->is_map || handle->items.empty()) return;
  const std::uint64_t first = Any(handle->items.size());
  // Only what ended can have been seen.
  std::uint64_t count = 0;
  while (first + count < handle->items.size() && handle->items[first + count].final_state != TaskState::kUnspecified) {
    ++count;
  }
  core_.OnConsumed(now_, handle->id, first, count);
}

void World::AskForOne() {
  KnownHandle* handle = AnyHandle();
  if (handle == nullptr) return;
  const Nanos wait = Chance(20) ? 0 : static_cast<Nanos>(Any(30)) * kMillisecond;
  if (Chance(50)) return core_.OnGet(now_, NewCall(now_ + wait), handle->id, wait);
  std::vector<HandleId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(AnyHandle()->id);
  core_.OnWait(now_, NewCall(now_ + wait), ids, static_cast<WaitMode>(1 + Any(3)), wait);
}

void World::WatchSome() {
  const SubscriberId call{++last_call_};
  watches_[call] = false;
  absl::Status status = absl::OkStatus();
  if (Chance(50)) {
    status = core_.OnWatch(now_, call, {}, AnyPool(), Chance(50));
  } else if (KnownHandle* handle = AnyHandle()) {
    const HandleId ids[] = {handle->id, AnyHandle()->id};
    status = core_.OnWatch(now_, call, ids, "", true);
  } else {
    status = absl::NotFoundError("");
  }
  if (!status.ok()) watches_.erase(call);
}

// A client loses its stream and comes back: it subscribes to what it has not seen.
void World::Reconnect() {
  Client& client = AnyClient();
  KnownStream& old = ledger_.streams.at(client.stream);
  old.gone = true;
  core_.OnSubscriberGone(now_, client.stream);
  const SubscriberId stream = NewStream();
  for (const auto& [id, heard] : ledger_.streams.at(client.stream).handles) {
    if (heard.ends > 0 || ledger_.handles.at(id).released) continue;
    Subscribed(stream, ledger_.handles.at(id), false);
    if (!core_.OnSubscribe(now_, stream, id).ok()) ledger_.streams.at(stream).handles.erase(id);
    if (Chance(20)) (void)core_.OnSubscribe(now_, stream, id);  // twice is not heard twice
  }
  client.stream = stream;
}

// A call or a watch is given up.
void World::GoAway() {
  if (Chance(50) && !calls_.empty()) {
    const SubscriberId call = calls_.begin()->first;
    calls_.erase(call);
    core_.OnSubscriberGone(now_, call);
  } else if (!watches_.empty()) {
    const SubscriberId call = watches_.begin()->first;
    watches_.erase(call);
    core_.OnSubscriberGone(now_, call);
  }
}

// ---- Processes ----

void World::Processes::Dispatch(WorkerId id, std::vector<Assignment> work) {
  world->NoteDispatch(workers.at(id), work);
  FakeProcesses::Dispatch(id, std::move(work));
}

void World::WorkerDoes() {
  FakeWorker* worker = AnyWorker();
  if (worker == nullptr || !worker->ready) return;
  const WorkerId id = worker->id;
  if (worker->running()) {
    if (Chance(20)) SpeakFrom(*worker);
    if (Chance(60)) {
      NoteStop(*worker);
      processes_.End(*worker, Chance(85), AnyElapsed());
      if (Chance(50)) processes_.Begin(*worker);  // it does not wait for us
    }
  } else {
    processes_.Begin(*worker);
  }
  if (Chance(60)) processes_.Deliver(now_, id);
  const auto at = processes_.workers.find(id);
  if (at == processes_.workers.end()) return;
  const bool goes = at->second.killed ? Chance(50) : at->second.stopping && at->second.work.empty();
  if (goes || Chance(2)) {
    processes_.Die(now_, id, goes ? 15 : Chance(50) ? 11 : 9);
  }
}

void World::SpeakFrom(FakeWorker& worker) {
  core_.OnOutput(now_, worker.id, worker.work.front().what.token, OutputStream::kStdout, Bytes(std::string("hello\n")));
}

void World::ProcessStarts() {
  for (auto& [pool, zygote] : processes_.zygotes) {
    if (zygote.stopping) return processes_.ZygoteDies(now_, pool, "");
    if (zygote.ready) continue;
    return Chance(95) ? processes_.ZygoteReady(now_, pool) : processes_.ZygoteDies(now_, pool, "bad module");
  }
  for (auto& [id, worker] : processes_.workers) {
    if (worker.ready) continue;
    if (worker.killed || Chance(10)) return processes_.Die(now_, id, 6, worker.killed ? "" : "bad initializer");
    worker.uses_page = Chance(90);
    return processes_.WorkerReady(now_, id);
  }
}

void World::ProcessDies() {
  if (Chance(30) && !processes_.zygotes.empty()) {
    return processes_.ZygoteDies(now_, processes_.zygotes.begin()->first, "killed");
  }
  if (FakeWorker* worker = AnyWorker()) {
    processes_.Die(now_, worker->id, 9);
  }
}

void World::TimePasses(Nanos most) {
  const Nanos end = now_ + static_cast<Nanos>(Any(static_cast<std::uint64_t>(most)));
  while (core_.NextTimer() <= end && ledger_.wrong.empty()) {
    now_ = std::max(now_, core_.NextTimer() + (Chance(10) ? 1000 : 0));  // sometimes late
    core_.OnTick(now_);
    if (core_.NextTimer() <= now_) ledger_.Wrong("NextTimer says something is due that OnTick did not do");
  }
  now_ = std::max(now_, end);
  const std::uint64_t heard = heard_;
  core_.OnTick(now_);  // early: nothing is due
  if (heard != heard_) ledger_.Wrong("a tick before NextTimer did something");
}

// ---- The end: nothing new comes, everything that is under way goes well ----

void World::Quiet() {
  for (auto& [id, handle] : ledger_.handles) {
    if (!handle.is_map || handle.ended || handle.complete) continue;
    if (handle.released) continue;  // nobody can name it: it ends when its pool does
    MapGroup group;
    group.client = handle.client;
    group.pool = handle.pool;
    group.function = "h";
    group.options = std::make_shared<TaskOptions>(handle.options);
    group.id = id;
    group.first_index = handle.items.size();
    group.complete = true;
    if (core_.OnMap(now_, group).ok()) handle.complete = true;
    Check();
  }
  for (int idle = 0, i = 0; idle < 50 && ledger_.wrong.empty(); ++i) {
    if (i > 200'000) return ledger_.Wrong("the world does not quiet down");
    idle = QuietOnce() ? 0 : idle + 1;
    Check();
    if (idle == 25) {
      for (const char* pool : {"p0", "p1", "p2"}) (void)core_.OnClose(now_, pool);
    }
  }
}

bool World::QuietOnce() {
  for (auto& [pool, zygote] : processes_.zygotes) {
    if (zygote.stopping) return processes_.ZygoteDies(now_, pool, ""), true;
    if (!zygote.ready) return processes_.ZygoteReady(now_, pool), true;
  }
  for (auto& [id, worker] : processes_.workers) {
    if (worker.killed || (worker.stopping && worker.work.empty())) {
      return processes_.Die(now_, id, worker.killed ? 9 : 0), true;
    }
    if (!worker.ready) return processes_.WorkerReady(now_, id), true;
    if (!worker.ring.empty()) return processes_.Deliver(now_, id), true;
    if (worker.work.empty()) continue;
    if (!worker.running()) processes_.Begin(worker);
    NoteStop(worker);
    processes_.End(worker, true, 1'000);
    return true;
  }
  for (auto& [id, handle] : ledger_.handles) {
    if (!handle.ended || handle.released) continue;
    handle.released = true;
    core_.OnRelease(now_, id);
    return true;
  }
  if (!peer_.HasRoom()) {  // whoever runs a map larger than the room has to take its outcomes
    for (const auto& [id, handle] : ledger_.handles) {
      if (handle.is_map) core_.OnConsumed(now_, id, 0, handle.items.size());
    }
    if (!peer_.HasRoom()) return false;
    return true;
  }
  if (core_.NextTimer() == kNever) return false;
  now_ = std::max(now_, core_.NextTimer());
  core_.OnTick(now_);
  return true;
}

}  // namespace poold::core::sim
