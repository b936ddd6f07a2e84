#include "process/dispatcher.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "base/log.h"
#include "process/containment/orphan_sweep.h"
#include "process/process_thread.h"
#include "process/worker_process.h"
#include "process/zygote_client.h"

namespace poold::process {
namespace {

constexpr core::Nanos kMinPoll = 4 * core::kMillisecond;
constexpr core::Nanos kMaxPoll = 64 * core::kMillisecond;
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

template <typename Object>
void AddOnce(std::vector<Object*>* list, Object* object) {
  if (std::find(list->begin(), list->end(), object) == list->end()) list->push_back(object);
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
  PollResult TakePolled();
  void RearmDoorbells();
  void Hand(const std::vector<WorkerProcess*>& heard);

  // ---- Process thread ----
  void Run();
  void OnWake();
  void Execute(Command command);
  void AfterRound();
  void ServiceAll();
  void GatherAll();
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
  std::vector<std::shared_ptr<WorkerChannel>> dirty ABSL_GUARDED_BY(outbox_mu);    // have work to be written
  std::vector<std::shared_ptr<WorkerChannel>> blocked ABSL_GUARDED_BY(outbox_mu);  // wait for a socket
  bool stop_wanted ABSL_GUARDED_BY(outbox_mu) = false;

  // When the core's timer is to ring; the process thread arms its own for it.
  std::atomic<core::Nanos> wanted_timer{core::kNever};

  // Of the process thread. Zygotes of a pool: the newest last.
  ProcessThread thread;
  std::vector<std::unique_ptr<ZygoteClient>> zygotes;
  std::map<core::WorkerId, std::unique_ptr<WorkerProcess>> workers;
  std::vector<WorkerProcess*> attended_workers;
  std::vector<ZygoteClient*> attended_zygotes;
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
  s.thread.attend = [&s](WorkerProcess* worker) { AddOnce(&s.attended_workers, worker); };
  s.thread.attend_zygote = [&s](ZygoteClient* zygote) { AddOnce(&s.attended_zygotes, zygote); };
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
  found->second->Enqueue(std::move(work));
  absl::MutexLock lock(&s.outbox_mu);
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

// From the rings alone, and only where a worker has one task and nothing else: who has more rings when it is time.
engine::PollSource::PollResult Dispatcher::State::TakePolled() {
  if (stopping) return PollResult::kNone;
  for (auto& [id, worker] : workers) {
    if (worker->channel().HasMuch()) return PollResult::kTooMuch;
  }
  std::vector<WorkerProcess*> heard;
  for (auto& [id, worker] : workers) {
    if (!worker->HasNews()) continue;
    worker->DrainRing(wire::RingReader::Bell::kNotWanted);
    heard.push_back(worker.get());
  }
  if (heard.empty()) return PollResult::kNone;
  Hand(heard);
  return PollResult::kTaken;
}

void Dispatcher::State::RearmDoorbells() {
  if (stopping) return;
  std::vector<WorkerProcess*> heard;
  for (auto& [id, worker] : workers) {
    if (!worker->doorbell_suppressed()) continue;
    worker->DrainRing();
    heard.push_back(worker.get());
  }
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
  for (auto it = zygotes.rbegin(); it != zygotes.rend(); ++it) {
    if ((*it)->pool() == pool && (*it)->generation() == generation && !(*it)->gone()) return it->get();
  }
  return nullptr;
}

void Dispatcher::State::Execute(Command command) {
  switch (command.kind) {
    case Command::Kind::kStartZygote:
      if (stopping) return;
      zygotes.push_back(
          std::make_unique<ZygoteClient>(&thread, command.pool, command.generation, std::move(command.spec)));
      zygotes.back()->Start();
      return;
    case Command::Kind::kStopZygote:
      if (ZygoteClient* zygote = ZygoteOf(command.pool, command.generation)) zygote->Stop();
      return;
    case Command::Kind::kStartWorker: {
      if (stopping) return;
      auto& worker = workers[command.worker];
      worker = std::make_unique<WorkerProcess>(&thread, command.pool, std::move(command.channel));
      worker->Start(ZygoteOf(command.pool, command.generation));
      if (worker->usage_period() != core::kNever && !usage_timer.armed()) usage_timer.Arm(kUsageTurn);
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
    for (ZygoteClient* zygote : std::exchange(attended_zygotes, {})) zygote->Service();
    for (WorkerProcess* worker : std::exchange(attended_workers, {})) {
      worker->Service();
      if (worker->channel().NeedsFlush() || worker->watches_writable()) {
        worker->WatchWritable(worker->channel().Flush());
      }
      poll_wanted |= worker->NeedsPoll();
    }
  }
  if (!thread.batch.empty()) GatherAll();
}

// Since we are awake: what lies in the rings of the others would wake us soon.
void Dispatcher::State::GatherAll() {
  for (auto& [id, worker] : workers) {
    if (worker->NeedsPoll()) worker->DrainRing();
  }
}

void Dispatcher::State::Deliver() {
  if (thread.batch.empty()) return;
  if (stopping) return thread.batch.Discard();
  gate->Enter([this](core::Core& core, core::Nanos now) {
    thread.batch.Deliver(core, now, [this](core::WorkerId worker) { channels.erase(worker); });
  });
}

void Dispatcher::State::ReapGone() {
  std::size_t buried = std::erase_if(workers, [](const auto& entry) { return entry.second->gone(); });
  for (const auto& zygote : zygotes) {
    if (!zygote->gone()) continue;
    for (auto& [id, worker] : workers) {
      if (worker->zygote() == zygote.get()) worker->ZygoteGone();
    }
  }
  buried += std::erase_if(zygotes, [](const auto& zygote) { return zygote->gone(); });
  if (buried == 0) return;
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
  for (auto& [id, worker] : workers) {
    if (worker->NeedsPoll()) thread.attend(worker.get());
  }
}

void Dispatcher::State::SampleUsage() {
  const core::Nanos now = thread.clock.Now();
  bool again = false;
  for (auto& [id, worker] : workers) {
    if (worker->usage_period() == core::kNever) continue;
    worker->SampleUsage(now);
    again = true;
  }
  if (again) usage_timer.Arm(kUsageTurn);
}

void Dispatcher::State::BeginStop() {
  stopping = true;
  for (auto& [id, worker] : workers) worker->Kill(0);
  for (auto& zygote : zygotes) zygote->Stop();
}

}  // namespace poold::process
