// One simulated history of a daemon: core, workers, clients and clock, everything chosen by one seed.
//
// Role: makes things happen (clients submit, map, cancel, release, reconnect, open, resize and reload pools; workers
// claim, grow, finish late, crash; time passes), and checks the invariants after every event. Non-role: no threads, no
// real time: the same seed is the same history.
// Files: what can happen is in clients.cc, pools.cc, processes.cc and quiet.cc; what must hold in hearing.cc (what
// clients are told), outcomes.cc (why something ended so), working.cc (what workers are given), owners.cc, staffing.cc,
// circuit_breakers.cc, room.cc, looks.cc and invariants.cc (the rest). What the core says is written down by trace.cc.
#pragma once

#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "../core/core_test_peer.h"
#include "../core/fake_processes.h"
#include "absl/strings/str_cat.h"
#include "ledger.h"
#include "trace.h"

namespace poold::core::sim {

class World : public ClientPort {
 public:
  // kWide: most pools have hundreds of workers, and many of them do something in each event.
  // kSliced: a slice of long work is a few handles.
  enum class Shape : std::uint8_t { kSmall, kWide, kSliced };
  World(std::uint64_t seed, const CoreFaults& faults, Shape shape = Shape::kSmall);

  // Lives through `steps` events, then lets the world quiet down. Returns what was wrong first; empty if nothing was.
  std::string Run(std::uint64_t steps);
  std::uint64_t events() const { return events_; }
  // Of all that the core said so far: see trace.h.
  std::uint64_t digest() const { return trace_.digest(); }
  void PrintTrace() { trace_.Print(); }
  // Transitions of pools, zygotes and workers that were made.
  const CoreTestPeer& core() const { return peer_; }

  // ---- ClientPort ----
  void SendOutcome(SubscriberId to, HandleId task, OutcomePtr outcome) override;
  void SendItems(SubscriberId to, HandleId map, ItemBlockPtr items) override;
  void SendMapEnd(SubscriberId to, const MapView& map) override;
  void SendOutput(SubscriberId to, const OutputEvent& output) override;
  void SendProgress(SubscriberId to, const ProgressEvent& progress) override;
  void AnswerOpenPool(SubscriberId to, absl::StatusOr<PoolView> pool, bool created) override;
  void AnswerGet(SubscriberId to, absl::StatusOr<HandleView> handle) override;
  void AnswerWait(SubscriberId to, absl::StatusOr<WaitAnswer> answer) override;
  void AnswerClose(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled) override;
  void AnswerTerminate(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled) override;
  void AnswerReload(SubscriberId to, absl::StatusOr<PoolView> pool) override;
  void AnswerJoin(SubscriberId to, absl::StatusOr<bool> done) override;
  void SendEvent(SubscriberId to, WatchEvent event) override;
  void EndWatch(SubscriberId to) override;
  void RoomIsShort(ClientId client, bool is_short) override;
  void ClientIsHeldUp(const ClientView& client, bool held_up) override;
  void AllPoolsGone() override;

 private:
  struct Processes : testing::FakeProcesses {
    World* world = nullptr;
    void StartZygote(PoolId pool, std::uint32_t generation, const PoolSpec& spec) override;
    void StartWorker(PoolId pool, std::uint32_t generation, WorkerId worker) override;
    void Dispatch(WorkerId id, std::vector<Assignment> work) override;
    void StopWorker(WorkerId id) override;
  };
  struct Client {
    ClientId id{};
    SubscriberId stream{};
    bool present = true;
    bool hoards = false;  // never releases anything
    bool told_short = false;
    bool told_held_up = false;
  };

  // ---- What can happen: clients.cc ----
  void Step();
  void WorkersDo();
  void ProcessesStart();
  void SubmitSome();
  void SubmitAgain();
  void MapSome();
  void AppendToSome();
  absl::StatusOr<std::uint64_t> SendItemsOf(KnownHandle& map, std::uint64_t first, MapGroup group);
  void CancelOne();
  void ReleaseOne();
  void ConsumeSome();
  void AskForOne();
  void WatchSome();
  void Reconnect();
  void GoAway();
  void NoteTaken(const std::string& pool, const absl::StatusOr<PoolView>& before, std::uint64_t taken);

  // ---- pools.cc ----
  void OpenSomePool();
  void EndSomePool();
  void TerminateFailed();
  void ClosePool(const std::string& pool, bool cancel_queued);
  void ResizeSome();
  void ReloadSome();
  void ClientComesOrGoes();
  void ShutDown();
  PoolSpec AnySpec();

  // ---- processes.cc ----
  void WorkerDoes();
  bool Work(testing::FakeWorker& worker);
  void SpeakFrom(testing::FakeWorker& worker);
  void WorkerGrows();
  void ProcessStarts();
  bool StartZygotes(bool all_is_well);
  bool StartWorkers(bool all_is_well);
  void ProcessDies();
  void ZygoteDies(testing::ZygoteKey zygote, const std::string& why, LossCause cause = LossCause::kItself);
  void WorkerReady(testing::FakeWorker& worker);
  void Die(WorkerId worker, int signal, const std::string& start_failure = "", LossCause cause = LossCause::kItself);
  void ShortageComesOrGoes();
  bool IsGuilty(const testing::FakeWorker& worker);
  bool HasWorkers(testing::ZygoteKey zygote) const;
  void NewGeneration(const Pool& pool, std::uint32_t first);
  KnownGeneration& GenerationOf(PoolId pool, std::uint32_t zygote);
  void TimePasses(Nanos most);
  void Tick();
  // Runs an event, which ends `own` handles and those of a slice at most, in which a worker is looked at as a whole.
  template <typename Event>
  void Bounded(const char* name, std::uint64_t own, Event&& event) {
    const std::uint64_t before = peer_.ended_handles();
    event();
    if (peer_.ended_handles() - before > own + limits_.slice + limits_.max_prefetch) {
      ledger_.Wrong(absl::StrCat(name, " ended more handles than its own and a slice"));
    }
  }

  // ---- quiet.cc ----
  void Quiet();
  void CompleteMaps();
  bool AllHaveEnded() const;
  bool AllHaveEndedOrWait();
  bool QuietOnce();
  bool QuietSome();
  bool QuietProcess();
  bool QuietClient();
  void CheckEnd();
  void CheckCounts(const PoolView& pool);

  // ---- looks.cc ----
  void LookAtOne();
  void LookAtTask(const KnownHandle& known, const TaskView& task, const Explanation& explanation);
  void LookAtArguments(const KnownHandle& known);
  void LookAtList();

  // ---- Choices ----
  // 1 to `most`; in a wide world mostly hundreds.
  std::uint32_t AnyWorkers(std::uint32_t most);
  std::uint64_t Any(std::uint64_t most) { return random_() % most; }
  bool Chance(std::uint64_t percent) { return Any(100) < percent; }
  std::string AnyPool();
  KnownHandle* AnyHandle();
  TaskOptions AnyOptions();
  Nanos AnyElapsed();
  Client& AnyClient() { return clients_[Any(clients_.size())]; }
  Client* FindClient(ClientId id) {
    for (Client& client : clients_) {
      if (client.id == id) return &client;
    }
    return nullptr;
  }
  testing::FakeWorker* AnyWorker();
  SubscriberId NewCall(Nanos due, const std::string& pool = "");
  SubscriberId NewStream();
  void Subscribe(SubscriberId stream, const KnownHandle& handle);
  void ExpectToldAgain(SubscriberId stream, const KnownHandle& handle);
  void Subscribed(SubscriberId stream, const KnownHandle& handle, bool from_start);
  const Pool* FindPool(const std::string& name) const;
  const Pool* FindPool(PoolId id) const;

  // ---- hearing.cc ----
  KnownStream::Heard* Hears(SubscriberId to, HandleId id, const char* what);
  void Answered(SubscriberId call);
  void CheckDeadlock(SubscriberId call, const absl::Status& status);
  void NoteState(KnownHandle& handle, TaskState state);
  void NoteOutcome(KnownHandle& handle, const Outcome& outcome);
  void NoteItem(KnownHandle& map, std::uint64_t index, TaskState state);
  void NoteView(const HandleView& view);
  void CheckGone(SubscriberId call);
  bool HasEnded(HandleId id, bool* succeeded) const;
  bool IsOver(const KnownCall& wait) const;

  // ---- outcomes.cc ----
  void CheckWhy(const KnownHandle& handle, std::size_t index, const Outcome& outcome);
  void CheckDeath(const KnownHandle& handle, std::size_t index, const Outcome& outcome);
  void CheckTimes(const KnownHandle& handle, std::size_t index, const Outcome& outcome);
  void CheckNotTooEarly(const KnownHandle& handle, std::size_t index, const Outcome& outcome);

  // ---- working.cc ----
  void NoteBegin(const testing::FakeWorker& worker, const testing::FakeWork& work, std::uint32_t item);
  void NoteEnd(const testing::FakeWorker& worker, bool succeeded);
  void NoteDeath(const testing::FakeWorker& worker);
  void NoteAssignment(const testing::FakeWorker& worker, const Assignment& work);
  void NoteDispatch(const testing::FakeWorker& worker, const std::vector<Assignment>& work);

  // ---- owners.cc ----
  void NoteOpened(const PoolSpec& spec, ClientId owner);
  void NotePresence(const Client& client);
  void CheckOrphan(const KnownHandle& known, const MapRun& map);
  void CheckOwners();
  void CheckWhyEnded(const Pool& pool, const KnownPool& known);

  // ---- staffing.cc ----
  void NoteStart(PoolId pool, WorkerId worker);
  void NoteStop(PoolId pool, WorkerId worker);
  void CheckStaff(const Pool& pool);
  void CheckStrict(PoolId pool);

  // ---- circuit_breakers.cc ----
  void CheckBreakers();
  void CheckBreaker(const Pool& pool, std::uint32_t number, const CircuitBreaker& breaker);

  // ---- room.cc ----
  bool Hoards(const KnownHandle& handle) const;
  bool IsPresent(ClientId client) const;
  bool Runs(const HandleId& map) const;
  void NoteGone(KnownHandle& handle);
  void CheckGoing(const std::vector<const KnownHandle*>& gone);
  bool MayGo(const KnownHandle& handle) const;
  bool WentTooEarly(const KnownHandle& gone, const KnownHandle& left) const;
  std::set<HandleId> Awaited() const;
  std::uint64_t MostOf(const KnownHandle& gone) const;
  std::uint64_t MostAsideBeside(const std::vector<const KnownHandle*>& gone) const;
  void CheckAwaitedWent(const std::vector<const KnownHandle*>& gone);
  void CheckAwaitedMapWent(const KnownHandle& gone);
  std::uint64_t MostAside() const { return (peer_.room().left_floor() + peer_.room().common()) / 2; }
  void CheckRoom();
  void CheckHeldUp(const ClientQuota& client);

  // ---- invariants.cc ----
  void Check();
  void CheckHandles();
  void CheckTaskBytes();
  void CheckWorkers();
  void CheckPool(const Pool& pool);
  void CheckSweep(const Pool& pool);
  void CheckWayMade(const Pool& pool);
  void CheckTurns();
  void CheckClock();
  void CheckSteps();

  std::mt19937_64 random_;
  const bool wide_;
  Limits limits_;
  Processes processes_;
  Nanos now_ = 1000 * kSecond;
  Trace trace_;
  Core core_;
  CoreTestPeer peer_;
  Ledger ledger_;
  std::uint64_t events_ = 0;
  std::uint64_t heard_ = 0;  // calls of the ports
  std::uint64_t last_task_ = 0;
  std::uint64_t last_map_ = 0;
  std::uint64_t last_call_ = 0;
  std::vector<Client> clients_;
  std::map<SubscriberId, bool> watches_;  // that have not ended; true: gone
  std::vector<HandleId> live_;            // a sample to choose from
  std::uint64_t most_workers_ = 0;        // that a pool has had
  std::set<PoolId> page_less_;            // their workers have no claim page
  bool open_refused_ = false;
  std::uint64_t overfull_ = 0;    // by how much more is kept than there is room for
  bool somebody_came_ = false;    // or left, in this event
  Nanos looked_at_ = 0;           // after the event before this one
  std::set<HandleId> awaited_;    // then
  std::uint64_t most_aside_ = 0;  // then
  bool shut_down_ = false;
  bool all_gone_ = false;
  bool deadly_ = false;  // function g kills its workers
  bool short_ = false;   // nothing can be started
  bool endless_shortage_ = false;
  LossCause dying_of_ = LossCause::kItself;
  PoolId breaking_{};  // a worker of this strict pool dies

  // Dispatches since each client had its last turn, by pool, priority and client.
  struct Turn {
    PoolId pool{};
    int priority = 0;
    bool fresh = false;  // waits for a worker of its own
    ClientId client{};
    auto operator<=>(const Turn&) const = default;
  };
  std::map<Turn, std::uint64_t> passed_over_;
  std::map<Turn, std::uint64_t> served_now_;
  // What was with workers when an open breaker of a function was first seen.
  struct BegunBeforeTrip {
    std::uint16_t epoch = 0;  // of the breaker; its first one is 1
    std::set<std::uint64_t> tokens;
  };
  std::map<std::pair<PoolId, std::uint32_t>, BegunBeforeTrip> begun_before_trip_;
};

}  // namespace poold::core::sim
