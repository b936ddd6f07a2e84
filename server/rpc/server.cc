#include "rpc/server.h"

#include <grpc/grpc.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/spin.h"
#include "rpc/accept.h"
#include "rpc/acceptor.h"
#include "rpc/convert.h"
#include "rpc/payload_socket.h"
#include "rpc/tag.h"
#include "rpc/wiring.h"
#include "wire/absl_text.h"

namespace poold::rpc {
namespace {

// What keeps one hostile or dead client from holding much.
void SetArguments(const ServiceOptions& options, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
  builder->SetMaxSendMessageSize(-1);
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 8192);
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1000);
  // Decompression bombs.
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
}

}  // namespace

class Server::Running {
  using News = gate::Companion::News;

 public:
  Running(ServiceOptions options, const base::Clock* clock)
      : backend(std::move(options), clock), spin_(backend.options.companion == nullptr ? 0 : backend.options.spin) {}
  ~Running() {
    Shutdown(0);
    backend.subscribers.Clear();
  }

  absl::Status Start(gate::Gate* gate, const std::vector<ListenAddress>& addresses);
  void SetServing(bool serving);
  void Shutdown(core::Nanos grace);

  // What the core has for a subscriber. Under the core's mutex.
  template <typename Give>
  void To(core::SubscriberId to, Give give) {
    const std::shared_ptr<Subscriber>& subscriber = backend.subscribers.Find(to);
    if (subscriber == nullptr) return;
    give(*subscriber);
    backend.subscribers.MarkDirty(subscriber);
  }
  // The same, and nothing more after it.
  void Answer(core::SubscriberId to, rpc::Answer answer) {
    To(to, [&](Subscriber& subscriber) { subscriber.OnAnswer(std::move(answer)); });
    backend.subscribers.Remove(to);
  }
  void Flush();

  Backend backend;
  std::vector<ListenAddress> addresses;
  std::atomic<bool> all_pools_gone = false;

 private:
  void OpenPayloadSocket();
  void Poll();
  grpc::CompletionQueue::NextStatus Next(void** tag, bool* ok);
  grpc::CompletionQueue::NextStatus LookAgain(void** tag, bool* ok);
  gpr_timespec NextDue() const;
  void RunDue();
  void TellHealth();
  void EndStreams();
  void StopQueue();

  AsyncService service_;
  grpc::AsyncGenericService generic_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> connections_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<PayloadSocket> payloads_;
  Wiring wiring_;
  std::thread thread_;
  // The RPC thread's.
  base::Spin spin_;
  // The companion counts on it.
  bool looks_ = false;
  bool shut_down_ = false;
};

absl::Status Server::Running::Start(gate::Gate* gate, const std::vector<ListenAddress>& wanted) {
  std::vector<ListenSocket> sockets;
  for (const ListenAddress& address : wanted) {
    absl::StatusOr<ListenSocket> socket = ListenSocket::Open(address);
    if (!socket.ok()) return socket.status();
    addresses.push_back(socket->address());
    sockets.push_back(*std::move(socket));
  }
  backend.gate = gate;
  OpenPayloadSocket();
  WriteServerInfo(backend.options, WallTime(*backend.clock), backend.clock->Now(), &backend.server_info);

  // Never given back: when its last user goes, gRPC may wait ten seconds for a poller of its own.
  static const bool kept = (grpc_init(), true);
  static_cast<void>(kept);
  grpc::ServerBuilder builder;
  SetArguments(backend.options, &builder);
  builder.RegisterService(&service_);
  builder.RegisterAsyncGenericService(&generic_);
  queue_ = builder.AddCompletionQueue();
  connections_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, grpc::InsecureServerCredentials());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return absl::InternalError("gRPC could not start its server; its own log says why");

  wiring_.backend = &backend;
  wiring_.service = &service_;
  wiring_.generic = &generic_;
  wiring_.queue = queue_.get();
  AcceptPoolCalls(&wiring_);
  AcceptTaskCalls(&wiring_);
  AcceptListCalls(&wiring_);
  AcceptStreamCalls(&wiring_);
  AcceptUploads(&wiring_);
  AcceptSessions(&wiring_);
  AcceptStandardCalls(&wiring_);
  thread_ = std::thread([this] { Poll(); });

  acceptor_ = std::make_unique<Acceptor>(std::move(sockets), backend.options.max_connections, [this](int fd) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = fd;
    connections_->HandleNewConnection(&connection);
  });
  return acceptor_->Start();
}

// Beside the first Unix socket. Without it clients use gRPC for everything: no reason not to start.
void Server::Running::OpenPayloadSocket() {
  const auto beside = std::find_if(addresses.begin(), addresses.end(),
                                   [](const ListenAddress& address) { return !address.unix_path.empty(); });
  if (beside == addresses.end()) return;
  const absl::StatusOr<ListenAddress> address = ParseListenAddress("unix:" + beside->unix_path + ".payloads");
  absl::Status status = address.status();
  if (status.ok()) {
    absl::StatusOr<ListenSocket> socket = ListenSocket::Open(*address);
    if (socket.ok()) payloads_ = std::make_unique<PayloadSocket>(*std::move(socket), &backend);
    status = payloads_ != nullptr ? payloads_->Start() : socket.status();
  }
  if (status.ok()) {
    backend.options.payload_socket = address->unix_path;
    return;
  }
  payloads_.reset();
  base::Log(base::Level::kWarning, "no_payload_socket", {{"why", wire::ToStd(status.message())}});
}

// How long the RPC thread may sleep.
gpr_timespec Server::Running::NextDue() const {
  core::Nanos wait = core::kNever;
  if (!wiring_.due.empty()) {
    const auto due = wiring_.due.front().at - std::chrono::steady_clock::now();
    wait = std::chrono::duration_cast<std::chrono::nanoseconds>(due).count();
  }
  const core::Nanos expiry = backend.uploads.next_expiry();
  if (expiry != core::kNever) wait = std::min(wait, expiry - backend.clock->Now());
  if (wait == core::kNever) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(wait, GPR_TIMESPAN));
}

void Server::Running::RunDue() {
  while (!wiring_.due.empty() && wiring_.due.front().at <= std::chrono::steady_clock::now()) {
    const std::function<void()> run = std::move(wiring_.due.front().run);
    wiring_.due.pop_front();
    run();
  }
  if (backend.uploads.next_expiry() != core::kNever) backend.uploads.DropExpired(backend.clock->Now());
}

// The RPC thread.
void Server::Running::Poll() {
  pthread_setname_np(pthread_self(), "poold-rpc");
  void* tag = nullptr;
  bool ok = false;
  while (true) {
    const grpc::CompletionQueue::NextStatus next = Next(&tag, &ok);
    if (next == grpc::CompletionQueue::SHUTDOWN) break;
    if (next == grpc::CompletionQueue::GOT_EVENT) static_cast<Tag*>(tag)->Come(ok);
    RunDue();
  }
  if (backend.options.companion != nullptr) backend.options.companion->Rest();
}

grpc::CompletionQueue::NextStatus Server::Running::Next(void** tag, bool* ok) {
  if (spin_.Begin(backend.clock->Now())) {
    looks_ = true;
    const grpc::CompletionQueue::NextStatus next = LookAgain(tag, ok);
    spin_.End(backend.clock->Now(), base::OwnPreemptions());
    if (next != grpc::CompletionQueue::TIMEOUT) return next;
  }
  // Also where it looked before the last event and is not to look now.
  if (std::exchange(looks_, false)) backend.options.companion->Rest();
  return queue_->AsyncNext(tag, ok, NextDue());
}

// This one thread looks for what clients and what workers have to say, so that neither has to wake it.
grpc::CompletionQueue::NextStatus Server::Running::LookAgain(void** tag, bool* ok) {
  do {
    const auto next = queue_->AsyncNext(tag, ok, gpr_inf_past(GPR_CLOCK_MONOTONIC));
    if (next != grpc::CompletionQueue::TIMEOUT) return next;
    const News news = backend.options.companion->Look();
    if (news == News::kMuch) break;
    if (news == News::kTaken) spin_.Begin(backend.clock->Now());
  } while (spin_.Goes(backend.clock->Now()));
  return grpc::CompletionQueue::TIMEOUT;
}

void Server::Running::TellHealth() {
  for (const std::weak_ptr<HealthWatcher>& one : wiring_.health_watchers) {
    if (const std::shared_ptr<HealthWatcher> watcher = one.lock()) watcher->TellHealth();
  }
}

void Server::Running::SetServing(bool serving) {
  absl::ReaderMutexLock running(&backend.stopping_mu);
  backend.serving = serving;
  if (server_ != nullptr && !backend.stopped) Posted::Run(queue_.get(), [this] { TellHealth(); });
}

void Server::Running::EndStreams() {
  wiring_.ending = true;
  const auto streams = std::exchange(wiring_.streams, {});
  for (const std::weak_ptr<LiveStream>& one : streams) {
    if (const std::shared_ptr<LiveStream> stream = one.lock()) stream->EndForShutdown();
  }
}

// On the RPC thread, so that nothing of its own is begun meanwhile; flushers are kept out by the lock.
void Server::Running::StopQueue() {
  absl::WriterMutexLock lock(&backend.stopping_mu);
  backend.stopped = true;
  wiring_.due.clear();
  queue_->Shutdown();
}

void Server::Running::Shutdown(core::Nanos grace) {
  if (std::exchange(shut_down_, true)) return;
  if (acceptor_ != nullptr) acceptor_->Stop();
  if (payloads_ != nullptr) payloads_->Stop();
  if (server_ == nullptr) return;
  Posted::Run(queue_.get(), [this] { EndStreams(); });
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::nanoseconds(grace));
  Posted::Run(queue_.get(), [this] { StopQueue(); });
  thread_.join();
  server_.reset();
}

void Server::Running::Flush() {
  backend.subscribers.FlushDirty(&backend.stopping_mu, backend.stopped);
  if (all_pools_gone.exchange(false) && backend.options.on_all_pools_gone) backend.options.on_all_pools_gone();
}

Server::Server(ServiceOptions options, const base::Clock* clock)
    : running_(std::make_unique<Running>(std::move(options), clock)) {}

Server::~Server() = default;

void Server::SetContainment(Containment tier, std::string note) {
  running_->backend.options.containment = tier;
  running_->backend.options.containment_note = std::move(note);
}

absl::Status Server::Start(gate::Gate* gate, const std::vector<ListenAddress>& addresses) {
  return running_->Start(gate, addresses);
}

std::vector<ListenAddress> Server::addresses() const { return running_->addresses; }

void Server::SetServing(bool serving) { running_->SetServing(serving); }

void Server::Shutdown(core::Nanos grace) { running_->Shutdown(grace); }

void Server::SendOutcome(core::SubscriberId to, core::HandleId task, core::OutcomePtr outcome) {
  running_->To(to, [&](Subscriber& subscriber) { subscriber.OnOutcome(task, std::move(outcome)); });
}

void Server::SendItems(core::SubscriberId to, core::HandleId map, core::ItemBlockPtr items) {
  running_->To(to, [&](Subscriber& subscriber) { subscriber.OnItems(map, std::move(items)); });
}

void Server::SendMapEnd(core::SubscriberId to, const core::MapView& map) {
  running_->To(to, [&](Subscriber& subscriber) { subscriber.OnMapEnd(map); });
}

void Server::SendOutput(core::SubscriberId to, const core::OutputEvent& output) {
  running_->To(to, [&](Subscriber& subscriber) { subscriber.OnOutput(output); });
}

void Server::SendProgress(core::SubscriberId to, const core::ProgressEvent& progress) {
  running_->To(to, [&](Subscriber& subscriber) { subscriber.OnProgress(progress); });
}

void Server::AnswerOpenPool(core::SubscriberId to, absl::StatusOr<core::PoolView> pool, bool created) {
  running_->Answer(to, OpenPoolAnswer{std::move(pool), created});
}

void Server::AnswerGet(core::SubscriberId to, absl::StatusOr<core::HandleView> handle) {
  running_->Answer(to, std::move(handle));
}

void Server::AnswerWait(core::SubscriberId to, absl::StatusOr<core::WaitAnswer> answer) {
  running_->Answer(to, std::move(answer));
}

void Server::AnswerTerminate(core::SubscriberId to, absl::StatusOr<std::uint64_t> cancelled_tasks) {
  running_->Answer(to, std::move(cancelled_tasks));
}

void Server::AnswerReload(core::SubscriberId to, absl::StatusOr<core::PoolView> pool) {
  running_->Answer(to, std::move(pool));
}

void Server::AnswerJoin(core::SubscriberId to, absl::StatusOr<bool> done) { running_->Answer(to, std::move(done)); }

void Server::SendEvent(core::SubscriberId to, core::WatchEvent event) {
  running_->To(to, [&](Subscriber& subscriber) { subscriber.OnEvent(std::move(event)); });
}

void Server::EndWatch(core::SubscriberId to) {
  running_->To(to, [](Subscriber& subscriber) { subscriber.OnEndWatch(); });
  running_->backend.subscribers.Remove(to);
}

void Server::RoomIsShort(bool is_short) {
  running_->backend.room_is_short = is_short;
  running_->backend.subscribers.ForEach([&](const std::shared_ptr<Subscriber>& subscriber) {
    if (subscriber->OnRoom(is_short)) running_->backend.subscribers.MarkDirty(subscriber);
  });
}

void Server::AllPoolsGone() { running_->all_pools_gone = true; }

void Server::Flush(core::Nanos) { running_->Flush(); }

}  // namespace poold::rpc
