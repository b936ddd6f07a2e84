// Daemon: the wiring of poold: every component as a member, in the order in which they come up. They go down in the
// reverse order.
//
// Role: makes the components from the configuration, and moves the daemon from phase to phase on signals. Non-role:
// decides nothing about pools or tasks.
// Threads: made, run and destroyed by the main thread; the components have their own (for each shard an RPC thread, a
// local thread and a process thread). Ownership: owns every component. Errors: see each call.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/memory_budget.h"
#include "base/spool.h"
#include "config/config.h"
#include "config/folders.h"
#include "core/core.h"
#include "engine/engine.h"
#include "main_loop.h"
#include "observe/pool_log.h"
#include "observe/service_notice.h"
#include "process/dispatcher.h"
#include "transport/listen.h"
#include "transport/server.h"

namespace poold {

class Daemon {
 public:
  // REQUIRES: BlockSignals was called, and there is no other thread. `config` fits into the memory.
  Daemon(config::Config config, std::shared_ptr<const base::MemoryBudget> memory);
  ~Daemon();

  // Starts the process threads and chooses the containment. Fails when the machine does not have the configured one.
  absl::Status StartProcesses();
  // Listens. Fails when an address cannot be bound, or belongs to a live daemon.
  absl::Status Listen(const std::vector<transport::ListenAddress>& addresses);
  // Opens the configured pools, serves until a signal says stop, and drains.
  void Run();

 private:
  // kDraining: nothing new is taken, and pools finish what they have. kTerminating: the drain took too long, or a
  // second signal came: all pools are terminated.
  enum class Phase { kStarting, kServing, kDraining, kTerminating };

  // The parts of one shard, beside its dispatcher.
  struct Shard {
    Shard(Daemon* daemon, std::uint32_t index);

    core::Core core;
    engine::Gate gate;
  };

  // Finds modules and programs in the folders of the configuration.
  class Resolver final : public api::SpecResolver {
   public:
    explicit Resolver(const config::Config& config)
        : folders_(config.module_folders, config.program_folders, config.worker_program) {}
    absl::Status Resolve(core::PoolSpec* spec) override { return folders_.Resolve(spec); }

   private:
    const config::Folders folders_;
  };

  process::DispatcherOptions ProcessOptions() const;
  transport::ServerOptions ServerOptions();
  core::Limits LimitsOfShard() const;
  std::string AddressForTasks() const;
  std::vector<std::unique_ptr<process::Dispatcher>> MakeDispatchers();
  std::vector<std::unique_ptr<Shard>> MakeShards();
  // Runs `event(core, now)` in each shard.
  template <typename Event>
  void EnterAll(Event event);

  void BeThere();
  void OpenPools();
  void OnSignal(int signal);
  void Drain();
  void Terminate();
  // Logs changes of pools since the last call, and tells the service manager that the daemon lives, if the cores can be
  // entered.
  void Look();
  void Ready();
  bool Stopped() const;
  core::Nanos UntilNextLook() const;

  const config::Config config_;
  const std::shared_ptr<const base::MemoryBudget> memory_;
  const std::shared_ptr<const base::Spool> spool_;
  const std::string instance_id_;
  const std::string worker_secret_;
  base::SystemClock clock_;
  MainLoop loop_;
  observe::ServiceNotice notice_;
  observe::PoolLog pool_log_;
  Resolver resolver_;
  std::vector<std::unique_ptr<process::Dispatcher>> dispatchers_;  // one for each shard
  engine::Engine engine_;
  transport::Server server_;
  std::vector<std::unique_ptr<Shard>> shards_;

  // Owned by the main thread. Moments and lengths are in ns.
  Phase phase_ = Phase::kStarting;
  // When the phase is over at the latest; kNever: it has no end.
  core::Nanos phase_ends_ = core::kNever;
  // When the service manager is told next that the daemon lives.
  core::Nanos next_alive_ = 0;
  base::MemoryReturn memory_return_;
  core::Nanos until_memory_look_ = 0;
  // The number of configured pools that run or have failed.
  std::atomic<std::size_t> pools_answered_ = 0;
  std::atomic<bool> all_pools_gone_ = false;
};

}  // namespace poold
