// Dispatcher: makes zygotes and workers, sends them the work that the core assigns, and brings back results, output and
// deaths.
//
// Role: the daemon's side of processes, core::WorkerPort. Non-role: decides about no task. Only two decisions are its
// own: a worker that writes what no honest worker writes is killed, and so is one that does not become ready in time.
// Threads: one of its own, the process thread, from Start to Stop. All its children are made by that one and die with
// it (PDEATHSIG), also where dispatchers share a registry. WorkerPort is called under the core's mutex, Flush by any
// thread without it; work is written to worker sockets by the thread that flushes. Another thread that does not sleep
// may take results while the process thread does (engine::PollSource): one thread at a time.
// Ownership: shares the registry; does not own gate and clock, and both must outlive it. Stop before the gate goes;
// Stop kills what is left.
// Errors: a zygote or worker that cannot be made is told to the core in words (OnZygoteLost, OnWorkerLost).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/spool.h"
#include "core/core.h"
#include "core/ports.h"
#include "engine/gate.h"
#include "engine/poll_source.h"
#include "process/containment/containment.h"

namespace poold::process {

struct DispatcherOptions {
  // The zygote of pools that name no program, and the launcher of pools that start fresh programs.
  std::string pool_worker_path;
  core::Limits limits;
  // CPUs that workers may use: their numeric libraries divide them among each other.
  std::uint32_t cpus = 1;
  // The secret that marks calls which the daemon's tasks make as clients (base/worker_mark.h).
  std::string worker_secret;
  // The spool of large results. Null: a spool of its own, with the defaults.
  std::shared_ptr<const base::Spool> spool;
  // The ns between a stopped worker's last outcome and SIGKILL.
  core::Nanos exit_timeout = 10 * core::kSecond;
};

class Dispatcher final : public core::WorkerPort, public engine::Outbox, public engine::PollSource {
 public:
  Dispatcher(DispatcherOptions options, const base::Clock* clock);
  ~Dispatcher() override;

  // Starts the process thread. The caller has given it to gate->AddOutbox. The registry is that of all dispatchers of
  // the process, and is kept until this one is destroyed.
  absl::Status Start(engine::Gate* gate, std::shared_ptr<ProcessRegistry> registry);
  // Sets the address at which workers find this daemon (POOLD_ADDRESS). REQUIRES: no pool was opened.
  void SetClientAddress(std::string address);
  // Kills all processes, waits until they are gone, and ends the thread. The core gets no event more. Idempotent.
  void Stop();

  // core::WorkerPort
  void StartZygote(core::PoolId pool, std::uint32_t generation, const core::PoolSpec& spec) override;
  void StopZygote(core::PoolId pool, std::uint32_t generation) override;
  void StartWorker(core::PoolId pool, std::uint32_t generation, core::WorkerId worker) override;
  void Dispatch(core::WorkerId worker, std::vector<core::Assignment> work) override;
  std::uint32_t TakeBack(core::WorkerId worker, core::AttemptToken token, std::uint32_t keep) override;
  void StopWorker(core::WorkerId worker) override;
  void KillWorker(core::WorkerId worker, core::Nanos grace) override;

  // engine::Outbox
  void Flush(core::Nanos next_timer) override;

  // engine::PollSource
  PollResult Poll() override;
  void Rearm() override;

  // Counts of what the dispatcher has looked at since Start. They grow with events, not with what exists.
  struct Effort {
    // Rounds of the process thread, and polls by other threads.
    std::uint64_t rounds = 0;
    // Workers and zygotes that were looked at, in all rounds together.
    std::uint64_t visits = 0;
    // Rounds that looked at all workers that run a task, because it was time.
    std::uint64_t polls = 0;
  };
  // Waits for the round that is under way. Any thread, between Start and Stop.
  Effort effort();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace poold::process
