// A core, a gate and a dispatcher with real processes, and clients that only remember what they are told.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "core/core.h"
#include "engine/gate.h"
#include "process/dispatcher.h"

namespace poold::process {

// Everything that is told to clients, by handle. Thread-safe.
class RememberingClients final : public core::ClientPort {
 public:
  // Wait until it is there; abort the test process after a minute.
  core::OutcomePtr Outcome(core::HandleId task);
  core::MapView MapEnd(core::HandleId map);
  absl::StatusOr<core::PoolView> Opened(core::SubscriberId call);
  void Terminated(core::SubscriberId call);
  absl::StatusOr<core::PoolView> Reloaded(core::SubscriberId call);
  void WaitForOutput(core::HandleId task, std::string_view text);

  // Drops what it remembers of its outcome.
  void Forget(core::HandleId task);

  std::string output(core::HandleId task);
  std::vector<core::ProgressView> progress(core::HandleId task);
  std::size_t outcome_count();
  // Of a map: result by index; an outcome that is no result by index.
  std::map<std::uint64_t, std::string> results(core::HandleId map);
  std::map<std::uint64_t, core::OutcomePtr> others(core::HandleId map);

  void SendOutcome(core::SubscriberId to, core::HandleId task, core::OutcomePtr outcome) override;
  void SendItems(core::SubscriberId to, core::HandleId map, core::ItemBlockPtr items) override;
  void SendMapEnd(core::SubscriberId to, const core::MapView& map) override;
  void SendOutput(core::SubscriberId to, const core::OutputEvent& output) override;
  void AnswerOpenPool(core::SubscriberId to, absl::StatusOr<core::PoolView> pool, bool created) override;
  void AnswerGet(core::SubscriberId to, absl::StatusOr<core::HandleView> handle) override {}
  void AnswerWait(core::SubscriberId to, absl::StatusOr<core::WaitAnswer> answer) override {}
  void AnswerClose(core::SubscriberId, absl::StatusOr<std::uint64_t>) override {}
  void AnswerTerminate(core::SubscriberId to, absl::StatusOr<std::uint64_t> cancelled_tasks) override;
  void SendProgress(core::SubscriberId to, const core::ProgressEvent& progress) override;
  void AnswerReload(core::SubscriberId to, absl::StatusOr<core::PoolView> pool) override;
  void AnswerJoin(core::SubscriberId to, absl::StatusOr<bool> done) override {}
  void SendEvent(core::SubscriberId to, core::WatchEvent event) override {}
  void EndWatch(core::SubscriberId to) override {}
  void RoomIsShort(core::ClientId, bool) override {}
  void AllPoolsGone() override {}

 private:
  template <typename Condition>
  void Await(Condition condition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  absl::Mutex mu_;
  absl::CondVar changed_;
  std::map<core::HandleId, core::OutcomePtr> outcomes_;
  std::map<core::HandleId, std::string> output_;
  std::map<core::HandleId, core::MapView> ended_;
  std::map<core::HandleId, std::vector<core::ItemBlockPtr>> items_;
  std::map<core::SubscriberId, absl::StatusOr<core::PoolView>> opened_;
  std::map<core::HandleId, std::vector<core::ProgressView>> progress_;
  std::map<core::SubscriberId, absl::StatusOr<core::PoolView>> reloaded_;
  std::map<core::SubscriberId, bool> terminated_;
};

class Stage {
 public:
  explicit Stage(DispatcherOptions options = {}, ContainmentChoice containment = ContainmentChoice::kAuto);
  Stage(DispatcherOptions options, absl::StatusOr<std::shared_ptr<ProcessRegistry>> registry,
        core::ShardInfo share = {});
  ~Stage();

  absl::StatusOr<core::PoolView> Open(const core::PoolSpec& spec);
  core::HandleId Submit(std::string_view function, std::string args = "",
                        core::Encoding encoding = core::Encoding::kRaw);
  std::vector<core::HandleId> SubmitMany(std::string_view function, const std::vector<std::string>& args,
                                         core::Encoding encoding = core::Encoding::kRaw);
  core::HandleId SubmitBytes(std::string_view function, core::Bytes args,
                             core::Encoding encoding = core::Encoding::kRaw);
  core::HandleId Map(std::string_view function, const std::vector<std::string>& items, std::uint32_t chunk_size = 0,
                     core::Encoding encoding = core::Encoding::kRaw);
  core::OutcomePtr Run(std::string_view function, std::string args = "") {
    return clients.Outcome(Submit(function, std::move(args)));
  }
  core::PoolView View();
  // Waits until the new generation has taken over, or was rolled back.
  absl::StatusOr<core::PoolView> Reload();
  // Waits until the processes are gone.
  void Terminate();
  // The first worker's; waits until there is one.
  pid_t WorkerPid();

  base::SystemClock clock;
  RememberingClients clients;
  const absl::StatusOr<std::shared_ptr<ProcessRegistry>> registry;
  Dispatcher dispatcher;
  core::Core core;
  engine::Gate gate;
  absl::Status started;

 private:
  std::vector<core::HandleId> SubmitAll(std::string_view function, std::vector<core::Bytes> args,
                                        core::Encoding encoding);

  std::string pool_;
  std::uint64_t next_call_ = 100;
};

// Waits until `condition` holds; aborts the test process after a minute.
template <typename Condition>
void WaitUntil(Condition condition) {
  for (int i = 0; !condition(); ++i) {
    if (i > 60'000) abort();
    usleep(1000);
  }
}

// Programs and specs.
std::string OddWorkerPath();
std::string PoolWorkerPath();
std::string ModulePath(const std::string& name);
// With pool-worker as the zygote.
DispatcherOptions WithPoolWorker();
absl::StatusOr<std::shared_ptr<ProcessRegistry>> MakeProcessRegistry(
    ContainmentChoice containment = ContainmentChoice::kAuto);
core::PoolSpec OddPool(const std::string& odd, std::uint32_t workers = 1);
core::PoolSpec TestingPool(std::uint32_t workers = 1);
// Descriptors that this process has.
std::size_t OpenDescriptors();

}  // namespace poold::process
