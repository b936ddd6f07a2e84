// The batching stream to the daemon, and everything that this client knows of its handles.
//
// Role: submissions out, outcomes in; a stream that broke is opened again and what the daemon had not acknowledged is
// sent again; after a restart of the daemon the handles are lost. Non-role: unary calls (stub.h), types (headers).
// Threads: Submit and the like come from any thread; events are handled by the leader (leader.h). One mutex, held for
// as long as it takes to append or to apply a message; nothing is called with it.
// Bounds: what is unsent or unacknowledged, and what waits for room in the daemon, by ClientOptions::max_unsent_bytes
// each; requests under way, by the daemon's
// session_window.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/node_hash_map.h"
#include "absl/container/node_hash_set.h"
#include "callback_thread.h"
#include "grpc_stream.h"
#include "handle_registry.h"
#include "handle_state.h"
#include "leader.h"
#include "mutex.h"
#include "outbox.h"
#include "poold/client/connection.h"
#include "poold/v1/session.pb.h"
#include "session_stream.h"
#include "stub.h"

namespace poold::client::internal {

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<Stub> stub, const ClientOptions& options);
  ~Session();

  // Opens the stream: this one, or, with null, one through gRPC. OK when the daemon has answered the hello.
  absl::Status Start(std::weak_ptr<HandleOwner> owner, std::shared_ptr<SessionStream> stream, Deadline deadline)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Sends what there is, for a moment, and ends. Nobody may call anything else any more.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  TaskRef Submit(const TaskCall& call, std::shared_ptr<HandleOwner> owner) ABSL_LOCKS_EXCLUDED(mu_);
  // With these arguments.
  TaskRef SubmitPieces(const TaskCall& call, const wire::Pieces& args, std::shared_ptr<HandleOwner> owner)
      ABSL_LOCKS_EXCLUDED(mu_);
  MapRef OpenMap(const MapCall& call, std::shared_ptr<HandleOwner> owner) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status AddItems(MapHandleState* map, const MapBatch& batch) ABSL_LOCKS_EXCLUDED(mu_);
  // A new reference. INVALID_ARGUMENT: it is not such a handle's text.
  absl::StatusOr<HandleState*> Resume(std::string_view written, bool map, std::shared_ptr<HandleOwner> owner)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Flush(Deadline deadline) ABSL_LOCKS_EXCLUDED(mu_);
  // True: nothing that was submitted to this pool here is unfinished.
  bool AwaitIdle(const std::string& pool, Deadline deadline) ABSL_LOCKS_EXCLUDED(mu_);

  bool Wait(std::span<HandleState* const> cells, WaitMode mode, Deadline deadline) ABSL_LOCKS_EXCLUDED(mu_);
  bool AwaitInTask(Waiter* waiter, const std::vector<HandleState*>& pending, Deadline deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Watch(std::span<HandleState* const> cells, std::span<WaitNode> nodes) ABSL_LOCKS_EXCLUDED(mu_);
  void Unwatch(std::span<HandleState* const> cells, std::span<WaitNode> nodes) ABSL_LOCKS_EXCLUDED(mu_);
  std::optional<std::uint32_t> Collect(Waiter& waiter, Deadline deadline) ABSL_LOCKS_EXCLUDED(mu_);
  bool WaitForBlock(MapHandleState& map, std::uint64_t blocks, Deadline deadline) ABSL_LOCKS_EXCLUDED(mu_);
  void Walked(MapHandleState& map, const ItemCursor& cursor) ABSL_LOCKS_EXCLUDED(mu_);
  void CancelSoon(HandleState& cell, bool running) ABSL_LOCKS_EXCLUDED(mu_);
  // True: the daemon has never taken it, and it has ended CANCELLED. False: it is with the daemon or on its way there;
  // if that has no room, it is not sent again.
  bool CancelHere(HandleState& cell) ABSL_LOCKS_EXCLUDED(mu_);
  void OnProgress(HandleState& cell, ProgressCallback callback) ABSL_LOCKS_EXCLUDED(mu_);
  void OnDone(HandleState& cell, std::function<void(HandleState*)> callback) ABSL_LOCKS_EXCLUDED(mu_);
  void Dropped(HandleState* cell) ABSL_LOCKS_EXCLUDED(mu_);
  std::string instance_id() ABSL_LOCKS_EXCLUDED(mu_);
  const std::string& client_id() const { return client_id_; }
  Mutex& mutex() { return mu_; }
  Stub& stub() { return *stub_; }

 private:
  using Clock = Deadline::Clock;
  enum class State { kDown, kStarting, kGreeting, kUp };
  // A write that may begin once the mutex is left.
  struct Write {
    std::shared_ptr<SessionStream> stream;
    const v1::SessionRequest* request = nullptr;
  };
  // What is to be written now. kPaced: what is urgent, unless it is held back for a moment. kUrgent: what is urgent.
  // kAll: also the few things that can wait for company.
  enum class What { kPaced, kUrgent, kAll };

  // ---- Submitting (session_submit.cc) ----
  TaskRef SubmitTransferred(const TaskCall& call, const wire::Pieces& args,
                            const absl::StatusOr<ArgumentTransfer>& transfer, std::shared_ptr<HandleOwner> owner)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status AwaitRoom(std::uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  HandleId NextId(PoolEntry& pool) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  TaskHandleState* NewTask(const TaskCall& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Enlist(HandleState* cell, std::string_view pool, std::string_view function) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Insert(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  const std::string* Intern(std::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  PoolEntry* FindPool(std::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  HandleState* Revive(HandleState* cell, std::shared_ptr<HandleOwner>& owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool CanWrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool IsPaced() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Write NextWrite(What what = What::kPaced) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Write WriteOrNudge() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Writes, and what has accumulated meanwhile.
  void Begin(Write write) ABSL_LOCKS_EXCLUDED(mu_);
  void Enqueue(HandleState* cell, const TaskCall& call, const absl::StatusOr<ArgumentTransfer>& transfer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::string CopyToUploadAgain(const absl::StatusOr<ArgumentTransfer>& transfer, const wire::Pieces& args)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void KeepToUploadAgain(HandleState* cell, const TaskCall& call, std::string args) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // ---- Large arguments (session_uploads.cc) ----
  bool WaitsForRoom(const TaskCall& call) ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<ArgumentTransfer> HandOverFirst(const TaskCall& call) ABSL_LOCKS_EXCLUDED(mu_);
  std::optional<ArgumentTransfer> HandOverHere(const TaskCall& call, const wire::Pieces& args);
  absl::StatusOr<ArgumentTransfer> UploadFirst(const TaskCall& call);
  void UploadAgain(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool WantsUpload(const HandleId& id) ABSL_LOCKS_EXCLUDED(mu_);
  void Uploaded(const HandleId& id, std::string args, absl::StatusOr<std::string> upload) ABSL_LOCKS_EXCLUDED(mu_);
  void SubmitUploaded(HandleState* cell, absl::StatusOr<std::string> upload) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DropUpload(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DropUpload(std::string_view upload_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WakeLeader() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // ---- Large results (session_results.cc) ----
  void NoteInDaemon(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void NoteInDaemon(MapHandleState* map, const v1::ItemOutcomes& block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetInDaemon(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void BringSoon() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  HandleState* NextToBring(ResultsInDaemon* results) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PutBack(HandleState* cell, ResultsInDaemon results) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool BringNext() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Bring(HandleState* cell, const ResultsInDaemon& results) ABSL_LOCKS_EXCLUDED(mu_);
  void ReleaseBrought(HandleState* cell, const ResultsInDaemon& results) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // ---- Waiting for room in the daemon (session_room.cc) ----
  void Postpone(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool SendAnotherWay(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool TryLater(HandleState* cell, const absl::Status& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Resubmit(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ResubmitSome(PoolEntry& pool) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetResubmission(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status AwaitWindow(MapHandleState* map) ABSL_LOCKS_EXCLUDED(mu_);
  void SendWindow(MapHandleState* map) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool GoOnLater(MapHandleState* map, const absl::Status& why, std::uint64_t accepted)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EndUnsent(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void CutShort(MapHandleState* map, const absl::Status& why, std::uint64_t accepted)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AcknowledgeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TryRoom(Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Clock::time_point NextTry() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // ---- Outcomes (session_outcomes.cc) ----
  void DeliverOutputs(const v1::SessionResponse& response) ABSL_LOCKS_EXCLUDED(mu_);
  void DeliverProgress(const v1::SessionResponse& response) ABSL_LOCKS_EXCLUDED(mu_);
  void Apply(v1::SessionResponse& response) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ApplySucceeded(const v1::OutcomeGroup& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ApplyOther(v1::TaskOutcome& outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ApplyMap(v1::MapOutcomes& outcomes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TellConsumed(MapHandleState* map) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ApplyRefusal(const v1::SubmitResult& refusal) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  HandleState* Find(const HandleId& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // It has just ended: out of the tables, callbacks posted, released if nobody holds it.
  void Retire(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReleaseOrNote(TaskHandleState* task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void GiveUp(MapHandleState* map) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Refuse(HandleState* cell, absl::Status why, bool lost) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Hold(HandleState* cell, std::uint32_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PostCallbacks(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Discard(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Free(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Detach(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TakeDropped() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Those that nobody holds any more are not waited for: the daemon drops their outcomes when they come about.
  void ReleaseAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RefuseAll(const std::function<bool(const HandleState&)>& which,
                 const std::function<absl::Status(const HandleState&)>& why, bool lost)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // ---- The stream (session.cc) ----
  bool Pump(Clock::time_point until, bool waiter) ABSL_LOCKS_EXCLUDED(mu_);
  SessionStream::Event NextEvent(Clock::time_point until, bool waiter) ABSL_LOCKS_EXCLUDED(mu_);
  void OnEvent(SessionStream::Event event) ABSL_LOCKS_EXCLUDED(mu_);
  void OnStarted(bool ok) ABSL_LOCKS_EXCLUDED(mu_);
  void OnRead(bool ok) ABSL_LOCKS_EXCLUDED(mu_);
  void OnWritten(bool ok) ABSL_LOCKS_EXCLUDED(mu_);
  void OnFinished() ABSL_LOCKS_EXCLUDED(mu_);
  void EndStream() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnTime() ABSL_LOCKS_EXCLUDED(mu_);
  bool Idle() const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  bool SwitchesToLocal() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnGreeted(const v1::ServerInfo& server) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnAcknowledged(std::uint64_t taken) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnEnded(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TellConnection(const absl::Status& connection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Subscribe() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OpenStream(std::shared_ptr<SessionStream> stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::shared_ptr<SessionStream> NewStream() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Clock::time_point NextTimer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void CancelStream() ABSL_LOCKS_EXCLUDED(mu_);

  // Constant after construction.
  const std::shared_ptr<Stub> stub_;
  const ClientOptions options_;
  const std::string client_id_;
  const std::uint64_t id_high_;

  // Synchronise themselves.
  GrpcEvents grpc_events_;
  CallbackThread callbacks_;
  CallbackThread uploads_;
  CallbackThread results_;
  std::atomic<HandleState*> dropped_{nullptr};
  std::atomic<std::uint32_t> dropped_count_{0};

  Mutex mu_;
  Leader leader_;  // guarded by mu_
  std::weak_ptr<HandleOwner> owner_ ABSL_GUARDED_BY(mu_);
  std::thread background_;
  State state_ ABSL_GUARDED_BY(mu_) = State::kDown;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool shut_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<SessionStream> stream_ ABSL_GUARDED_BY(mu_);
  // The next stream goes through gRPC, and stays so.
  bool through_grpc_ ABSL_GUARDED_BY(mu_) = false;
  // What the present one is left for.
  std::shared_ptr<SessionStream> next_stream_ ABSL_GUARDED_BY(mu_);
  // Until when the leader sleeps; it does not: the beginning of time.
  Clock::time_point sleeps_until_ ABSL_GUARDED_BY(mu_){};
  // When to write what accumulates.
  Clock::time_point write_at_ ABSL_GUARDED_BY(mu_) = Clock::time_point::max();
  absl::Status last_end_ ABSL_GUARDED_BY(mu_);
  Clock::time_point retry_at_ ABSL_GUARDED_BY(mu_) = Clock::time_point::max();
  Duration backoff_ ABSL_GUARDED_BY(mu_){};
  v1::ServerInfo server_ ABSL_GUARDED_BY(mu_);
  // ClientOptions::on_connection heard that the daemon went away.
  bool told_away_ ABSL_GUARDED_BY(mu_) = false;
  // The daemon's room for outcomes: what is here need not be there.
  bool room_is_short_ ABSL_GUARDED_BY(mu_) = false;
  // Those that keep results in the daemon which only they ask for, and whether they are being brought.
  absl::flat_hash_set<HandleState*> in_daemon_ ABSL_GUARDED_BY(mu_);
  bool brings_ ABSL_GUARDED_BY(mu_) = false;
  WaitNode* state_waiters_ ABSL_GUARDED_BY(mu_) = nullptr;
  WaitNode* room_waiters_ ABSL_GUARDED_BY(mu_) = nullptr;
  WaitNode* flush_waiters_ ABSL_GUARDED_BY(mu_) = nullptr;

  Outbox outbox_ ABSL_GUARDED_BY(mu_);
  std::uint64_t last_stretch_ ABSL_GUARDED_BY(mu_) = 0;
  // Pending cells: tasks with ids of this client, by the low half; all else.
  HandleRegistry own_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<HandleId, HandleState*> others_ ABSL_GUARDED_BY(mu_);
  // Pools with a backlog, maps that have something in their window.
  absl::flat_hash_set<PoolEntry*> full_pools_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_set<MapHandleState*> windows_ ABSL_GUARDED_BY(mu_);
  // Tasks that may be refused for want of room, by the batch in which they left: until the daemon has taken that.
  struct Offer {
    std::uint64_t batch = 0;
    HandleId id;
  };
  std::deque<Offer> offered_ ABSL_GUARDED_BY(mu_);
  std::uint64_t next_submission_ ABSL_GUARDED_BY(mu_) = 1;
  // Arguments that are kept to be sent again.
  std::uint64_t resubmission_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  absl::node_hash_set<std::string> names_ ABSL_GUARDED_BY(mu_);
  absl::node_hash_map<std::string, PoolEntry> pools_ ABSL_GUARDED_BY(mu_);
  const std::string* last_name_ ABSL_GUARDED_BY(mu_) = nullptr;
  PoolEntry* last_pool_ ABSL_GUARDED_BY(mu_) = nullptr;
  std::vector<TaskHandleState*> spare_ ABSL_GUARDED_BY(mu_);
  // What users gave us is destroyed without the mutex.
  std::vector<std::unique_ptr<HandleDetail>> grave_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poold::client::internal
