#include "session/session.h"

#include <algorithm>
#include <utility>

#include "error.h"
#include "session/cancellation.h"
#include "session/jitter.h"
#include "transport/local_stream.h"

namespace poold::client::internal {
namespace {

constexpr Duration kFirstBackoff = std::chrono::milliseconds(20);
constexpr Duration kLastBackoff = std::chrono::seconds(1);
// A release waits at most about this long for company.
constexpr Duration kReleasePatience = std::chrono::milliseconds(50);

// The daemon said that this very request cannot be: sending it again would end the same way.
bool Final(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::UNIMPLEMENTED:
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::OUT_OF_RANGE:
      return true;
    default:
      return false;
  }
}

}  // namespace

Session::Session(std::shared_ptr<Stub> stub, const ClientOptions& options)
    : stub_(std::move(stub)),
      options_(options),
      client_id_(HandleId::Random().ToBytes()),
      leader_(&mu_, [this](Clock::time_point until, bool waiter) { return Pump(until, waiter); }),
      handles_(HandleId::Random()) {}

void Session::Begin(Write write) {
  if (write.request == nullptr) return;
  const NotCancelled not_cancelled;
  while (write.request != nullptr) {
    const std::optional<bool> done = write.stream->Write(*write.request);
    if (!done) return;
    MutexLock lock(&mu_);
    write.stream->writing = false;
    if (write.stream == stream_ && stream_->over()) {
      EndStream();
      write.stream->Wake();  // the leader may wait there still
    }
    write = *done ? NextWrite() : Write{};
  }
}

absl::Status Session::Start(std::weak_ptr<HandleOwner> owner, std::shared_ptr<SessionStream> stream,
                            Deadline deadline) {
  {
    MutexLock lock(&mu_);
    owner_ = std::move(owner);
    next_stream_ = std::move(stream);
    OpenStream(NewStream());
  }
  background_ = std::thread([self = shared_from_this()] {
    self->leader_.RunBackground([&self]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return self->shut_; },
                                [&self]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return self->Idle(); });
    self->grpc_events_.Shutdown();
  });
  MutexLock lock(&mu_);
  while (state_ != State::kUp && last_end_.ok() && !deadline.passed()) {
    Waiter waiter;
    WaitNode node{&waiter};
    const Linked linked(&state_waiters_, &node);
    leader_.Await(&waiter, deadline);
  }
  if (state_ == State::kUp) return absl::OkStatus();
  if (!last_end_.ok()) return last_end_;
  return absl::UnavailableError("what listens at " + stub_->address() +
                                " has not answered in time: it is no poold, or one that is too busy");
}

std::string Session::instance_id() {
  MutexLock lock(&mu_);
  return server_.instance_id();
}

// REQUIRES: no stream is open.
void Session::OpenStream(std::shared_ptr<SessionStream> stream) {
  state_ = State::kStarting;
  retry_at_ = Clock::time_point::max();
  stream_ = std::move(stream);
  stream_->hello.mutable_hello()->set_client_id(client_id_);
  stream_->hello.mutable_hello()->set_client_name(options_.client_name);
  stream_->hello.mutable_hello()->set_takes_shared_memory(stub_->on_unix_socket());
  // Starting calls nobody back: it is safe with the mutex held, and happens once for each connection.
  stream_->Start();
}

std::shared_ptr<SessionStream> Session::NewStream() {
  if (next_stream_ != nullptr) return std::move(next_stream_);
  const bool stays = std::exchange(through_grpc_, false) || options_.only_grpc;
  if (!stays) {
    if (auto local = LocalStream::Connect(stub_->address_without_grpc())) return local;
  }
  auto stream = std::make_shared<GrpcStream>(&stub_->grpc(), &grpc_events_);
  stream->stays = stays;
  return stream;
}

bool Session::Pump(Clock::time_point until, bool waiter) {
  const SessionStream::Event event = NextEvent(until, waiter);
  const bool came = event.done != SessionStream::Done::kNothing;
  if (came) {
    OnEvent(event);
  } else {
    OnTime();
  }
  std::vector<std::unique_ptr<HandleDetail>> grave;
  MutexLock lock(&mu_);
  grave.swap(grave_);
  if (!grave.empty()) {
    // Destroyed without the mutex: there may be handles in what users gave us.
    mu_.Unlock();
    grave.clear();
    mu_.Lock();
  }
  return came;
}

SessionStream::Event Session::NextEvent(Clock::time_point until, bool waiter) {
  std::shared_ptr<SessionStream> stream;
  Write write;
  {
    MutexLock lock(&mu_);
    // A thread that is about to sleep has nothing to add.
    if (waiter) write = NextWrite(What::kUrgent);
  }
  Begin(std::move(write));
  {
    MutexLock lock(&mu_);
    until = std::min(until, NextTimer());
    sleeps_until_ = until;
    stream = stream_;
  }
  const SessionStream::Event event = stream != nullptr ? stream->Next(until) : grpc_events_.Next(until);
  MutexLock lock(&mu_);
  sleeps_until_ = {};
  return event;
}

Session::Clock::time_point Session::NextTimer() {
  Clock::time_point next = std::min(retry_at_, write_at_);
  next = std::min(next, NextTry());
  if (dropped_count_.load(std::memory_order_relaxed) != 0 || (!outbox_.empty() && state_ == State::kUp)) {
    next = std::min<Clock::time_point>(next, Clock::now() + kReleasePatience);
  }
  return next;
}

// The daemon owes it nothing, and it owes the daemon nothing.
bool Session::Idle() const {
  return state_ == State::kUp && !stopping_ && !stream_->writing && handles_.empty() && outbox_.empty() &&
         outbox_.unacknowledged() == 0 && dropped_count_.load(std::memory_order_relaxed) == 0;
}

void Session::OnTime() {
  Write write;
  {
    MutexLock lock(&mu_);
    const Clock::time_point now = Clock::now();
    if (state_ == State::kDown && !stopping_ && now >= retry_at_) OpenStream(NewStream());
    TryRoom(now);
    write = NextWrite(What::kAll);
  }
  Begin(std::move(write));
}

void Session::OnEvent(SessionStream::Event event) {
  switch (event.done) {
    case SessionStream::Done::kStart:
      return OnStarted(event.ok);
    case SessionStream::Done::kRead:
      return OnRead(event.ok);
    case SessionStream::Done::kWrite:
      return OnWritten(event.ok);
    case SessionStream::Done::kFinish: {
      MutexLock lock(&mu_);
      stream_->finished = true;
      break;
    }
    case SessionStream::Done::kNothing:
    case SessionStream::Done::kWake:
      break;
  }
  OnFinished();
}

void Session::OnStarted(bool ok) {
  std::shared_ptr<SessionStream> stream;
  {
    MutexLock lock(&mu_);
    stream = stream_;
    stream->finishing = !ok;
    if (ok) {
      state_ = State::kGreeting;
      stream->reading = stream->writing = true;
    }
  }
  if (!ok) return stream->Finish();
  stream->Read();
  Begin({stream, &stream->hello});
}

void Session::OnRead(bool ok) {
  std::shared_ptr<SessionStream> stream;
  Write write;
  {
    MutexLock lock(&mu_);
    stream = stream_;
    if (!ok) {
      stream->reading = false;
      stream->finishing = true;
    }
  }
  if (!ok) return stream->Finish();
  if (stream->response.outputs_size() != 0) DeliverOutputs(stream->response);
  if (stream->response.progress_size() != 0) DeliverProgress(stream->response);
  {
    MutexLock lock(&mu_);
    Apply(stream->response);
    write = NextWrite();
  }
  stream->Read();
  Begin(std::move(write));
}

void Session::OnWritten(bool ok) {
  Write write;
  {
    MutexLock lock(&mu_);
    stream_->writing = false;
    if (ok) write = NextWrite();
  }
  Begin(std::move(write));
  // Also a write that went well may be told of after the stream's end.
  OnFinished();
}

// Something that was under way on the stream has ended: perhaps it was the last.
void Session::OnFinished() {
  MutexLock lock(&mu_);
  if (stream_ != nullptr && stream_->over()) EndStream();
}

void Session::EndStream() {
  const std::shared_ptr<SessionStream> stream = std::exchange(stream_, nullptr);
  // There are no sessions at its payload socket, or not now.
  through_grpc_ = stream->is_local() && state_ != State::kUp;
  OnEnded(stream->status);
}

void Session::OnEnded(const grpc::Status& status) {
  const bool was_up = std::exchange(state_, State::kDown) == State::kUp;
  last_end_ = FromGrpc(status, stub_->address());
  if (last_end_.ok()) last_end_ = absl::UnavailableError("poold at " + stub_->address() + " ended the stream");
  if (was_up && Final(status)) {
    const std::uint64_t after = outbox_.last_acknowledged();
    const std::uint64_t upto = outbox_.last_sent();
    const auto under_way = [&](const HandleState& cell) {
      return cell.in_batch() && cell.batch > after && cell.batch <= upto;
    };
    for (HandleState* cell : handles_.Pending(under_way)) Refuse(cell, last_end_);
    outbox_.ForgetSent();
  }
  if (was_up && !stopping_) TellConnection(last_end_);
  WakeAll(&flush_waiters_);
  write_at_ = Clock::time_point::max();
  backoff_ = was_up ? kFirstBackoff : std::clamp<Duration>(backoff_ * 2, kFirstBackoff, kLastBackoff);
  retry_at_ = Clock::now() + Jittered(backoff_ / 2);
  if (through_grpc_ || next_stream_ != nullptr) {
    last_end_ = absl::OkStatus();
    retry_at_ = Clock::now();
  }
  if (stopping_) shut_ = true;
  WakeAll(&state_waiters_);
  leader_.WakeBackground();
}

void Session::TellConnection(const absl::Status& connection) {
  const bool back = connection.ok();
  if (options_.on_connection == nullptr || told_away_ != back) return;
  told_away_ = !back;
  callbacks_.Post([tell = options_.on_connection, connection] { tell(connection); });
}

// A daemon that was away may take connections of its two kinds one after the other.
bool Session::SwitchesToLocal() {
  if (stream_->is_local() || stream_->stays) return false;
  next_stream_ = LocalStream::Connect(stub_->address_without_grpc());
  return next_stream_ != nullptr;
}

void Session::OnGreeted(const v1::ServerInfo& server) {
  if (SwitchesToLocal()) return stream_->Cancel();
  const bool restarted = !server_.instance_id().empty() && server_.instance_id() != server.instance_id();
  server_ = server;
  stub_->UsePayloadSocket(server);
  stub_->UseLocalCalls(stream_->is_local());
  state_ = State::kUp;
  room_is_short_ = false;  // or it is said next
  last_end_ = absl::OkStatus();
  TellConnection(last_end_);
  if (restarted) {
    handles_.ForgetShards();
    const std::uint64_t upto = outbox_.last_sent();
    const auto there = [&](const HandleState& cell) {
      return cell.resumed() || (cell.in_batch() && cell.batch <= upto);
    };
    for (HandleState* cell : handles_.Pending(there)) Lose(cell);
    outbox_.ForgetSent();
  } else {
    outbox_.Rewind();
    Subscribe();
  }
  TryRoom(Clock::now());
  WakeAll(&state_waiters_);
}

// To everything that the daemon took on an earlier stream and that is not finished.
void Session::Subscribe() {
  const std::uint64_t upto = outbox_.last_acknowledged();
  std::vector<HandleId> ids;
  for (const HandleState* cell :
       handles_.Pending([&](const HandleState& cell) { return cell.in_batch() && cell.batch <= upto; })) {
    ids.push_back(cell->id);
  }
  std::sort(ids.begin(), ids.end());
  for (const HandleId& id : ids) outbox_.AddSubscription(id);
}

void Session::OnAcknowledged(std::uint64_t taken) {
  if (taken <= stream_->taken) return;
  const bool hello = stream_->taken == 0;
  outbox_.Acknowledge(taken - stream_->taken - (hello ? 1 : 0));
  stream_->taken = taken;
  AcknowledgeRoom();
  WakeAll(&flush_waiters_);
  if (room_waiters_ != nullptr && outbox_.bytes() < options_.max_unsent_bytes) WakeAll(&room_waiters_);
}

absl::Status Session::Flush(Deadline deadline) {
  MutexLock lock(&mu_);
  const std::uint64_t target = outbox_.next_number() - 1;
  while (outbox_.last_acknowledged() < target && (!outbox_.empty() || outbox_.unacknowledged() != 0)) {
    if (deadline.passed()) {
      return MakeError(reason::kWaitTimeout, "poold at " + stub_->address() + " has not taken everything yet");
    }
    Write write = NextWrite(What::kAll);
    if (write.request != nullptr) {
      mu_.Unlock();
      Begin(std::move(write));
      mu_.Lock();
      continue;
    }
    Waiter waiter;
    WaitNode node{&waiter};
    const Linked linked(&flush_waiters_, &node);
    leader_.Await(&waiter, deadline);
  }
  return absl::OkStatus();
}

void Session::CancelStream() {
  std::shared_ptr<SessionStream> stream;
  {
    MutexLock lock(&mu_);
    // The background thread may sleep in the completion queue with nothing to come; once it sees shut_ it may end the
    // queue, so the alarm is set before.
    WakeLeader();
    stopping_ = true;
    if (stream_ == nullptr) shut_ = true;
    stream = stream_;
    leader_.WakeBackground();
  }
  if (stream != nullptr) stream->Cancel();
}

void Session::Stop() {
  const NotCancelled not_cancelled;
  {
    MutexLock lock(&mu_);
    TakeDropped();
    ReleaseAll();
  }
  (void)Flush(Deadline(options_.flush_timeout));
  CancelStream();
  if (background_.get_id() == std::this_thread::get_id()) {
    background_.detach();
  } else if (background_.joinable()) {
    background_.join();
  }
  callbacks_.Stop();
  uploads_.Stop();
  results_.Stop();
}

}  // namespace poold::client::internal
