#include "daemon.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <iterator>
#include <span>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "base/log.h"

namespace poold {
namespace {

using base::Level;

constexpr core::Nanos kLookWhileMoving = 200 * core::kMillisecond;
constexpr core::Nanos kLookWhenIdle = 10 * core::kSecond;
// After TerminateAll. It should be immediate; what is left then is killed by Dispatcher::Stop.
constexpr core::Nanos kTerminateLimit = 10 * core::kSecond;
// For clients that are just being told the last outcomes.
constexpr core::Nanos kFarewell = core::kSecond;

template <typename Value>
Value Random() {
  Value value;
  if (getrandom(&value, sizeof value, 0) != sizeof value) abort();
  return value;
}

// What of the budget is in use and lies in memory of this process: shared memory does not.
std::uint64_t OwnBytes(const base::MemoryBudget& memory) {
  const std::uint64_t all = memory.all->used();
  return all - std::min(all, memory.arenas->used());
}

std::string NewInstanceId() {
  const auto bytes = Random<std::array<char, 8>>();
  return absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
}

}  // namespace

Daemon::Daemon(config::Config config, std::shared_ptr<const base::MemoryBudget> memory)
    : config_(std::move(config)),
      memory_(std::move(memory)),
      spool_(std::make_shared<const base::Spool>(config_.spool, memory_->arenas)),
      instance_id_(NewInstanceId()),
      worker_secret_(NewInstanceId()),
      resolver_(config_),
      dispatchers_(MakeDispatchers()),
      engine_(config_.shards, &clock_),
      server_(ServerOptions(), &clock_, &engine_),
      shards_(MakeShards()) {
  engine_.OnPoolsChanged([this] { loop_.Wake(); });
  std::vector<engine::Gate*> gates;
  for (const std::unique_ptr<Shard>& shard : shards_) gates.push_back(&shard->gate);
  engine_.Attach(std::move(gates));
}

// Whatever enters the gate ends before the gate goes.
Daemon::~Daemon() {
  server_.Shutdown(kFarewell);
  for (const std::unique_ptr<process::Dispatcher>& dispatcher : dispatchers_) dispatcher->Stop();
}

// What is bounded for all pools together is divided.
core::Limits Daemon::LimitsOfShard() const {
  core::Limits limits = config_.limits;
  limits.max_kept_outcome_bytes = std::max<std::uint64_t>(1, limits.max_kept_outcome_bytes / config_.shards);
  limits.max_task_bytes = std::max<std::uint64_t>(1, limits.max_task_bytes / config_.shards);
  limits.remembered_ids = std::max<std::uint64_t>(1, limits.remembered_ids / config_.shards);
  return limits;
}

std::vector<std::unique_ptr<process::Dispatcher>> Daemon::MakeDispatchers() {
  std::vector<std::unique_ptr<process::Dispatcher>> dispatchers;
  for (std::uint32_t i = 0; i < config_.shards; ++i) {
    dispatchers.push_back(std::make_unique<process::Dispatcher>(ProcessOptions(), &clock_));
  }
  return dispatchers;
}

Daemon::Shard::Shard(Daemon* daemon, std::uint32_t index)
    : core(daemon->LimitsOfShard(), daemon->dispatchers_[index].get(), daemon->engine_.clients(index),
           Random<std::uint64_t>(), {.index = index, .count = daemon->config_.shards}),
      gate(&core, &daemon->clock_) {
  gate.AddOutbox(daemon->dispatchers_[index].get());
  gate.AddOutbox(daemon->engine_.outbox(index));
}

std::vector<std::unique_ptr<Daemon::Shard>> Daemon::MakeShards() {
  std::vector<std::unique_ptr<Shard>> shards;
  for (std::uint32_t i = 0; i < config_.shards; ++i) shards.push_back(std::make_unique<Shard>(this, i));
  return shards;
}

template <typename Event>
void Daemon::EnterAll(Event event) {
  for (const std::unique_ptr<Shard>& shard : shards_) shard->gate.Enter(event);
}

process::DispatcherOptions Daemon::ProcessOptions() const {
  process::DispatcherOptions options;
  options.cpus = config_.default_workers;
  options.pool_worker_path = config_.worker_program;
  options.limits = config_.limits;
  options.spool = spool_;
  options.worker_secret = worker_secret_;
  return options;
}

transport::ServerOptions Daemon::ServerOptions() {
  transport::ServerOptions options;
  options.instance_id = instance_id_;
  options.version = POOLD_VERSION;
  options.limits = config_.limits;
  options.default_workers = config_.default_workers;
  options.max_connections = config_.max_connections;
  options.max_connections_per_peer = config_.max_connections_per_peer;
  options.spin = core::Nanos{1000} * config_.spin_us;
  for (const auto& dispatcher : dispatchers_) options.poll_sources.push_back(dispatcher.get());
  options.spool = spool_;
  options.memory = memory_;
  // Two of the largest uploads fit, whatever the limit of a payload is.
  options.max_upload_bytes = std::max(options.max_upload_bytes, 2 * config_.limits.max_payload_bytes);
  options.allow_exec = config_.allow_exec;
  options.worker_secret = worker_secret_;
  options.allowed_environment = config_.allowed_environment;
  options.resolver = &resolver_;
  options.on_all_pools_gone = [this] {
    all_pools_gone_ = true;
    loop_.Wake();
  };
  return options;
}

absl::Status Daemon::StartProcesses() {
  const auto registry =
      process::ProcessRegistry::Make(static_cast<process::ContainmentChoice>(config_.containment), instance_id_);
  if (!registry.ok()) return registry.status();
  absl::Status status;
  for (std::size_t i = 0; i < shards_.size() && status.ok(); ++i) {
    status = dispatchers_[i]->Start(&shards_[i]->gate, *registry);
  }
  if (!status.ok()) return status;
  const process::ContainmentReport& report = (*registry)->report;
  server_.SetContainment(static_cast<api::Containment>(report.tier), report.note);
  base::Log(Level::kInfo, "containment", {{"means", process::ContainmentName(report.tier)}, {"note", report.note}});
  return status;
}

absl::Status Daemon::Listen(const std::vector<transport::ListenAddress>& addresses) {
  return server_.Start(addresses, [this] { BeThere(); });
}

// The pools are there before the first client is.
void Daemon::BeThere() {
  for (const transport::ListenAddress& address : server_.addresses()) {
    base::Log(Level::kInfo, "listening", {{"address", address.ToString()}});
  }
  for (const auto& dispatcher : dispatchers_) dispatcher->SetClientAddress(AddressForTasks());
  base::Log(Level::kInfo, "started",
            {{"version", POOLD_VERSION},
             {"instance", instance_id_},
             {"pid", getpid()},
             {"memory_budget_bytes", memory_->bytes()}});
  OpenPools();
}

// A socket of this host where there is one.
std::string Daemon::AddressForTasks() const {
  const std::vector<transport::ListenAddress> addresses = server_.addresses();
  const auto is_unix = [](const transport::ListenAddress& address) {
    return address.ToString().rfind("unix:", 0) == 0;
  };
  const auto best = std::find_if(addresses.begin(), addresses.end(), is_unix);
  return (best != addresses.end() ? *best : addresses.front()).ToString();
}

void Daemon::Run() {
  Look();
  while (!Stopped()) {
    const int signal = loop_.Next(UntilNextLook());
    if (signal != 0) OnSignal(signal);
    Look();
  }
  base::Log(Level::kInfo, "stopping", {{"all_pools_gone", all_pools_gone_ ? "true" : "false"}});
}

void Daemon::OpenPools() {
  for (const core::PoolSpec& pool : config_.pools) {
    engine_.OpenPool(pool, {}, {}, [this](const engine::Answer&) {
      ++pools_answered_;
      loop_.Wake();
    });
  }
}

void Daemon::OnSignal(int signal) {
  base::Log(Level::kInfo, "signal", {{"name", sigabbrev_np(signal)}});
  if (phase_ == Phase::kDraining) {
    Terminate();
  } else if (phase_ != Phase::kTerminating) {
    Drain();
  }
}

void Daemon::Drain() {
  phase_ = Phase::kDraining;
  phase_ends_ = clock_.Now() + std::min(config_.drain_limit, core::kNever - clock_.Now());
  base::Log(Level::kInfo, "draining", {{"limit_seconds", config_.drain_limit / core::kSecond}});
  notice_.Stopping();
  server_.SetServing(false);
  EnterAll([](core::Core& core, core::Nanos now) { core.OnShutdown(now); });
}

void Daemon::Terminate() {
  phase_ = Phase::kTerminating;
  phase_ends_ = clock_.Now() + kTerminateLimit;
  base::Log(Level::kWarning, "terminating", {});
  EnterAll([](core::Core& core, core::Nanos now) { core.OnTerminateAll(now); });
}

void Daemon::Look() {
  std::uint64_t used_bytes = OwnBytes(*memory_);
  std::vector<core::PoolView> pools;
  for (const std::unique_ptr<Shard>& shard : shards_) {
    std::vector<core::PoolView> some = shard->gate.Enter([&](core::Core& core, core::Nanos) {
      const core::MemoryUse memory = core.memory();
      used_bytes += memory.task_bytes + memory.kept_outcome_bytes;
      return core.ViewPools();
    });
    std::move(some.begin(), some.end(), std::back_inserter(pools));
  }
  pool_log_.Look(pools);
  const core::Nanos now = clock_.Now();
  until_memory_look_ = memory_return_.Look(now, used_bytes);
  if (phase_ == Phase::kStarting && pools_answered_ == config_.pools.size()) Ready();
  if (phase_ == Phase::kDraining && now >= phase_ends_) Terminate();
  if (now >= next_alive_ && notice_.alive_interval() != core::kNever) {
    notice_.Alive();
    next_alive_ = now + notice_.alive_interval();
  }
}

void Daemon::Ready() {
  phase_ = Phase::kServing;
  server_.SetServing(true);
  notice_.Ready("serving on " + server_.addresses().front().ToString());
  base::Log(Level::kInfo, "ready", {{"pools", config_.pools.size()}});
}

bool Daemon::Stopped() const {
  return all_pools_gone_ || (phase_ == Phase::kTerminating && clock_.Now() >= phase_ends_);
}

core::Nanos Daemon::UntilNextLook() const {
  const core::Nanos now = clock_.Now();
  core::Nanos wait = pool_log_.anything_moves() ? kLookWhileMoving : kLookWhenIdle;
  wait = std::min(wait, until_memory_look_);
  if (phase_ends_ != core::kNever) wait = std::min(wait, phase_ends_ - now);
  if (notice_.alive_interval() != core::kNever) wait = std::min(wait, next_alive_ - now);
  return std::max<core::Nanos>(wait, 0);
}

}  // namespace poold
