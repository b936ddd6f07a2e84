// One simulated history of a daemon: core, workers, clients and clock, everything chosen by one seed.
//
// Role: makes things happen (clients submit, map, cancel, release, reconnect; workers claim, finish late, crash; time
// passes), and checks the invariants after every event. Non-role: no threads, no real time: the same seed is the same
// history.
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

#include "../core/core_test_peer.h"
#include "../core/fake_processes.h"
#include "ledger.h"

namespace poold::core::sim {

class World : public ClientPort {
 public:
  World(std::uint64_t seed, const CoreFaults& faults);

  // Lives through `steps` events, then lets the world quiet down. Returns what was wrong first; empty if nothing was.
  std::string Run(std::uint64_t steps);
  std::uint64_t events() const { return events_; }

  // ---- ClientPort ----
  void SendOutcome(SubscriberId to, HandleId task, OutcomePtr outcome) override;
  void SendItems(SubscriberId to, HandleId map, ItemBlockPtr items) override;
  void SendMapEnd(SubscriberId to, const MapView& map) override;
  void SendOutput(SubscriberId to, const OutputEvent& output) override;
  void AnswerOpenPool(SubscriberId to, absl::StatusOr<PoolView> pool, bool created) override { Answered(to); }
  void AnswerGet(SubscriberId to, absl::StatusOr<HandleView> handle) override { Answered(to); }
  void AnswerWait(SubscriberId to, absl::StatusOr<WaitAnswer> answer) override { Answered(to); }
  void AnswerTerminate(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled) override { Answered(to); }
  void SendProgress(SubscriberId to, const ProgressEvent& progress) override {}
  void AnswerReload(SubscriberId to, absl::StatusOr<PoolView> pool) override { Answered(to); }
  void AnswerJoin(SubscriberId to, absl::StatusOr<bool> done) override { Answered(to); }
  void SendEvent(SubscriberId to, WatchEvent event) override;
  void EndWatch(SubscriberId to) override;
  void AllPoolsGone() override { all_gone_ = true; }

 private:
  struct Processes : testing::FakeProcesses {
    World* world = nullptr;
    void Dispatch(WorkerId id, std::vector<Assignment> work) override;
  };
  struct Client {
    ClientId id{};
    SubscriberId stream{};
  };
  struct Call {
    Nanos due = kNever;
  };

  // ---- What can happen ----
  void Step();
  void OpenSomePool();
  void EndSomePool();
  void SubmitSome();
  void MapSome();
  void AppendToSome();
  void CancelOne();
  void ReleaseOne();
  void ConsumeSome();
  void AskForOne();
  void WatchSome();
  void Reconnect();
  void GoAway();
  void WorkerDoes();
  void SpeakFrom(testing::FakeWorker& worker);
  void ProcessStarts();
  void ProcessDies();
  void TimePasses(Nanos most);
  void Quiet();
  bool QuietOnce();

  // ---- Choices ----
  std::uint64_t Any(std::uint64_t most) { return random_() % most; }
  bool Chance(std::uint64_t percent) { return Any(100) < percent; }
  std::string AnyPool();
  KnownHandle* AnyHandle();
  TaskOptions AnyOptions();
  Nanos AnyElapsed();
  Client& AnyClient() { return clients_[Any(clients_.size())]; }
  testing::FakeWorker* AnyWorker();
  SubscriberId NewCall(Nanos due);
  SubscriberId NewStream();
  void Subscribed(SubscriberId stream, const KnownHandle& handle, bool from_start);

  // ---- Checks ----
  void Answered(SubscriberId call);
  void NoteBegin(const testing::FakeWork& work, std::uint32_t item);
  void NoteStop(const testing::FakeWorker& worker);
  void NoteDispatch(const testing::FakeWorker& worker, const std::vector<Assignment>& work);
  void NoteState(KnownHandle& handle, TaskState state);
  void NoteItem(KnownHandle& map, std::uint64_t index, TaskState state);
  void Check();
  void CheckHandles();
  void CheckWorkers();
  void CheckTurns();
  void CheckClock();
  void CheckEnd();

  std::mt19937_64 random_;
  Limits limits_;
  Processes processes_;
  Core core_;
  CoreTestPeer peer_;
  Ledger ledger_;
  Nanos now_ = 1000 * kSecond;
  std::uint64_t events_ = 0;
  std::uint64_t heard_ = 0;  // calls of the ports
  std::uint64_t last_task_ = 0;
  std::uint64_t last_map_ = 0;
  std::uint64_t last_call_ = 0;
  std::vector<Client> clients_;
  std::map<SubscriberId, Call> calls_;    // that have no answer yet
  std::map<SubscriberId, bool> watches_;  // that have not ended; true: gone
  std::vector<HandleId> live_;            // a sample to choose from
  bool all_gone_ = false;

  // Dispatches since each client had its last turn, by pool, priority and client.
  struct Turn {
    PoolId pool{};
    int priority = 0;
    ClientId client{};
    auto operator<=>(const Turn&) const = default;
  };
  std::map<Turn, std::uint64_t> passed_over_;
  std::map<Turn, std::uint64_t> served_now_;
};

}  // namespace poold::core::sim
