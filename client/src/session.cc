#include "session.h"

#include <algorithm>
#include <utility>

#include "error.h"
#include "jitter.h"
#include "session_stream.h"

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
      id_high_(HandleId::Random().high),
      leader_(&mu_, [this](Clock::time_point until) { return Pump(until); }) {}

Session::~Session() {
  for (TaskCell* cell : spare_) delete cell;
}

void Session::Write::Begin() {
  if (request != nullptr) stream->rw->Write(*request, ToPointer(Tag::kWritten));
}

absl::Status Session::Start(std::weak_ptr<HandleOwner> owner, Deadline deadline) {
  background_ = std::thread([self = shared_from_this()] {
    self->leader_.RunBackground([&self]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return self->shut_; },
                                [&self]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return self->Idle(); });
    self->cq_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (self->cq_.Next(&tag, &ok)) continue;
  });
  MutexLock lock(&mu_);
  owner_ = std::move(owner);
  OpenStream();
  while (state_ != State::kUp && last_end_.ok() && !deadline.passed()) {
    Waiter waiter;
    WaitNode node{&waiter};
    Link(&state_waiters_, &node);
    leader_.Await(&waiter, deadline);
    Unlink(&state_waiters_, &node);
  }
  if (state_ == State::kUp) return absl::OkStatus();
  if (!last_end_.ok()) return last_end_;
  return absl::UnavailableError("what listens at " + stub_->address() + " does not answer as a poold");
}

std::string Session::instance_id() {
  MutexLock lock(&mu_);
  return server_.instance_id();
}

// REQUIRES: no stream is open.
void Session::OpenStream() {
  state_ = State::kStarting;
  retry_at_ = Clock::time_point::max();
  stream_ = std::make_shared<Stream>();
  // The channel connects again by itself.
  stream_->context.set_wait_for_ready(true);
  stream_->hello.mutable_hello()->set_client_id(client_id_);
  stream_->hello.mutable_hello()->set_client_name(options_.client_name);
  stream_->hello.mutable_hello()->set_takes_shared_memory(stub_->on_unix_socket());
  // Starting calls nobody back: it is safe with the mutex held, and happens once for each connection.
  stream_->rw = stub_->grpc().PrepareAsyncSession(&stream_->context, &cq_);
  stream_->rw->StartCall(ToPointer(Tag::kStarted));
}

bool Session::Pump(Clock::time_point until) {
  {
    MutexLock lock(&mu_);
    until = std::min(until, NextTimer());
  }
  void* tag = nullptr;
  bool ok = false;
  // gRPC's deadlines are of the system's clock.
  const auto left = until == Clock::time_point::max() ? std::chrono::hours(24) : until - Clock::now();
  const auto at =
      std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::system_clock::duration>(left);
  const bool event = cq_.AsyncNext(&tag, &ok, at) == grpc::CompletionQueue::GOT_EVENT;
  if (event) {
    OnEvent(tag, ok);
  } else {
    OnTime();
  }
  std::vector<std::unique_ptr<CellDetail>> grave;
  MutexLock lock(&mu_);
  grave.swap(grave_);
  if (!grave.empty()) {
    // Destroyed without the mutex: there may be handles in what users gave us.
    mu_.Unlock();
    grave.clear();
    mu_.Lock();
  }
  return event;
}

Session::Clock::time_point Session::NextTimer() {
  Clock::time_point next = retry_at_;
  next = std::min(next, NextTry());
  if (dropped_count_.load(std::memory_order_relaxed) != 0 || (!outbox_.empty() && state_ == State::kUp)) {
    next = std::min<Clock::time_point>(next, Clock::now() + kReleasePatience);
  }
  return next;
}

// The daemon owes it nothing, and it owes the daemon nothing.
bool Session::Idle() const {
  return state_ == State::kUp && !stopping_ && !stream_->writing && own_.empty() && others_.empty() &&
         outbox_.empty() && outbox_.unacknowledged() == 0 && dropped_count_.load(std::memory_order_relaxed) == 0;
}

void Session::OnTime() {
  Write write;
  {
    MutexLock lock(&mu_);
    const Clock::time_point now = Clock::now();
    if (state_ == State::kDown && !stopping_ && now >= retry_at_) OpenStream();
    TryRoom(now);
    write = NextWrite(/*all=*/true);
  }
  write.Begin();
}

void Session::OnEvent(void* tag, bool ok) {
  switch (static_cast<Tag>(reinterpret_cast<std::uintptr_t>(tag))) {
    case Tag::kStarted:
      return OnStarted(ok);
    case Tag::kRead:
      return OnRead(ok);
    case Tag::kWritten:
      return OnWritten(ok);
    case Tag::kFinished: {
      MutexLock lock(&mu_);
      stream_->finished = true;
      break;
    }
    case Tag::kWoken: {
      MutexLock lock(&mu_);
      waking_ = false;
      break;
    }
  }
  OnFinished();
}

void Session::OnStarted(bool ok) {
  std::shared_ptr<Stream> stream;
  {
    MutexLock lock(&mu_);
    stream = stream_;
    stream->finishing = !ok;
    if (ok) {
      state_ = State::kGreeting;
      stream->reading = stream->writing = true;
    }
  }
  if (!ok) return stream->rw->Finish(&stream->status, ToPointer(Tag::kFinished));
  stream->rw->Read(&stream->response, ToPointer(Tag::kRead));
  stream->rw->Write(stream->hello, ToPointer(Tag::kWritten));
}

void Session::OnRead(bool ok) {
  std::shared_ptr<Stream> stream;
  Write write;
  {
    MutexLock lock(&mu_);
    stream = stream_;
    if (!ok) {
      stream->reading = false;
      stream->finishing = true;
    }
  }
  if (!ok) return stream->rw->Finish(&stream->status, ToPointer(Tag::kFinished));
  if (stream->response.outputs_size() != 0) DeliverOutputs(stream->response);
  if (stream->response.progress_size() != 0) DeliverProgress(stream->response);
  {
    MutexLock lock(&mu_);
    Apply(stream->response);
    write = NextWrite();
  }
  stream->rw->Read(&stream->response, ToPointer(Tag::kRead));
  write.Begin();
}

void Session::OnWritten(bool ok) {
  Write write;
  {
    MutexLock lock(&mu_);
    stream_->writing = false;
    if (ok) write = NextWrite();
  }
  write.Begin();
  // Also a write that went well may be told of after the stream's end.
  OnFinished();
}

// Something that was under way on the stream has ended: perhaps it was the last.
void Session::OnFinished() {
  std::shared_ptr<Stream> stream;
  MutexLock lock(&mu_);
  if (stream_ == nullptr || !stream_->over()) return;
  stream.swap(stream_);
  OnEnded(stream->status);
}

void Session::OnEnded(const grpc::Status& status) {
  const bool was_up = std::exchange(state_, State::kDown) == State::kUp;
  last_end_ = FromGrpc(status, stub_->address());
  if (last_end_.ok()) last_end_ = absl::UnavailableError("poold at " + stub_->address() + " ended the stream");
  if (was_up && Final(status)) {
    const std::uint64_t after = outbox_.last_acknowledged();
    const std::uint64_t upto = outbox_.last_sent();
    RefuseAll([after, upto](const HandleCell& cell) { return cell.batch > after && cell.batch <= upto; },
              [this](const HandleCell&) ABSL_NO_THREAD_SAFETY_ANALYSIS { return last_end_; }, false);
    outbox_.ForgetSent();
  }
  WakeAll(&flush_waiters_);
  backoff_ = was_up ? kFirstBackoff : std::clamp(backoff_ * 2, kFirstBackoff, kLastBackoff);
  retry_at_ = Clock::now() + Jittered(backoff_ / 2);
  if (stopping_) shut_ = true;
  WakeAll(&state_waiters_);
  leader_.WakeBackground();
}

void Session::OnGreeted(const v1::ServerInfo& server) {
  const bool restarted = !server_.instance_id().empty() && server_.instance_id() != server.instance_id();
  server_ = server;
  stub_->UsePayloadSocket(server);
  state_ = State::kUp;
  room_is_short_ = false;  // or it is said next
  last_end_ = absl::OkStatus();
  if (restarted) {
    const std::uint64_t upto = outbox_.last_sent();
    RefuseAll([upto](const HandleCell& cell) { return cell.resumed || cell.batch <= upto; },
              [](const HandleCell& cell) { return LostError(cell.FunctionName()); }, true);
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
  own_.ForEach([&](const TaskCell* cell) {
    if (cell->batch <= upto) ids.push_back(cell->id);
  });
  for (const auto& [id, cell] : others_) {
    if (cell->batch <= upto) ids.push_back(id);
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
      return MakeError(absl::StatusCode::kDeadlineExceeded,
                       "poold at " + stub_->address() + " has not taken everything yet", kWaitTimeout);
    }
    Write write = NextWrite(/*all=*/true);
    if (write.request != nullptr) {
      mu_.Unlock();
      write.Begin();
      mu_.Lock();
      continue;
    }
    Waiter waiter;
    WaitNode node{&waiter};
    Link(&flush_waiters_, &node);
    leader_.Await(&waiter, deadline);
    Unlink(&flush_waiters_, &node);
  }
  return absl::OkStatus();
}

void Session::CancelStream() {
  std::shared_ptr<Stream> stream;
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
  if (stream != nullptr) stream->context.TryCancel();
}

void Session::Stop() {
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
}

}  // namespace poold::client::internal
