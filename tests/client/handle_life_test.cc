// The lives of handles: each transition of the tables is made by something that a user or a daemon does, and no other
// is possible. The daemon is played.
#include "session/handle_life.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "poold/client/status.h"
#include "session/owner.h"

namespace poold::client::internal {
namespace {

using std::chrono::seconds;

constexpr seconds kPatience(30);

// A stream whose daemon says what the test tells it to say. The daemon has taken whatever was written, until
// StopTaking.
class PlayedStream : public SessionStream {
 public:
  void Start() override { Come({Done::kStart, true}); }
  void Read() override {
    const std::lock_guard lock(mu_);
    wants_ = true;
    Serve();
  }
  std::optional<bool> Write(const v1::SessionRequest& request) override {
    const std::lock_guard lock(mu_);
    written_ += 1;
    cancels_ += request.cancel().count_size();
    return true;
  }
  void Finish() override {
    status = grpc::Status::OK;
    Come({Done::kFinish, true});
  }
  void Cancel() override {
    const std::lock_guard lock(mu_);
    ended_ = true;
    Serve();
  }
  Event Next(Clock::time_point until) override {
    std::unique_lock lock(mu_);
    const auto here = [this] { return !events_.empty(); };
    if (until == Clock::time_point::max()) {
      come_.wait(lock, here);
    } else if (!come_.wait_until(lock, until, here)) {
      return {};
    }
    return std::exchange(events_, std::deque<Event>(events_.begin() + 1, events_.end())).front();
  }
  void Wake() override { Come({Done::kWake, true}); }
  bool is_local() const override { return true; }

  // Says this next.
  void Say(v1::SessionResponse said) {
    const std::lock_guard lock(mu_);
    if (takes_) said.set_taken_requests(written_);
    said_.push_back(std::move(said));
    Serve();
  }
  // From now on the daemon acknowledges nothing.
  void StopTaking() {
    const std::lock_guard lock(mu_);
    takes_ = false;
  }
  // Cancels that came so far.
  int cancels() {
    const std::lock_guard lock(mu_);
    return cancels_;
  }

 private:
  void Come(Event event) {
    const std::lock_guard lock(mu_);
    events_.push_back(event);
    come_.notify_one();
  }
  void Serve() {
    if (!wants_ || (said_.empty() && !ended_)) return;
    wants_ = false;
    const bool ok = !said_.empty();
    if (ok) {
      response = std::move(said_.front());
      said_.pop_front();
    }
    events_.push_back({Done::kRead, ok});
    come_.notify_one();
  }

  std::mutex mu_;
  std::condition_variable come_;
  std::deque<Event> events_;
  std::deque<v1::SessionResponse> said_;
  bool wants_ = false;
  bool ended_ = false;
  bool takes_ = true;
  std::uint64_t written_ = 0;
  int cancels_ = 0;
};

// A client of a played daemon.
class Played {
 public:
  explicit Played(std::uint64_t max_unsent_bytes = 1 << 20) {
    const std::string nowhere = "unix:/nowhere/poold.sock";
    const auto stub = std::make_shared<Stub>(grpc::CreateChannel(nowhere, grpc::InsecureChannelCredentials()), nowhere,
                                             std::chrono::milliseconds(10));
    session_ = std::make_shared<Session>(
        stub, ClientOptions{.max_unsent_bytes = max_unsent_bytes, .flush_timeout = Duration::zero()});
    owner_ = std::make_shared<SessionOwner>(session_);
    Greet("first");
    EXPECT_TRUE(session_->Start(owner_, stream_, Deadline(kPatience)).ok());
  }

  Session& session() { return *session_; }
  PlayedStream& stream() { return *stream_; }

  // A daemon with this instance id says hello.
  void Greet(const std::string& instance) {
    v1::SessionResponse hello;
    hello.mutable_server()->set_instance_id(instance);
    hello.mutable_server()->mutable_limits()->set_session_window(64);
    stream_->Say(std::move(hello));
  }
  TaskRef Submit(bool wait_when_full = false) {
    const TaskOptions options{.wait_when_full = wait_when_full};
    return session_->Submit({.pool = "p", .function = "f", .args = "\x90", .options = &options}, owner_);
  }
  // A map with `items` items that wait for room.
  MapRef Map(std::uint32_t items, bool complete = true) {
    const MapOptions options{.task = {.wait_when_full = true}};
    MapRef map = session_->OpenMap({.pool = "p", .function = "f", .options = &options}, owner_);
    const std::vector<std::uint32_t> lengths(items, 1);
    const std::string bytes(items, '\x90');
    EXPECT_TRUE(session_->AddItems(map.get(), {lengths, bytes, complete}).ok());
    return map;
  }
  absl::StatusOr<HandleState*> Resume(const std::string& written) { return session_->Resume(written, false, owner_); }

  void Succeed(const HandleState& task) {
    v1::SessionResponse said;
    v1::OutcomeGroup* group = said.add_succeeded();
    group->set_id_high(task.id.high);
    group->add_id_low(task.id.low);
    group->add_result_bytes(0);
    stream_->Say(std::move(said));
  }
  void Fail(const HandleState& task) {
    v1::SessionResponse said;
    v1::TaskOutcome* other = said.add_others();
    other->mutable_ids()->add_high(task.id.high);
    other->mutable_ids()->add_low(task.id.low);
    other->mutable_ids()->add_count(1);
    other->mutable_outcome()->set_state(v1::TASK_STATE_FAILED);
    stream_->Say(std::move(said));
  }
  // Ends a map of two items.
  void EndMap(const HandleState& map, bool well) {
    v1::SessionResponse said;
    v1::MapOutcomes* outcomes = said.add_maps();
    outcomes->set_id(map.id.ToBytes());
    outcomes->mutable_end()->set_done(true);
    v1::ItemOutcomes* items = outcomes->add_outcomes();
    for (int i = 0; i < 2; ++i) items->add_result_bytes(0);
    if (!well) items->add_others()->mutable_outcome()->set_state(v1::TASK_STATE_FAILED);
    stream_->Say(std::move(said));
  }
  // Refuses for want of room, until an hour from now or until `retry`.
  void RefuseForNow(const HandleState& cell, std::optional<std::uint64_t> accepted = {},
                    seconds retry = std::chrono::hours(1)) {
    google::rpc::RetryInfo info;
    info.mutable_retry_delay()->set_seconds(retry.count());
    Refuse(cell, absl::StatusCode::kResourceExhausted, "QUEUE_FULL", accepted, &info);
  }
  void Refuse(const HandleState& cell, absl::StatusCode code, const std::string& reason,
              std::optional<std::uint64_t> accepted = {}, const google::rpc::RetryInfo* retry = nullptr) {
    v1::SessionResponse said;
    v1::SubmitResult* refusal = said.add_refused();
    refusal->set_id(cell.id.ToBytes());
    refusal->mutable_error()->set_code(static_cast<int>(code));
    google::rpc::ErrorInfo info;
    info.set_reason(reason);
    refusal->mutable_error()->add_details()->PackFrom(info);
    if (retry != nullptr) refusal->mutable_error()->add_details()->PackFrom(*retry);
    if (accepted) refusal->set_accepted_items(*accepted);
    stream_->Say(std::move(said));
  }
  void RefuseForGood(const HandleState& cell, std::optional<std::uint64_t> accepted = {}) {
    Refuse(cell, absl::StatusCode::kFailedPrecondition, "POOL_NOT_RUNNING", accepted);
  }

 private:
  std::shared_ptr<PlayedStream> stream_ = std::make_shared<PlayedStream>();
  std::shared_ptr<Session> session_;
  std::shared_ptr<SessionOwner> owner_;
};

void Await(const HandleState& cell, Phase phase) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (cell.phase.published() != phase && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  ASSERT_EQ(cell.phase.published(), phase);
}

// Ends of a task that is with the daemon, after `begin`.
template <typename Begin>
void EndsOfTask(Begin begin) {
  using End = void (*)(Played&, const HandleState&);
  const std::pair<Phase, End> ends[] = {
      {Phase::kSucceeded, [](Played& client, const HandleState& task) { client.Succeed(task); }},
      {Phase::kEnded, [](Played& client, const HandleState& task) { client.Fail(task); }},
      {Phase::kRefused, [](Played& client, const HandleState& task) { client.RefuseForGood(task); }},
      {Phase::kLost, [](Played& client, const HandleState&) { client.Greet("second"); }},
  };
  for (const auto& [phase, end] : ends) {
    Played client;
    const TaskRef task = client.Submit(/*wait_when_full=*/true);
    ASSERT_NO_FATAL_FAILURE(begin(client, *task.get()));
    if (phase == Phase::kLost && !task.get()->in_batch()) continue;
    end(client, *task.get());
    ASSERT_NO_FATAL_FAILURE(Await(*task.get(), phase));
  }
}

void CancelOnceSent(Played& client, HandleState& task) {
  client.session().CancelSoon(task, false);
  ASSERT_EQ(task.phase.published(), Phase::kCancelling);
}

void WaitForRoom(Played& client, HandleState& task) {
  client.RefuseForNow(task);
  ASSERT_NO_FATAL_FAILURE(Await(task, Phase::kWaiting));
}

void TasksWithTheDaemon() {
  EndsOfTask([](Played&, HandleState& task) { ASSERT_EQ(task.phase.published(), Phase::kSent); });
}

void TasksThatAreCancelledThere() {
  EndsOfTask(CancelOnceSent);
  Played client;
  const TaskRef task = client.Submit(/*wait_when_full=*/true);
  CancelOnceSent(client, *task.get());
  client.RefuseForNow(*task.get());
  ASSERT_NO_FATAL_FAILURE(Await(*task.get(), Phase::kNeverSent));
  EXPECT_EQ(task.state(), TaskState::kCancelled);
}

void TasksThatWaitForRoom() {
  EndsOfTask(WaitForRoom);
  Played client;
  const TaskRef cancelled = client.Submit(/*wait_when_full=*/true);
  ASSERT_NO_FATAL_FAILURE(WaitForRoom(client, *cancelled.get()));
  client.session().CancelSoon(*cancelled.get(), false);
  EXPECT_EQ(cancelled.get()->phase.published(), Phase::kNeverSent);

  const TaskRef tried_again = client.Submit(/*wait_when_full=*/true);
  client.RefuseForNow(*tried_again.get(), {}, seconds(0));
  client.Succeed(*tried_again.get());
  ASSERT_NO_FATAL_FAILURE(Await(*tried_again.get(), Phase::kSucceeded));

  const auto lost = client.Resume("poold:another:00000000000000010000000000000002");
  ASSERT_TRUE(lost.ok());
  EXPECT_EQ((*lost)->phase.published(), Phase::kLost);
  const TaskRef dropped(AsTask(*lost));
}

// Brings a map to kWaitingToCancel: the map was cancelled, then the daemon said that it does not have the items, and
// there is no room to send them again.
void CancelThenSendAgain(Played& client, HandleState& map) {
  client.stream().StopTaking();
  client.session().CancelSoon(map, false);
  ASSERT_EQ(map.phase.published(), Phase::kCancelling);
  client.Refuse(map, absl::StatusCode::kFailedPrecondition, "ITEMS_MISSING", 0);
  ASSERT_NO_FATAL_FAILURE(Await(map, Phase::kWaitingToCancel));
}

void MapsThatAreSentAgainToBeCancelled() {
  using End = void (*)(Played&, HandleState&);
  const std::pair<Phase, End> ends[] = {
      {Phase::kSucceeded, [](Played& client, HandleState& map) { client.EndMap(map, true); }},
      {Phase::kEnded, [](Played& client, HandleState& map) { client.EndMap(map, false); }},
      {Phase::kRefused, [](Played& client, HandleState& map) { client.RefuseForGood(map); }},
      {Phase::kNeverSent, [](Played& client, HandleState& map) { client.session().CancelSoon(map, false); }},
  };
  for (const auto& [phase, end] : ends) {
    Played client(/*max_unsent_bytes=*/2);
    const MapRef map = client.Map(2);
    ASSERT_NO_FATAL_FAILURE(CancelThenSendAgain(client, *map.get()));
    end(client, *map.get());
    ASSERT_NO_FATAL_FAILURE(Await(*map.get(), phase));
  }
  Played client;
  const MapRef map = client.Map(2);
  client.session().CancelSoon(*map.get(), false);
  client.Refuse(*map.get(), absl::StatusCode::kFailedPrecondition, "ITEMS_MISSING", 0);
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (client.stream().cancels() < 2 && std::chrono::steady_clock::now() < give_up) {
    (void)client.session().Flush(Deadline(Duration::zero()));
  }
  EXPECT_EQ(client.stream().cancels(), 2);  // the daemon did not know what the first one meant
  EXPECT_EQ(map.get()->phase.published(), Phase::kCancelling);
}

void InputsOfMaps() {
  for (const bool complete : {true, false}) {
    Played client;
    const MapRef map = client.Map(2, complete);
    EXPECT_EQ(map.get()->input.now(), complete ? MapInput::kComplete : MapInput::kOpen);
    client.RefuseForGood(*map.get(), 1);
    client.EndMap(*map.get(), false);
    ASSERT_NO_FATAL_FAILURE(Await(*map.get(), Phase::kEnded));
    EXPECT_EQ(map.get()->input.now(), MapInput::kCutShort);
  }
}

void HandlesThatAreDroppedAndResumed() {
  Played client;
  std::string written;
  {
    const TaskRef task = client.Submit();
    written = task.id().ToHex();
  }
  const auto again = client.Resume(written);
  ASSERT_TRUE(again.ok());
  const TaskRef task(AsTask(*again));
  EXPECT_FALSE(task.get()->resumed());  // it is the same state
  client.Succeed(*task.get());
  ASSERT_NO_FATAL_FAILURE(Await(*task.get(), Phase::kSucceeded));
}

template <typename State, std::size_t kCount>
void ExpectAllMade(const Transition<State> (&table)[kCount]) {
  for (const auto& [from, to] : table) {
    EXPECT_TRUE(Life<State>::WasMade(from, to)) << static_cast<int>(from) << " to " << static_cast<int>(to);
  }
}

TEST(HandleLife, ReachesEveryTransition) {
  TasksWithTheDaemon();
  TasksThatAreCancelledThere();
  TasksThatWaitForRoom();
  MapsThatAreSentAgainToBeCancelled();
  InputsOfMaps();
  HandlesThatAreDroppedAndResumed();
  ExpectAllMade(kPhaseTransitions);
  ExpectAllMade(kHolderTransitions);
  ExpectAllMade(kMapInputTransitions);
}

TEST(HandleLife, RefusedHandlesAreNotBroughtWhereRoomIsShort) {
  Played client;
  v1::SessionResponse shortage;
  shortage.set_room_is_short(true);
  client.stream().Say(std::move(shortage));
  const TaskRef refused = client.Submit();
  client.RefuseForGood(*refused.get());
  const TaskRef next = client.Submit();
  client.Succeed(*next.get());
  ASSERT_NO_FATAL_FAILURE(Await(*next.get(), Phase::kSucceeded));
  EXPECT_EQ(ReasonOf(refused.Await(Duration::zero())), "POOL_NOT_RUNNING");
}

TEST(HandleLifeDeathTest, AbortsOnWhatIsNotInTheTable) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Life<Phase> ended(Phase::kEnded);
  EXPECT_DEATH(ended.Move(Phase::kSent), "from state 5 to 1");
  Life<Phase> waiting(Phase::kWaiting);
  EXPECT_DEATH(waiting.Move(Phase::kCancelling), "does not follow");
  Life<MapInput> cut_short(MapInput::kCutShort);
  EXPECT_DEATH(cut_short.Move(MapInput::kComplete), "does not follow");
}

}  // namespace
}  // namespace poold::client::internal
