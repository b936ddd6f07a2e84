#include "process/dispatcher.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <optional>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "base/log.h"
#include "process/containment/child_registry.h"
#include "process/process_thread.h"
#include "process/worker_process.h"
#include "process/zygote_client.h"

namespace poold::process {
namespace {

constexpr core::Nanos kMinPoll = 4 * core::kMillisecond;
constexpr core::Nanos kMaxPoll = 64 * core::kMillisecond;
// Workers at work whose rings are looked at in one go, before they ring themselves.
constexpr std::size_t kMostPolled = 32;
// The shortest time between two looks at a worker's memory.
constexpr core::Nanos kUsageTurn = 250 * core::kMillisecond;
// After a death: how often, and after what pause, orphans among the daemon's children are reaped.
constexpr int kSweeps = 20;
constexpr core::Nanos kSweepPause = 50 * core::kMillisecond;

// What the core wants of the process thread.
struct Command {
  enum class Kind { kStartZygote, kStopZygote, kStartWorker, kKillWorker } kind;
  core::PoolId pool{};
  core::WorkerId worker{};
  std::uint32_t generation = 0;
  core::Nanos grace = 0;
  core::PoolSpec spec;
  std::shared_ptr<WorkerChannel> channel;
};

DispatcherOptions WithSpool(DispatcherOptions options) {
  if (options.spool == nullptr) options.spool = std::make_shared<const base::Spool>(base::SpoolOptions());
  return options;
}

}  // namespace

struct Dispatcher::State {
  using PollResult = engine::PollSource::PollResult;

  State(DispatcherOptions given, const base::Clock* clock)
      : options(WithSpool(std::move(given))), thread{.options = options, .clock = *clock} {}

  // ---- Any thread ----
  void Post(Command command);
  bool LowerTimer(core::Nanos next_timer);
  void Flush(core::Nanos next_timer);

  // ---- Process thread, or another one while it sleeps ----
  void Attend(WorkerProcess* worker);
  void Attend(ZygoteClient* zygote);
  void TakeActivated();
  template <typename Visit>
  void VisitActive(std::size_t most, Visit&& visit);
  PollResult TakePolled();
  void RearmDoorbells();
  void Hand(const std::vector<WorkerProcess*>& heard);

  // ---- Process thread ----
  void Run();
  void OnWake();
  void Execute(Command command);
  void AfterRound();
  void ServiceAll();
  void Service(ZygoteClient* zygote);
  void Service(WorkerProcess* worker);
  void GatherActive();
  void Deliver();
  void ReapGone();
  void ArmTick();
  void OnPollTime();
  void Sweep();
  void SampleUsage();
  void BeginStop();
  ZygoteClient* ZygoteOf(core::PoolId pool, std::uint32_t generation);

  const DispatcherOptions options;
  engine::Gate* gate = nullptr;
  std::thread runner;

  // Under the core's mutex.
  absl::flat_hash_map<core::WorkerId, std::shared_ptr<WorkerChannel>> channels;

  absl::Mutex outbox_mu;
  std::vector<Command> commands ABSL_GUARDED_BY(outbox_mu);
  std::vector<std::shared_ptr<WorkerChannel>> dirty ABSL_GUARDED_BY(outbox_mu);      // have work to be written
  std::vector<std::shared_ptr<WorkerChannel>> blocked ABSL_GUARDED_BY(outbox_mu);    // wait for a socket
  std::vector<std::shared_ptr<WorkerChannel>> activated ABSL_GUARDED_BY(outbox_mu);  // to be added to active_workers
  bool stop_wanted ABSL_GUARDED_BY(outbox_mu) = false;

  // When the core's timer is to ring; the process thread arms its own for it.
  std::atomic<core::Nanos> wanted_timer{core::kNever};

  // Of the process thread, and of another one while that sleeps. All that there are; no round walks these.
  ProcessThread thread;
  absl::flat_hash_map<std::pair<core::PoolId, std::uint32_t>, std::unique_ptr<ZygoteClient>> zygotes;
  absl::flat_hash_map<core::WorkerId, std::unique_ptr<WorkerProcess>> workers;
  // To be looked at before the next sleep, each once (marks.attended).
  std::vector<WorkerProcess*> attended_workers;
  std::vector<ZygoteClient*> attended_zygotes;
  // Have work, or output that nobody will tell of. A worker is added when its channel becomes active, and taken off by
  // the walk that finds it idle.
  std::vector<WorkerProcess*> active_workers;
  std::size_t next_active = 0;  // of these, where the next walk begins
  // Their doorbells were suppressed since RearmDoorbells, each once (marks.suppressed).
  std::vector<WorkerProcess*> suppressed_workers;
  // Of pools that have their workers' memory looked at.
  std::vector<WorkerProcess*> sampled_workers;
  // Gone since ReapGone.
  std::vector<WorkerProcess*> gone_workers;
  std::vector<ZygoteClient*> gone_zygotes;
  Effort effort;
  Timer tick_timer;
  core::Nanos tick_armed_for = core::kNever;
  Timer poll_timer;
  core::Nanos poll_delay = kMinPoll;
  bool poll_wanted = false;
  // Runs while there are workers whose memory is to be looked at.
  Timer usage_timer;
  Timer arena_timer;
  Timer sweep_timer;
  std::optional<OrphanSweep> sweep;  // from Start on
  int sweeps_left = 0;
  bool stopping = false;
};

// ---- The core's side ----

Dispatcher::Dispatcher(DispatcherOptions options, const base::Clock* clock)
    : state_(std::make_unique<State>(std::move(options), clock)) {}

Dispatcher::~Dispatcher() { Stop(); }

absl::Status Dispatcher::Start(engine::Gate* gate, std::shared_ptr<ProcessRegistry> registry) {
  State& s = *state_;
  s.gate = gate;
  s.sweep.emplace(&registry->children);
  s.thread.registry = std::move(registry);
  s.thread.attend = [&s](WorkerProcess* worker) { s.Attend(worker); };
  s.thread.attend_zygote = [&s](ZygoteClient* zygote) { s.Attend(zygote); };
  const absl::Status opened = s.thread.loop.Open([&s] { s.OnWake(); }, [&s] { s.AfterRound(); });
  if (!opened.ok()) return opened;
  s.runner = std::thread([&s] { s.Run(); });
  return absl::OkStatus();
}

void Dispatcher::SetClientAddress(std::string address) { state_->thread.client_address = std::move(address); }

void Dispatcher::Stop() {
  State& s = *state_;
  if (!s.runner.joinable()) return;
  {
    absl::MutexLock lock(&s.outbox_mu);
    s.stop_wanted = true;
  }
  s.thread.loop.Wake();
  s.runner.join();
}

void Dispatcher::StartZygote(core::PoolId pool, std::uint32_t generation, const core::PoolSpec& spec) {
  state_->Post({.kind = Command::Kind::kStartZygote, .pool = pool, .generation = generation, .spec = spec});
}

void Dispatcher::StopZygote(core::PoolId pool, std::uint32_t generation) {
  state_->Post({.kind = Command::Kind::kStopZygote, .pool = pool, .generation = generation});
}

void Dispatcher::StartWorker(core::PoolId pool, std::uint32_t generation, core::WorkerId worker) {
  auto channel = std::make_shared<WorkerChannel>(worker);
  state_->channels[worker] = channel;
  state_->Post({.kind = Command::Kind::kStartWorker,
                .pool = pool,
                .worker = worker,
                .generation = generation,
                .channel = std::move(channel)});
}

void Dispatcher::Dispatch(core::WorkerId worker, std::vector<core::Assignment> work) {
  State& s = *state_;
  const auto found = s.channels.find(worker);
  if (found == s.channels.end()) return;
  const bool activated = found->second->Enqueue(std::move(work));
  absl::MutexLock lock(&s.outbox_mu);
  if (activated) s.activated.push_back(found->second);
  if (s.dirty.empty() || s.dirty.back() != found->second) s.dirty.push_back(found->second);
}

std::uint32_t Dispatcher::TakeBack(core::WorkerId worker, core::AttemptToken token, std::uint32_t keep) {
  const auto found = state_->channels.find(worker);
  return found == state_->channels.end() ? 0 : found->second->TakeBack(token, keep);
}

void Dispatcher::StopWorker(core::WorkerId worker) {
  State& s = *state_;
  const auto found = s.channels.find(worker);
  if (found == s.channels.end()) return;
  found->second->RequestStop();
  absl::MutexLock lock(&s.outbox_mu);
  s.dirty.push_back(found->second);
}

void Dispatcher::KillWorker(core::WorkerId worker, core::Nanos grace) {
  state_->Post({.kind = Command::Kind::kKillWorker, .worker = worker, .grace = grace});
}

void Dispatcher::Flush(core::Nanos next_timer) { state_->Flush(next_timer); }

engine::PollSource::PollResult Dispatcher::Poll() {
  PollResult result = PollResult::kNone;
  // The process thread is at work: there is more than one small task.
  if (!state_->thread.loop.TryWhileAsleep([&] { result = state_->TakePolled(); })) return PollResult::kTooMuch;
  return result;
}

void Dispatcher::Rearm() {
  state_->thread.loop.WhileAsleep([this] { state_->RearmDoorbells(); });
}

Dispatcher::Effort Dispatcher::effort() {
  Effort effort;
  state_->thread.loop.WhileAsleep([&] { effort = state_->effort; });
  return effort;
}

// ---- Any thread ----

void Dispatcher::State::Post(Command command) {
  absl::MutexLock lock(&outbox_mu);
  commands.push_back(std::move(command));
}

bool Dispatcher::State::LowerTimer(core::Nanos next_timer) {
  core::Nanos wanted = wanted_timer.load(std::memory_order_acquire);
  while (next_timer < wanted) {
    if (wanted_timer.compare_exchange_weak(wanted, next_timer, std::memory_order_acq_rel)) return true;
  }
  return false;
}

void Dispatcher::State::Flush(core::Nanos next_timer) {
  std::vector<std::shared_ptr<WorkerChannel>> now;
  bool wake;
  {
    absl::MutexLock lock(&outbox_mu);
    now.swap(dirty);
    wake = !commands.empty();
  }
  for (auto& channel : now) {
    if (!channel->Flush()) continue;
    wake = true;
    absl::MutexLock lock(&outbox_mu);
    blocked.push_back(std::move(channel));
  }
  wake |= LowerTimer(next_timer);
  if (wake) thread.loop.Wake();
}

// ---- The process thread, or another one while it sleeps ----

void Dispatcher::State::Attend(WorkerProcess* worker) {
  if (!std::exchange(worker->marks.attended, true)) attended_workers.push_back(worker);
}

void Dispatcher::State::Attend(ZygoteClient* zygote) {
  if (!std::exchange(zygote->attended, true)) attended_zygotes.push_back(zygote);
}

void Dispatcher::State::TakeActivated() {
  absl::MutexLock lock(&outbox_mu);
  for (const auto& channel : activated) {
    const auto found = workers.find(channel->id());
    if (found != workers.end()) active_workers.push_back(found->second.get());
  }
  activated.clear();
}

// Calls it with up to `most` active workers and their loads, until it returns false: others each time, in turns. Those
// that are found idle are taken off.
template <typename Visit>
void Dispatcher::State::VisitActive(std::size_t most, Visit&& visit) {
  TakeActivated();
  for (std::size_t left = std::min(most, active_workers.size()); left > 0; --left) {
    if (next_active >= active_workers.size()) next_active = 0;
    WorkerProcess* const worker = active_workers[next_active];
    ++effort.visits;
    const bool resting = worker->HasRestingOutput();
    const WorkerChannel::Load load = worker->channel().TakeLoad(/*leave_if_idle=*/!resting);
    if (load == WorkerChannel::Load::kNone && !resting) {
      active_workers[next_active] = active_workers.back();
      active_workers.pop_back();
      continue;
    }
    if (!visit(worker, load)) return;
    ++next_active;
  }
}

// From the rings alone, and only where a worker has one task and nothing else: who has more rings when it is time.
engine::PollSource::PollResult Dispatcher::State::TakePolled() {
  if (stopping) return PollResult::kNone;
  ++effort.rounds;
  bool much = false;
  VisitActive(kMostPolled, [&](WorkerProcess*, WorkerChannel::Load load) {
    much = load == WorkerChannel::Load::kMuch;
    return !much;
  });
  if (much || active_workers.size() > kMostPolled) return PollResult::kTooMuch;
  std::vector<WorkerProcess*> heard;
  for (WorkerProcess* worker : active_workers) {
    if (!worker->HasUnread()) continue;
    worker->DrainRing(wire::RingReader::Bell::kNotWanted);
    heard.push_back(worker);
    if (!std::exchange(worker->marks.suppressed, true)) suppressed_workers.push_back(worker);
  }
  if (heard.empty()) return PollResult::kNone;
  Hand(heard);
  return PollResult::kTaken;
}

void Dispatcher::State::RearmDoorbells() {
  if (stopping) return;
  ++effort.rounds;
  std::vector<WorkerProcess*> heard;
  for (WorkerProcess* worker : suppressed_workers) {
    ++effort.visits;
    worker->marks.suppressed = false;
    if (!worker->doorbell_suppressed()) continue;
    worker->DrainRing();
    heard.push_back(worker);
  }
  suppressed_workers.clear();
  Hand(heard);
}

// Where that is not all that is to be done, the process thread does the rest.
void Dispatcher::State::Hand(const std::vector<WorkerProcess*>& heard) {
  Deliver();
  for (WorkerProcess* worker : heard) {
    if (worker->channel().NeedsFlush() || worker->channel().StopSent()) thread.attend(worker);
  }
  if (!attended_workers.empty()) thread.loop.Wake();
}

// ---- The process thread ----

void Dispatcher::State::Run() {
  pthread_setname_np(pthread_self(), "poold-process");
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  tick_timer.Open(thread.loop, [this] {
    // Whoever lowers it from here on rings again.
    wanted_timer.store(core::kNever, std::memory_order_release);
    tick_armed_for = core::kNever;
    thread.batch.AddTick();
  });
  poll_timer.Open(thread.loop, [this] { OnPollTime(); });
  sweep_timer.Open(thread.loop, [this] { Sweep(); });
  usage_timer.Open(thread.loop, [this] { SampleUsage(); });
  arena_timer.Open(thread.loop, [this] { arena_timer.Arm(options.spool->TendArenas(thread.clock.Now())); });
  arena_timer.Arm(0);
  thread.loop.Run();
  arena_timer.Stop();
  tick_timer.Stop();
  poll_timer.Stop();
  sweep_timer.Stop();
  usage_timer.Stop();
}

void Dispatcher::State::OnWake() {
  std::vector<Command> todo;
  std::vector<std::shared_ptr<WorkerChannel>> waiting;
  bool stop;
  {
    absl::MutexLock lock(&outbox_mu);
    todo.swap(commands);
    waiting.swap(blocked);
    stop = stop_wanted;
  }
  for (Command& command : todo) Execute(std::move(command));
  for (const auto& channel : waiting) {
    const auto found = workers.find(channel->id());
    if (found != workers.end()) found->second->WatchWritable(true);
  }
  ArmTick();
  if (stop && !stopping) BeginStop();
}

void Dispatcher::State::ArmTick() {
  const core::Nanos wanted = wanted_timer.load(std::memory_order_acquire);
  if (wanted == core::kNever || wanted == tick_armed_for) return;
  tick_armed_for = wanted;
  tick_timer.Arm(wanted - thread.clock.Now());
}

ZygoteClient* Dispatcher::State::ZygoteOf(core::PoolId pool, std::uint32_t generation) {
  const auto found = zygotes.find({pool, generation});
  return found == zygotes.end() || found->second->gone() ? nullptr : found->second.get();
}

void Dispatcher::State::Execute(Command command) {
  switch (command.kind) {
    case Command::Kind::kStartZygote: {
      if (stopping) return;
      auto& zygote = zygotes[{command.pool, command.generation}];
      zygote = std::make_unique<ZygoteClient>(&thread, command.pool, command.generation, std::move(command.spec));
      zygote->Start();
      if (zygote->gone()) gone_zygotes.push_back(zygote.get());
      return;
    }
    case Command::Kind::kStopZygote:
      if (ZygoteClient* zygote = ZygoteOf(command.pool, command.generation)) zygote->Stop();
      return;
    case Command::Kind::kStartWorker: {
      if (stopping) return;
      auto& worker = workers[command.worker];
      worker = std::make_unique<WorkerProcess>(&thread, command.pool, std::move(command.channel));
      worker->Start(ZygoteOf(command.pool, command.generation));
      if (worker->usage_period() == core::kNever) return;
      sampled_workers.push_back(worker.get());
      if (!usage_timer.armed()) usage_timer.Arm(kUsageTurn);
      return;
    }
    case Command::Kind::kKillWorker: {
      const auto found = workers.find(command.worker);
      if (found != workers.end()) found->second->Kill(command.grace);
      return;
    }
  }
}

void Dispatcher::State::AfterRound() {
  ++effort.rounds;
  ServiceAll();
  if (!thread.batch.empty()) poll_delay = kMinPoll;
  Deliver();
  ReapGone();
  if (std::exchange(poll_wanted, false) && !poll_timer.armed()) poll_timer.Arm(poll_delay);
  if (stopping && workers.empty() && zygotes.empty()) thread.loop.Quit();
}

void Dispatcher::State::ServiceAll() {
  // Zygotes first: they may have something to say about workers.
  while (!attended_zygotes.empty() || !attended_workers.empty()) {
    for (ZygoteClient* zygote : std::exchange(attended_zygotes, {})) Service(zygote);
    for (WorkerProcess* worker : std::exchange(attended_workers, {})) Service(worker);
  }
  if (!thread.batch.empty()) GatherActive();
}

void Dispatcher::State::Service(ZygoteClient* zygote) {
  ++effort.visits;
  zygote->attended = false;
  if (zygote->gone()) return;
  zygote->Service();
  if (zygote->gone()) gone_zygotes.push_back(zygote);
}

void Dispatcher::State::Service(WorkerProcess* worker) {
  ++effort.visits;
  worker->marks.attended = false;
  if (worker->gone()) return;
  worker->Service();
  if (worker->gone()) return gone_workers.push_back(worker);
  if (worker->channel().NeedsFlush() || worker->watches_writable()) {
    worker->WatchWritable(worker->channel().Flush());
  }
  if (!worker->NeedsPoll()) return;
  poll_wanted = true;
  if (worker->HasRestingOutput() && worker->channel().BecomeActive()) active_workers.push_back(worker);
}

// Since we are awake: what lies in the rings of the others would wake us soon. Of many, some: the others ring.
void Dispatcher::State::GatherActive() {
  VisitActive(kMostPolled, [](WorkerProcess* worker, WorkerChannel::Load) {
    if (!worker->gone() && worker->HasUnread()) worker->DrainRing();
    return true;
  });
}

void Dispatcher::State::Deliver() {
  if (thread.batch.empty()) return;
  if (stopping) return thread.batch.Discard();
  gate->Enter([this](core::Core& core, core::Nanos now) {
    thread.batch.Deliver(core, now, [this](core::WorkerId worker) { channels.erase(worker); });
  });
  thread.batch.Clear();
}

void Dispatcher::State::ReapGone() {
  if (gone_workers.empty() && gone_zygotes.empty()) return;
  if (!gone_workers.empty()) {
    for (auto* list : {&attended_workers, &active_workers, &suppressed_workers, &sampled_workers}) {
      std::erase_if(*list, [](const WorkerProcess* worker) { return worker->gone(); });
    }
  }
  for (const WorkerProcess* worker : std::exchange(gone_workers, {})) workers.erase(worker->id());
  for (const ZygoteClient* zygote : std::exchange(gone_zygotes, {})) {
    zygotes.erase({zygote->pool(), zygote->generation()});
  }
  sweeps_left = kSweeps;
  sweep->Restart();
  if (!sweep_timer.armed()) sweep_timer.Arm(kSweepPause);
}

// A clone whose zygote died before it could tell, or what a hostile task made the daemon's child: somebody must reap
// it.
void Dispatcher::State::Sweep() {
  const Swept swept = sweep->Go(false);
  // A sweep that had to wait for a pending child is none: else it would never get its turn where workers are born all
  // the time.
  if (swept == Swept::kSome) --sweeps_left;
  if (swept != Swept::kClean && sweeps_left > 0) sweep_timer.Arm(kSweepPause);
}

void Dispatcher::State::OnPollTime() {
  poll_delay = std::min(poll_delay * 2, kMaxPoll);
  ++effort.polls;
  VisitActive(std::numeric_limits<std::size_t>::max(), [this](WorkerProcess* worker, WorkerChannel::Load) {
    if (worker->NeedsPoll()) Attend(worker);
    return true;
  });
}

void Dispatcher::State::SampleUsage() {
  const core::Nanos now = thread.clock.Now();
  for (WorkerProcess* worker : sampled_workers) worker->SampleUsage(now);
  effort.visits += sampled_workers.size();
  if (!sampled_workers.empty()) usage_timer.Arm(kUsageTurn);
}

void Dispatcher::State::BeginStop() {
  stopping = true;
  for (auto& [id, worker] : workers) worker->Kill(0);
  for (auto& [key, zygote] : zygotes) zygote->Stop();
}

}  // namespace poold::process
