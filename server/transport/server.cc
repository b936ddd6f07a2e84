#include "transport/server.h"

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

#include "api/convert.h"
#include "base/log.h"
#include "transport/acceptor.h"
#include "transport/grpc/grpc_sockets.h"
#include "transport/grpc/http2_guard.h"
#include "transport/grpc/rpc_thread.h"
#include "transport/local/local_thread.h"
#include "transport/local/payload_socket.h"
#include "wire/absl_text.h"
#include "wire/payload_message.h"

namespace poold::transport {
namespace {

// With less than this gRPC would cut streams that do no harm.
constexpr std::size_t kLeastGrpcBytes = 64 << 20;

// What keeps one hostile or dead client from holding much.
void SetArguments(const api::ServiceOptions& options, grpc::ServerBuilder* builder) {
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
  Running(ServerOptions options, const base::Clock* clock, engine::Engine* engine)
      : context(std::move(options), clock, engine) {
    context.service.engine.OnAllPoolsGone(context.service.options.on_all_pools_gone);
  }
  ~Running() {
    Shutdown(0);
    context.service.engine.Clear();
  }

  absl::Status Start(const std::vector<ListenAddress>& addresses, const std::function<void()>& before_anybody);
  void SetServing(bool serving);
  void Shutdown(core::Nanos grace);

  TransportContext context;
  std::vector<ListenAddress> addresses;

 private:
  engine::PollSource* PollSourceOf(std::size_t shard) const;
  std::optional<ListenSocket> OpenPayloadSocket();
  bool StartLocal();
  bool HandOn(wire::PayloadAsk what, wire::UniqueFd* connection, Ticket* ticket);
  Door GrpcDoor(ListenSocket socket);
  Door LocalDoor(ListenSocket socket);
  absl::Status TakeFromTcp(wire::UniqueFd* fd, Ticket* ticket);
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

absl::Status Server::Running::Start(const std::vector<ListenAddress>& wanted,
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
  std::optional<ListenSocket> payload_socket = OpenPayloadSocket();
  api::WriteServerInfo(context.service.options, api::WallTime(*context.service.clock), context.service.clock->Now(),
                       &context.service.server_info);
  context.service.server_info.set_shards(static_cast<std::uint32_t>(context.service.engine.size()));

  // Never given back: when its last user goes, gRPC may wait ten seconds for a poller of its own.
  static const bool kept = (gpr_set_log_function(LogOfGrpc), grpc_init(), true);
  static_cast<void>(kept);
  grpc::ServerBuilder builder;
  SetArguments(context.service.options, &builder);
  builder.RegisterService(&service_);
  builder.RegisterAsyncGenericService(&generic_);
  for (std::size_t i = 0; i < context.service.engine.size(); ++i) {
    threads_.push_back(
        std::make_unique<RpcThread>(&context, PollSourceOf(i), &service_, &generic_, builder.AddCompletionQueue()));
  }
  connections_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, grpc::InsecureServerCredentials());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return absl::InternalError("gRPC could not start its server; its own log says why");
  for (const std::unique_ptr<RpcThread>& thread : threads_) thread->Start();
  if (StartLocal() && payload_socket) doors.push_back(LocalDoor(*std::move(payload_socket)));

  if (before_anybody) before_anybody();
  acceptor_ = std::make_unique<Acceptor>(std::move(doors));
  return acceptor_->Start();
}

Door Server::Running::GrpcDoor(ListenSocket socket) {
  const Transport transport = socket.is_unix() ? Transport::kGrpcUnix : Transport::kGrpcTcp;
  return {std::move(socket), transport, context.grpc_connections, Http2FrameHeads::kPrefaceBytes,
          [this, transport](wire::UniqueFd* fd, Ticket* ticket) {
            return transport == Transport::kGrpcTcp ? TakeFromTcp(fd, ticket) : GiveToGrpc(fd, ticket);
          }};
}

// The first bytes tell who comes: a client of gRPC, or one that asks for a session or for calls without it.
absl::Status Server::Running::TakeFromTcp(wire::UniqueFd* fd, Ticket* ticket) {
  if (payloads_ == nullptr || !AsksToBeHandedOn(fd->get())) return GiveToGrpc(fd, ticket);
  payloads_->Take(std::move(*fd), std::move(*ticket));
  return absl::OkStatus();
}

Door Server::Running::LocalDoor(ListenSocket socket) {
  return {std::move(socket), Transport::kLocal, context.local_connections, 1,
          [this](wire::UniqueFd* fd, Ticket* ticket) {
            payloads_->Take(std::move(*fd), std::move(*ticket));
            return absl::OkStatus();
          }};
}

absl::Status Server::Running::GiveToGrpc(wire::UniqueFd* fd, Ticket* ticket) {
  if (absl::Status status = KnowGrpcSocket(fd->get(), ticket, context.half_read); !status.ok()) return status;
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
  connection.fd = fd->Release();
  connections_->HandleNewConnection(&connection);
  return absl::OkStatus();
}

engine::PollSource* Server::Running::PollSourceOf(std::size_t shard) const {
  const std::vector<engine::PollSource*>& poll_sources = context.poll_sources;
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
      context.service.options.payload_socket = address->unix_path;
      return *std::move(socket);
    }
  }
  LogNoPayloadSocket(status);
  return std::nullopt;
}

// When clients can be told what the server is. False: those that try are refused, and use gRPC.
bool Server::Running::StartLocal() {
  const std::size_t threads = context.service.engine.size();
  const std::size_t most = context.max_connections;
  absl::Status status;
  for (std::size_t i = 0; i < threads && status.ok(); ++i) {
    locals_.push_back(
        std::make_unique<LocalThread>(&context, PollSourceOf(i), most / threads + (i < most % threads ? 1 : 0)));
    status = locals_.back()->Start();
  }
  payloads_ = std::make_unique<PayloadSocket>(
      &context.service, [this](wire::PayloadAsk what, wire::UniqueFd* connection, Ticket* ticket) {
        return HandOn(what, connection, ticket);
      });
  if (status.ok()) status = payloads_->Start();
  if (status.ok()) return true;
  payloads_.reset();
  context.service.server_info.clear_payload_socket();
  LogNoPayloadSocket(status);
  return false;
}

// The threads in turn.
bool Server::Running::HandOn(wire::PayloadAsk what, wire::UniqueFd* connection, Ticket* ticket) {
  for (std::size_t tried = 0; tried < locals_.size(); ++tried) {
    if (locals_[next_local_++ % locals_.size()]->Take(what, connection, ticket)) return true;
  }
  return false;
}

void Server::Running::SetServing(bool serving) {
  context.serving = serving;
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

Server::Server(ServerOptions options, const base::Clock* clock, engine::Engine* engine)
    : running_(std::make_unique<Running>(std::move(options), clock, engine)) {}

Server::~Server() = default;

void Server::SetContainment(api::Containment tier, std::string note) {
  running_->context.service.options.containment = tier;
  running_->context.service.options.containment_note = std::move(note);
}

absl::Status Server::Start(const std::vector<ListenAddress>& addresses, const std::function<void()>& before_anybody) {
  return running_->Start(addresses, before_anybody);
}

std::vector<ListenAddress> Server::addresses() const { return running_->addresses; }

void Server::SetServing(bool serving) { running_->SetServing(serving); }

void Server::Shutdown(core::Nanos grace) { running_->Shutdown(grace); }

}  // namespace poold::transport
