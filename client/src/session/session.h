// Session: the batching stream to the daemon, and the states of all handles of a client.
//
// Role: sends submissions and receives outcomes. When the stream breaks, opens it again and sends again what the daemon
//   had not acknowledged. When the daemon was restarted, ends the handles as lost. Non-role: unary calls (stub.h),
//   types (headers).
// Threads: any thread calls the public methods; the leader (leader.h) handles events. One mutex, held to append or
//   apply a message; no callback, write or RPC happens with the mutex held.
// Bounds: bytes that are unsent or unacknowledged, and bytes that wait for room in the daemon, by
//   ClientOptions::max_unsent_bytes each; requests under way, by the daemon's session_window.
// Ownership: owns every handle state that is pending or dropped; handles share the owner (session_owner.h).
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "poold/client/connection.h"
#include "poold/v1/session.pb.h"
#include "session/callback_thread.h"
#include "session/handle_registry.h"
#include "session/handle_state.h"
#include "session/leader.h"
#include "session/mutex.h"
#include "session/outbox.h"
#include "transport/grpc_stream.h"
#include "transport/session_stream.h"
#include "transport/stub.h"
#include "wire/handle_shard.h"

namespace poold::client::internal {

class Session : public std::enable_shared_from_this<Session> {
 public:
  // Opens nothing yet.
  Session(std::shared_ptr<Stub> stub, const ClientOptions& options);

  // Opens `stream`; with null, a local stream where possible and otherwise one through gRPC. Blocks until the daemon
  // has answered the hello (OK), refuses the session, or the deadline has passed (UNAVAILABLE).
  absl::Status Start(std::weak_ptr<HandleOwner> owner, std::shared_ptr<SessionStream> stream, Deadline deadline)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Releases all handles, sends what there is for at most flush_timeout, and ends the threads. REQUIRES: no other call
  // is under way or follows.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // As Connection::Submit. May block for room and for an upload.
  TaskRef Submit(const TaskCall& call, std::shared_ptr<HandleOwner> owner) ABSL_LOCKS_EXCLUDED(mu_);
  // As Submit, with the arguments `args` in place of call.args.
  TaskRef SubmitPieces(const TaskCall& call, const wire::Pieces& args, std::shared_ptr<HandleOwner> owner)
      ABSL_LOCKS_EXCLUDED(mu_);
  // As Connection::OpenMap.
  MapRef OpenMap(const MapCall& call, std::shared_ptr<HandleOwner> owner) ABSL_LOCKS_EXCLUDED(mu_);
  // As Connection::AddItems.
  absl::Status AddItems(MapHandleState* map, const MapBatch& batch) ABSL_LOCKS_EXCLUDED(mu_);
  // Takes up a handle by its text, and returns a new reference. INVALID_ARGUMENT: the text is no handle's, or the
  // handle is of the other kind.
  absl::StatusOr<HandleState*> Resume(std::string_view written, bool map, std::shared_ptr<HandleOwner> owner)
      ABSL_LOCKS_EXCLUDED(mu_);
  // The daemon said where the pool lies (Pool.shard).
  void LearnShard(std::string_view pool, std::uint32_t shard) ABSL_LOCKS_EXCLUDED(mu_);
  // As Connection::Flush.
  absl::Status Flush(Deadline deadline) ABSL_LOCKS_EXCLUDED(mu_);
  // Waits until nothing that this client submitted to the pool is unfinished (true), or the deadline has passed
  // (false).
  bool AwaitIdle(const std::string& pool, Deadline deadline) ABSL_LOCKS_EXCLUDED(mu_);

  // The methods from here to Dropped implement HandleOwner.
  bool Wait(std::span<HandleState* const> cells, WaitMode mode, Deadline deadline) ABSL_LOCKS_EXCLUDED(mu_);
  // Waits as a task of a daemon: tells the daemon of the wait, again and again. False with WhyNoWait(): WOULD_DEADLOCK.
  bool AwaitInTask(Waiter* waiter, const std::vector<HandleState*>& pending, Deadline deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Watch(std::span<HandleState* const> cells, std::span<WaitNode> nodes) ABSL_LOCKS_EXCLUDED(mu_);
  void Unwatch(std::span<HandleState* const> cells, std::span<WaitNode> nodes) ABSL_LOCKS_EXCLUDED(mu_);
  std::optional<std::uint32_t> Collect(Waiter& waiter, Deadline deadline) ABSL_LOCKS_EXCLUDED(mu_);
  bool WaitForBlock(MapHandleState& map, std::uint64_t blocks, Deadline deadline) ABSL_LOCKS_EXCLUDED(mu_);
  void Walked(MapHandleState& map, const ItemCursor& cursor) ABSL_LOCKS_EXCLUDED(mu_);
  void CancelSoon(HandleState& cell, bool running) ABSL_LOCKS_EXCLUDED(mu_);
  // Cancels a task or map that the daemon has never taken. True: the handle has ended CANCELLED. False: the handle is
  // with the daemon or on its way there; if the daemon refuses the task for want of room, the session does not send the
  // task again.
  bool CancelHere(HandleState& cell) ABSL_LOCKS_EXCLUDED(mu_);
  void OnProgress(HandleState& cell, ProgressCallback callback) ABSL_LOCKS_EXCLUDED(mu_);
  void OnDone(HandleState& cell, std::function<void(HandleState*)> callback) ABSL_LOCKS_EXCLUDED(mu_);
  void Dropped(HandleState* cell) ABSL_LOCKS_EXCLUDED(mu_);
  // The daemon's instance; "" before the first hello.
  std::string instance_id() ABSL_LOCKS_EXCLUDED(mu_);
  // The id by which the daemon knows this client: 16 random bytes.
  const std::string& client_id() const { return client_id_; }
  Mutex& mutex() { return mu_; }
  Stub& stub() { return *stub_; }

 private:
  using Clock = Deadline::Clock;
  // The stream: kDown, kStarting (it opens), kGreeting (the hello is under way), kUp. Every state may fall back to
  // kDown.
  enum class State { kDown, kStarting, kGreeting, kUp };
  // A write that begins when the mutex is released. Null request: nothing is to be written.
  struct Write {
    std::shared_ptr<SessionStream> stream;
    const v1::SessionRequest* request = nullptr;
  };
  // Which entries of the outbox are written. kPaced: those that cannot wait, unless they are held back for a moment.
  // kUrgent: those that cannot wait. kAll: also the few that can wait for company.
  enum class What { kPaced, kUrgent, kAll };

  // ---- Submitting (session_submit.cc) ----
  // Submits a task whose arguments have a way (or a status why not).
  TaskRef SubmitTransferred(const TaskCall& call, const wire::Pieces& args,
                            const absl::StatusOr<ArgumentTransfer>& transfer, std::shared_ptr<HandleOwner> owner)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Waits until `bytes` more fit below max_unsent_bytes. RESOURCE_EXHAUSTED (CLIENT_FULL): OnFull::kFail, or an output
  // callback.
  absl::Status AwaitRoom(std::uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // A state for a task with its id and callbacks, and one reference.
  TaskHandleState* NewTask(const TaskCall& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // A new reference to a pending state, also to one whose handles were dropped. Null: the last handle is being dropped
  // now.
  HandleState* Revive(HandleState* cell, std::shared_ptr<HandleOwner>& owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether the stream is up, no write is under way and the window has room.
  bool CanWrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether a local write is held back now, so that submissions leave together.
  bool IsPaced() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Takes the next request to write, if there is one and it may be written now.
  Write NextWrite(What what = What::kPaced) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // As NextWrite; where a write is under way, makes sure that a leader sees its end.
  Write WriteOrNudge() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Writes the request, and the requests that accumulate meanwhile. Call without the mutex.
  void Begin(Write write) ABSL_LOCKS_EXCLUDED(mu_);
  // Sends the task with the next batch, or puts it behind those that wait for room in the pool's queue.
  void Enqueue(HandleState* cell, const TaskCall& call, const absl::StatusOr<ArgumentTransfer>& transfer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Copies uploaded arguments of a task that cannot leave at once, in case the daemon is restarted meanwhile. Empty:
  // not needed. Releases the mutex while it copies.
  std::string CopyToUploadAgain(const absl::StatusOr<ArgumentTransfer>& transfer, const wire::Pieces& args)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Keeps such a copy until the daemon has taken the task. The copy does not count towards max_unsent_bytes.
  void KeepToUploadAgain(HandleState* cell, const TaskCall& call, std::string args) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // ---- Large arguments (session_uploads.cc) ----
  // Whether tasks of the same pool wait for room, so that this one waits behind them.
  bool WaitsForRoom(const TaskCall& call) ABSL_LOCKS_EXCLUDED(mu_);
  // Finds the way of the arguments before the task is submitted, and hands large ones over. Blocks meanwhile.
  absl::StatusOr<ArgumentTransfer> HandOverFirst(const TaskCall& call) ABSL_LOCKS_EXCLUDED(mu_);
  // Hands arguments over in shared memory. Nothing: not possible.
  std::optional<ArgumentTransfer> HandOverHere(const TaskCall& call, const wire::Pieces& args);
  // Uploads arguments above kInlineArgsBytes. REQUIRES: HandOverHere returned nothing.
  absl::StatusOr<ArgumentTransfer> UploadFirst(const TaskCall& call);
  // Uploads the arguments on the thread for uploads, then SubmitUploaded.
  void UploadAgain(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether the task still waits for its upload.
  bool WantsUpload(const HandleId& id) ABSL_LOCKS_EXCLUDED(mu_);
  // Takes an upload that is over; drops it where the task is gone.
  void Uploaded(const HandleId& id, std::string args, absl::StatusOr<std::string> upload) ABSL_LOCKS_EXCLUDED(mu_);
  // Submits the task with its upload, tries later, or refuses.
  void SubmitUploaded(HandleState* cell, absl::StatusOr<std::string> upload) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Tells the daemon that no task will take the upload.
  void DropUpload(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DropUpload(std::string_view upload_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Makes the leader look at the timers again.
  void WakeLeader() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // ---- Large results (session_results.cc) ----
  // Notes that the result lies in the daemon, and brings it where the daemon is short of room.
  void NoteInDaemon(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void NoteInDaemon(MapHandleState* map, const v1::ItemOutcomes& block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Undoes NoteInDaemon, if there is something to undo.
  void ForgetInDaemon(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Starts bringing results on their thread, if the daemon is short of room.
  void BringSoon() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The next handle to bring, held. Null: none is left, or room is not short any more.
  HandleState* NextToBring(ResultsInDaemon* results) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Notes results again that could not be brought because the daemon is away.
  void PutBack(HandleState* cell, ResultsInDaemon results) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Brings the results of one handle. False: that was all, or the daemon does not answer.
  bool BringNext() ABSL_LOCKS_EXCLUDED(mu_);
  // Downloads the results and keeps them in the state. Blocks.
  absl::Status Bring(HandleState* cell, const ResultsInDaemon& results) ABSL_LOCKS_EXCLUDED(mu_);
  // Tells the daemon that it may drop the results.
  void ReleaseBrought(HandleState* cell, const ResultsInDaemon& results) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // ---- Waiting for room in the daemon (session_room.cc) ----
  // The handle is in this batch; a cancel that was asked for before follows.
  void NoteSent(HandleState* cell, std::uint64_t batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The handle is in no batch any more.
  void NoteWaiting(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Puts the task into its pool's backlog.
  void Postpone(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Sends arguments from an arena by upload, because a restarted daemon does not know the arena. False: a worker took
  // them.
  bool SendAnotherWay(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // After a refusal: sends the task again later, where that can help. False: the refusal is final.
  bool TryLater(HandleState* cell, const absl::Status& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Sends a kept submission now, or uploads its arguments first.
  void Resubmit(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Sends the next `burst` tasks of the pool's backlog.
  void ResubmitSome(PoolEntry& pool) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Drops the kept submission, and wakes threads that wait for room.
  void ForgetResubmission(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Waits until few items of the map wait for room in the daemon. OK in any case.
  absl::Status AwaitWindow(MapHandleState* map) ABSL_LOCKS_EXCLUDED(mu_);
  // Sends items of the map's window, as far as they may be sent.
  void SendWindow(MapHandleState* map) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // After a refusal of items. True: the items are sent again later.
  bool GoOnLater(MapHandleState* map, const absl::Status& why, std::uint64_t accepted)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Ends a task or map that the daemon has never taken as CANCELLED.
  void EndUnsent(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Ends the map with the items that the daemon has, because the daemon takes no more (the pool was closed).
  void CutShort(MapHandleState* map, const absl::Status& why, std::uint64_t accepted)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The daemon has taken the acknowledged batches: forgets their kept submissions, and sends more.
  void AcknowledgeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Sends tasks and items whose time has come.
  void TryRoom(Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The moment of the next TryRoom.
  Clock::time_point NextTry() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // ---- Outcomes (session_outcomes.cc) ----
  // Calls output callbacks, without the mutex. Called by the leader only, before Apply.
  void DeliverOutputs(const v1::SessionResponse& response) ABSL_LOCKS_EXCLUDED(mu_);
  // Calls progress callbacks, without the mutex. Called by the leader only, before Apply.
  void DeliverProgress(const v1::SessionResponse& response) ABSL_LOCKS_EXCLUDED(mu_);
  // Applies a response: greeting, refusals, acknowledgements, outcomes, in this order.
  void Apply(v1::SessionResponse& response) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ApplySucceeded(const v1::OutcomeGroup& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ApplyOther(v1::TaskOutcome& outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ApplyMap(v1::MapOutcomes& outcomes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Tells the daemon that it may drop the map's items that are here, unless the map is kept.
  void TellConsumed(MapHandleState* map) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ApplyRefusal(const v1::SubmitResult& refusal) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Takes a state that has ended out of the tables, posts its callbacks, and releases it where no handle holds it.
  void Retire(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Releases the outcome early where the daemon is short of room, or notes that its result lies there.
  void ReleaseOrNote(TaskHandleState* task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Tells the daemon that it may drop the outcome, unless the outcome is kept or the daemon was told before.
  void ReleaseOutcome(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Cancels and releases a map of which the daemon has a part that no handle will ask for.
  void GiveUp(MapHandleState* map) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Ends the handle with a refusal.
  void Refuse(HandleState* cell, absl::Status why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Ends the handle as lost: the daemon was restarted.
  void Lose(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Adds references. False: the last handle was dropped, and TakeDropped has not seen that.
  bool Hold(HandleState* cell, std::uint32_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Posts the callbacks of OnDone, each with a reference of its own.
  void PostCallbacks(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Releases an outcome without handles, and frees the state.
  void Discard(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Frees a state, or keeps it for the next task.
  void Free(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The last handle of an unfinished state was dropped: a task goes on, the rest of a map is cancelled.
  void Detach(HandleState* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Handles the list of dropped states.
  void TakeDropped() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Forgets every pending state and releases its outcome, unless it is kept: the daemon drops outcomes as they come
  // about.
  void ReleaseAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // ---- The stream (session.cc) ----
  // The leader's pump (leader.h).
  bool Pump(Clock::time_point until, bool waiter) ABSL_LOCKS_EXCLUDED(mu_);
  // Waits for an event, at most until the next timer.
  SessionStream::Event NextEvent(Clock::time_point until, bool waiter) ABSL_LOCKS_EXCLUDED(mu_);
  // The handlers below run in the leader.
  void OnEvent(SessionStream::Event event) ABSL_LOCKS_EXCLUDED(mu_);
  void OnStarted(bool ok) ABSL_LOCKS_EXCLUDED(mu_);
  void OnRead(bool ok) ABSL_LOCKS_EXCLUDED(mu_);
  void OnWritten(bool ok) ABSL_LOCKS_EXCLUDED(mu_);
  void OnFinished() ABSL_LOCKS_EXCLUDED(mu_);
  // Takes the stream down; OnEnded plans the next one. REQUIRES: stream_->over().
  void EndStream() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Runs whatever is due.
  void OnTime() ABSL_LOCKS_EXCLUDED(mu_);
  // Whether neither side owes anything to the other.
  bool Idle() const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  // Whether the session leaves a gRPC stream for a local one.
  bool SwitchesToLocal() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The daemon answered the hello: sends again, or ends handles as lost where the daemon was restarted.
  void OnGreeted(const v1::ServerInfo& server) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The daemon has taken so many requests of this stream.
  void OnAcknowledged(std::uint64_t taken) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The stream has ended with this status: plans the next one; a final status also ends what was under way.
  void OnEnded(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Posts ClientOptions::on_connection, once for each change.
  void TellConnection(const absl::Status& connection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Asks the daemon for the outcomes of all handles that it took on an earlier stream.
  void Subscribe() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Opens a stream. REQUIRES: none is open.
  void OpenStream(std::shared_ptr<SessionStream> stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The next stream: a local one where possible.
  std::shared_ptr<SessionStream> NewStream() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The moment at which OnTime must run.
  Clock::time_point NextTimer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Begins the end: no stream is opened any more.
  void CancelStream() ABSL_LOCKS_EXCLUDED(mu_);

  // Constant after construction.
  const std::shared_ptr<Stub> stub_;
  const ClientOptions options_;
  const std::string client_id_;

  // Synchronise themselves.
  GrpcEvents grpc_events_;
  CallbackThread callbacks_;
  CallbackThread uploads_;
  CallbackThread results_;
  // States whose last handle was dropped, as a list; pushed without the mutex.
  std::atomic<HandleState*> dropped_{nullptr};
  std::atomic<std::uint32_t> dropped_count_{0};

  Mutex mu_;
  Leader leader_;  // guarded by mu_
  std::weak_ptr<HandleOwner> owner_ ABSL_GUARDED_BY(mu_);
  // Started by Start, ended by Stop.
  std::thread background_;
  State state_ ABSL_GUARDED_BY(mu_) = State::kDown;
  // Stop was called; shut_: the background thread may end.
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool shut_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<SessionStream> stream_ ABSL_GUARDED_BY(mu_);
  // The next stream uses gRPC and stays.
  bool through_grpc_ ABSL_GUARDED_BY(mu_) = false;
  // The stream that takes the present one's place.
  std::shared_ptr<SessionStream> next_stream_ ABSL_GUARDED_BY(mu_);
  // The end of the leader's present wait; the beginning of time: the leader does not wait.
  Clock::time_point sleeps_until_ ABSL_GUARDED_BY(mu_){};
  // The moment at which paced entries are written.
  Clock::time_point write_at_ ABSL_GUARDED_BY(mu_) = Clock::time_point::max();
  // Why the last stream ended; OK while one is up.
  absl::Status last_end_ ABSL_GUARDED_BY(mu_);
  // The moment of the next attempt to open a stream, and the pause before it.
  Clock::time_point retry_at_ ABSL_GUARDED_BY(mu_) = Clock::time_point::max();
  Duration backoff_ ABSL_GUARDED_BY(mu_){};
  // The daemon, as it greeted last.
  v1::ServerInfo server_ ABSL_GUARDED_BY(mu_);
  // ClientOptions::on_connection was told that the daemon went away.
  bool told_away_ ABSL_GUARDED_BY(mu_) = false;
  // The daemon is short of room for outcomes: outcomes that are here need not be kept there.
  bool room_is_short_ ABSL_GUARDED_BY(mu_) = false;
  // Handles whose results lie in the daemon and that this client alone asks for; brings_: they are being brought.
  absl::flat_hash_set<HandleState*> in_daemon_ ABSL_GUARDED_BY(mu_);
  bool brings_ ABSL_GUARDED_BY(mu_) = false;
  // Threads that wait for a change of state_, for room in the outbox, for acknowledgements.
  WaitNode* state_waiters_ ABSL_GUARDED_BY(mu_) = nullptr;
  WaitNode* room_waiters_ ABSL_GUARDED_BY(mu_) = nullptr;
  WaitNode* flush_waiters_ ABSL_GUARDED_BY(mu_) = nullptr;

  Outbox outbox_ ABSL_GUARDED_BY(mu_);
  HandleRegistry handles_ ABSL_GUARDED_BY(mu_);
  // Pools with a backlog, and maps with items in their window.
  absl::flat_hash_set<PoolEntry*> full_pools_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_set<MapHandleState*> windows_ ABSL_GUARDED_BY(mu_);
  // A task that may be refused for want of room, until the daemon has taken the batch in which it left.
  struct Offer {
    std::uint64_t batch = 0;
    HandleId id;
  };
  std::deque<Offer> offered_ ABSL_GUARDED_BY(mu_);
  // The next Resubmission::number.
  std::uint64_t next_submission_ ABSL_GUARDED_BY(mu_) = 1;
  // The bytes of submissions that are kept to be sent again.
  std::uint64_t resubmission_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  // Details to destroy without the mutex, because users' callbacks may own handles.
  std::vector<std::unique_ptr<HandleDetail>> grave_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poold::client::internal
