#include "rpc/server.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/log.h"
#include "rpc/acceptor.h"
#include "rpc/convert.h"
#include "rpc/grpc_sockets.h"
#include "rpc/http2_guard.h"
#include "rpc/local_thread.h"
#include "rpc/payload_socket.h"
#include "rpc/rpc_thread.h"
#include "wire/absl_text.h"
#include "wire/payload_message.h"

namespace poold::rpc {
namespace {

// With less than this gRPC would cut streams that do no harm.
constexpr std::size_t kLeastGrpcBytes = 64 << 20;

// What keeps one hostile or dead client from holding much.
void SetArguments(const ServiceOptions& options, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
  builder->SetMaxSendMessageSize(-1);
  // The last resort: short of memory gRPC cuts whom it happens to meet. What clients half-send is bounded by HalfRead,
  // long before: this is the other half of what there is, which the budget leaves.
  grpc::ResourceQuota quota("poold");
  quota.Resize(std::max<std::size_t>(kLeastGrpcBytes, options.memory->bytes()));
  builder->SetResourceQuota(quota);
  // Of that each connection would take megabytes to read into, while much comes.
  builder->AddChannelArgument(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, 256 << 10);
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 8192);
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, Http2Guard::kMaxStreams);
  // Decompression bombs.
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
}

// gRPC's own functions for moments of C++ know the wall clock only, which may be set meanwhile.
gpr_timespec Until(std::chrono::steady_clock::time_point end) {
  const std::chrono::nanoseconds left = end - std::chrono::steady_clock::now();
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(left.count(), GPR_TIMESPAN));
}

// gRPC writes to stderr itself, and waits for who reads it.
void LogOfGrpc(gpr_log_func_args* line) {
  const base::Level level = line->severity == GPR_LOG_SEVERITY_ERROR ? base::Level::kWarning : base::Level::kDebug;
  base::Log(level, "grpc", {{"file", line->file}, {"line", line->line}, {"message", line->message}});
}

void LogNoPayloadSocket(const absl::Status& why) {
  base::Log(base::Level::kWarning, "no_payload_socket", {{"why", wire::ToStd(why.message())}});
}

}  // namespace

class Server::Running {
 public:
  Running(ServiceOptions options, const base::Clock* clock, std::size_t shards)
      : service_context(std::move(options), clock, shards) {
    service_context.shared.on_pools_gone = [this] {
      const bool all = service_context.shared.gone == service_context.shards.size();
      if (all && service_context.options.on_all_pools_gone) service_context.options.on_all_pools_gone();
    };
  }
  ~Running() {
    Shutdown(0);
    for (const std::unique_ptr<Shard>& shard : service_context.shards) shard->subscribers().Clear();
  }

  absl::Status Start(gate::Shards* gates, const std::vector<ListenAddress>& addresses,
                     const std::function<void()>& before_anybody);
  void SetServing(bool serving);
  void Shutdown(core::Nanos grace);

  ServiceContext service_context;
  std::vector<ListenAddress> addresses;

 private:
  gate::PollSource* PollSourceOf(std::size_t shard) const;
  std::optional<ListenSocket> OpenPayloadSocket();
  bool StartPayloadSocket();
  bool TakeSession(wire::UniqueFd* connection, Ticket* ticket);
  Door GrpcDoor(ListenSocket socket);
  Door LocalDoor(ListenSocket socket);
  absl::Status GiveToGrpc(wire::UniqueFd* fd, Ticket* ticket);

  AsyncService service_;
  grpc::AsyncGenericService generic_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> connections_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Acceptor> acceptor_;
  std::vector<std::unique_ptr<LocalThread>> locals_;
  std::size_t next_local_ = 0;  // of the payload socket's thread
  std::unique_ptr<PayloadSocket> payloads_;
  std::vector<std::unique_ptr<RpcThread>> threads_;
  bool shut_down_ = false;
};

absl::Status Server::Running::Start(gate::Shards* gates, const std::vector<ListenAddress>& wanted,
                                    const std::function<void()>& before_anybody) {
  std::vector<ListenSocket> sockets;
  for (const ListenAddress& address : wanted) {
    absl::StatusOr<ListenSocket> socket = ListenSocket::Open(address);
    if (!socket.ok()) return socket.status();
    addresses.push_back(socket->address());
    sockets.push_back(*std::move(socket));
  }
  std::vector<Door> doors;
  for (ListenSocket& socket : sockets) doors.push_back(GrpcDoor(std::move(socket)));
  service_context.gates = gates;
  for (std::size_t i = 0; i < service_context.shards.size(); ++i) service_context.shards[i]->Attach(&gates->gate(i));
  std::optional<ListenSocket> payload_socket = OpenPayloadSocket();
  WriteServerInfo(service_context.options, WallTime(*service_context.clock), service_context.clock->Now(),
                  &service_context.server_info);
  service_context.server_info.set_shards(static_cast<std::uint32_t>(service_context.shards.size()));

  // Never given back: when its last user goes, gRPC may wait ten seconds for a poller of its own.
  static const bool kept = (gpr_set_log_function(LogOfGrpc), grpc_init(), true);
  static_cast<void>(kept);
  grpc::ServerBuilder builder;
  SetArguments(service_context.options, &builder);
  builder.RegisterService(&service_);
  builder.RegisterAsyncGenericService(&generic_);
  for (std::size_t i = 0; i < service_context.shards.size(); ++i) {
    threads_.push_back(std::make_unique<RpcThread>(&service_context, PollSourceOf(i), &service_, &generic_,
                                                   builder.AddCompletionQueue()));
  }
  connections_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, grpc::InsecureServerCredentials());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return absl::InternalError("gRPC could not start its server; its own log says why");
  for (const std::unique_ptr<RpcThread>& thread : threads_) thread->Start();
  if (payload_socket && StartPayloadSocket()) doors.push_back(LocalDoor(*std::move(payload_socket)));

  if (before_anybody) before_anybody();
  acceptor_ = std::make_unique<Acceptor>(std::move(doors));
  return acceptor_->Start();
}

Door Server::Running::GrpcDoor(ListenSocket socket) {
  const Transport transport = socket.is_unix() ? Transport::kGrpcUnix : Transport::kGrpcTcp;
  return {std::move(socket), transport, service_context.grpc_connections, Http2FrameHeads::kPrefaceBytes,
          [this](wire::UniqueFd* fd, Ticket* ticket) { return GiveToGrpc(fd, ticket); }};
}

Door Server::Running::LocalDoor(ListenSocket socket) {
  return {std::move(socket), Transport::kLocal, service_context.local_connections, 1,
          [this](wire::UniqueFd* fd, Ticket* ticket) {
            payloads_->Take(std::move(*fd), std::move(*ticket));
            return absl::OkStatus();
          }};
}

absl::Status Server::Running::GiveToGrpc(wire::UniqueFd* fd, Ticket* ticket) {
  if (absl::Status status = KnowGrpcSocket(fd->get(), ticket, service_context.half_read); !status.ok()) return status;
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
  connection.fd = fd->Release();
  connections_->HandleNewConnection(&connection);
  return absl::OkStatus();
}

gate::PollSource* Server::Running::PollSourceOf(std::size_t shard) const {
  const std::vector<gate::PollSource*>& poll_sources = service_context.options.poll_sources;
  return shard < poll_sources.size() ? poll_sources[shard] : nullptr;
}

// Beside the first Unix socket. Without it clients use gRPC for everything: no reason not to start.
std::optional<ListenSocket> Server::Running::OpenPayloadSocket() {
  const auto beside = std::find_if(addresses.begin(), addresses.end(),
                                   [](const ListenAddress& address) { return !address.unix_path.empty(); });
  if (beside == addresses.end()) return std::nullopt;
  const absl::StatusOr<ListenAddress> address =
      ParseListenAddress("unix:" + beside->unix_path + std::string(wire::kPayloadSocketSuffix));
  absl::Status status = address.status();
  if (status.ok()) {
    absl::StatusOr<ListenSocket> socket = ListenSocket::Open(*address);
    status = socket.status();
    if (socket.ok()) {
      service_context.options.payload_socket = address->unix_path;
      return *std::move(socket);
    }
  }
  LogNoPayloadSocket(status);
  return std::nullopt;
}

// When clients can be told what the server is.
bool Server::Running::StartPayloadSocket() {
  const std::size_t threads = service_context.shards.size();
  const std::size_t most = service_context.options.max_connections;
  absl::Status status;
  for (std::size_t i = 0; i < threads && status.ok(); ++i) {
    locals_.push_back(std::make_unique<LocalThread>(&service_context, PollSourceOf(i),
                                                    most / threads + (i < most % threads ? 1 : 0)));
    status = locals_.back()->Start();
  }
  payloads_ = std::make_unique<PayloadSocket>(
      &service_context, [this](wire::UniqueFd* connection, Ticket* ticket) { return TakeSession(connection, ticket); });
  if (status.ok()) status = payloads_->Start();
  if (status.ok()) return true;
  // Clients that connect there are refused, and use gRPC.
  payloads_.reset();
  service_context.server_info.clear_payload_socket();
  LogNoPayloadSocket(status);
  return false;
}

// The threads in turn.
bool Server::Running::TakeSession(wire::UniqueFd* connection, Ticket* ticket) {
  for (std::size_t tried = 0; tried < locals_.size(); ++tried) {
    if (locals_[next_local_++ % locals_.size()]->Take(connection, ticket)) return true;
  }
  return false;
}

void Server::Running::SetServing(bool serving) {
  service_context.serving = serving;
  if (server_ == nullptr) return;
  for (const std::unique_ptr<RpcThread>& thread : threads_) thread->TellHealth();
}

void Server::Running::Shutdown(core::Nanos grace) {
  if (std::exchange(shut_down_, true)) return;
  if (acceptor_ != nullptr) acceptor_->Stop();
  if (payloads_ != nullptr) payloads_->Stop();
  if (server_ == nullptr) return;
  const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(grace);
  for (const std::unique_ptr<RpcThread>& thread : threads_) thread->EndStreams();
  for (const std::unique_ptr<LocalThread>& thread : locals_) thread->Stop(until - std::chrono::steady_clock::now());
  server_->Shutdown(Until(until));
  for (const std::unique_ptr<RpcThread>& thread : threads_) thread->StopQueue();
  for (const std::unique_ptr<RpcThread>& thread : threads_) thread->Join();
  server_.reset();
}

Server::Server(ServiceOptions options, const base::Clock* clock, std::size_t shards)
    : running_(std::make_unique<Running>(std::move(options), clock, shards)) {}

Server::~Server() = default;

void Server::SetContainment(Containment tier, std::string note) {
  running_->service_context.options.containment = tier;
  running_->service_context.options.containment_note = std::move(note);
}

core::ClientPort* Server::clients(std::size_t shard) { return running_->service_context.shards[shard].get(); }

gate::Outbox* Server::outbox(std::size_t shard) { return running_->service_context.shards[shard].get(); }

absl::Status Server::Start(gate::Shards* gates, const std::vector<ListenAddress>& addresses,
                           const std::function<void()>& before_anybody) {
  return running_->Start(gates, addresses, before_anybody);
}

std::vector<ListenAddress> Server::addresses() const { return running_->addresses; }

void Server::SetServing(bool serving) { running_->SetServing(serving); }

void Server::Shutdown(core::Nanos grace) { running_->Shutdown(grace); }

}  // namespace poold::rpc
