#include "poold/client/connection.h"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "convert.h"
#include "error.h"
#include "grpc_time.h"
#include "local_stream.h"
#include "poold/mocks/finished.h"
#include "session_owner.h"
#include "wire/default_address.h"
#include "wire/pieces.h"

namespace poold::client {
namespace internal {

SessionOwner::~SessionOwner() {
  if (here()) {
    session_->Stop();
  } else {
    // Its threads are not in this process, and its end would be heard by the daemon.
    new std::shared_ptr<Session>(std::move(session_));
  }
}

// Both come after what was submitted before.
absl::StatusOr<bool> SessionOwner::Cancel(HandleState& cell, bool running) {
  if (!here()) return ForkedError();
  if (session_->CancelHere(cell)) return true;
  if (absl::Status flushed = session_->Flush(Deadline(std::chrono::seconds(30))); !flushed.ok()) return flushed;
  // Perhaps it was refused for want of room meanwhile: then it was not sent again, it has ended.
  if (session_->CancelHere(cell)) return true;
  v1::CancelRequest request;
  request.add_ids(cell.id.ToBytes());
  request.set_running(running);
  auto response = session_->stub().Call(&v1::PoolService::StubInterface::Cancel, request);
  if (!response.ok()) return response.status();
  return response->cancelled_size() == 1 && response->cancelled(0);
}

absl::StatusOr<v1::GetResponse> SessionOwner::Ask(HandleState& cell) {
  if (!here()) return ForkedError();
  if (absl::Status flushed = session_->Flush(Deadline(std::chrono::seconds(30))); !flushed.ok()) return flushed;
  v1::GetRequest request;
  request.set_id(cell.id.ToBytes());
  return session_->stub().Call(&v1::PoolService::StubInterface::Get, request);
}

absl::StatusOr<Downloaded> SessionOwner::Download(const HandleId& id, std::uint64_t index, const v1::Payload& told) {
  v1::DownloadRequest request;
  request.set_id(id.ToBytes());
  request.set_index(index);
  return session_->stub().Fetch(request, told);
}

}  // namespace internal

internal::TaskRef Connection::SubmitPieces(const TaskCall& call, std::span<const std::string_view> pieces) {
  const std::string args = wire::Pieces(pieces).Join();
  TaskCall whole = call;
  whole.args = args;
  return Submit(whole);
}

namespace {

using internal::Deadline;
using Service = v1::PoolService::StubInterface;

// The longest that one Join asks the daemon to wait; then it is asked again.
constexpr Duration kJoinStep = std::chrono::seconds(30);

class GrpcConnection : public Connection {
 public:
  GrpcConnection(std::shared_ptr<internal::SessionOwner> owner, std::shared_ptr<internal::Stub> stub,
                 ClientOptions options)
      : options_(std::move(options)), stub_(std::move(stub)), owner_(std::move(owner)) {}

  internal::TaskRef Submit(const TaskCall& call) override {
    if (!owner_->here()) return MakeRefusedTask(std::string(call.function), internal::ForkedError());
    return session().Submit(call, owner_);
  }
  internal::TaskRef SubmitPieces(const TaskCall& call, std::span<const std::string_view> pieces) override {
    if (!owner_->here()) return MakeRefusedTask(std::string(call.function), internal::ForkedError());
    return session().SubmitPieces(call, wire::Pieces(pieces), owner_);
  }
  internal::MapRef OpenMap(const MapCall& call) override {
    if (!owner_->here()) return MakeRefusedMap(std::string(call.function), internal::ForkedError());
    return session().OpenMap(call, owner_);
  }
  absl::Status AddItems(const internal::MapRef& map, const MapBatch& batch) override {
    if (!owner_->here()) return internal::ForkedError();
    return session().AddItems(map.get(), batch);
  }
  absl::StatusOr<internal::TaskRef> ResumeTask(std::string_view written) override {
    if (!owner_->here()) return internal::ForkedError();
    auto cell = session().Resume(written, /*map=*/false, owner_);
    if (!cell.ok()) return cell.status();
    return internal::TaskRef(internal::AsTask(*cell));
  }
  absl::StatusOr<internal::MapRef> ResumeMap(std::string_view written) override {
    if (!owner_->here()) return internal::ForkedError();
    auto cell = session().Resume(written, /*map=*/true, owner_);
    if (!cell.ok()) return cell.status();
    return internal::MapRef(internal::AsMap(*cell));
  }
  absl::Status Flush(Duration timeout) override {
    if (!owner_->here()) return internal::ForkedError();
    return session().Flush(Deadline(timeout));
  }

  absl::StatusOr<v1::OpenPoolResponse> OpenPool(const v1::OpenPoolRequest& request) override {
    const v1::OwnerLost lost = request.spec().on_owner_lost();
    const bool owned = lost == v1::OWNER_LOST_CLOSE || lost == v1::OWNER_LOST_TERMINATE;
    v1::OpenPoolRequest sent = request;
    if (owned && sent.owner().empty()) sent.set_owner(session().client_id());
    // Its workers may take long to start: only the daemon knows when to give up.
    auto response = stub_->Call(&Service::OpenPool, sent, kForever);
    if (response.ok()) LearnShard(response->pool());
    return response;
  }
  absl::StatusOr<v1::GetPoolResponse> GetPool(const v1::GetPoolRequest& request) override {
    auto response = stub_->Call(&Service::GetPool, request);
    if (response.ok()) LearnShard(response->pool());
    return response;
  }
  absl::StatusOr<v1::ListPoolsResponse> ListPools(const v1::ListPoolsRequest& request) override {
    return stub_->Call(&Service::ListPools, request);
  }
  absl::StatusOr<v1::ResizeResponse> Resize(const v1::ResizeRequest& request) override {
    return stub_->Call(&Service::Resize, request);
  }
  absl::StatusOr<v1::ReloadResponse> Reload(const v1::ReloadRequest& request) override {
    // Old workers finish what they run: that may take as long as it takes.
    return stub_->Call(&Service::Reload, request, kForever);
  }
  absl::StatusOr<v1::ListTasksResponse> ListTasks(const v1::ListTasksRequest& request) override {
    return stub_->Call(&Service::ListTasks, request);
  }
  absl::StatusOr<v1::ExplainResponse> Explain(const v1::ExplainRequest& request) override {
    if (absl::Status flushed = Flush(options_.call_timeout); !flushed.ok()) return flushed;
    return stub_->Call(&Service::Explain, request);
  }
  absl::StatusOr<v1::CloseResponse> Close(const v1::CloseRequest& request) override {
    if (absl::Status flushed = Flush(options_.call_timeout); !flushed.ok()) return flushed;
    return stub_->Call(&Service::Close, request);
  }
  absl::StatusOr<v1::TerminateResponse> Terminate(const v1::TerminateRequest& request) override {
    if (absl::Status flushed = Flush(options_.call_timeout); !flushed.ok()) return flushed;
    auto response = stub_->Call(&Service::Terminate, request, kForever);
    if (response.ok()) session().AwaitIdle(request.pool(), Deadline(options_.call_timeout));
    return response;
  }
  absl::StatusOr<v1::CancelResponse> Cancel(const v1::CancelRequest& request) override {
    if (absl::Status flushed = Flush(options_.call_timeout); !flushed.ok()) return flushed;
    return stub_->Call(&Service::Cancel, request);
  }
  absl::StatusOr<v1::ReleaseResponse> Release(const v1::ReleaseRequest& request) override {
    if (absl::Status flushed = Flush(options_.call_timeout); !flushed.ok()) return flushed;
    return stub_->Call(&Service::Release, request);
  }
  absl::StatusOr<v1::JoinResponse> Join(const v1::JoinRequest& request, Duration timeout) override;
  absl::StatusOr<v1::GetResponse> Get(const v1::GetRequest& request) override {
    return stub_->Call(&Service::Get, request, WaitOf(request.wait_timeout()));
  }
  absl::StatusOr<v1::GetManyResponse> GetMany(const v1::GetManyRequest& request) override {
    return stub_->Call(&Service::GetMany, request, WaitOf(request.wait_timeout()));
  }
  absl::StatusOr<v1::WaitResponse> Wait(const v1::WaitRequest& request) override {
    return stub_->Call(&Service::Wait, request, WaitOf(request.wait_timeout()));
  }
  absl::StatusOr<v1::GetStatsResponse> GetStats(const v1::GetStatsRequest& request) override {
    return stub_->Call(&Service::GetStats, request);
  }
  absl::StatusOr<v1::GetServerInfoResponse> GetServerInfo(const v1::GetServerInfoRequest& request) override {
    return stub_->Call(&Service::GetServerInfo, request);
  }
  absl::Status GetItems(const v1::GetItemsRequest& request,
                        const std::function<bool(const v1::GetItemsResponse&)>& take) override {
    return stub_->GetItems(request, take);
  }
  absl::Status Watch(const v1::WatchRequest& request,
                     const std::function<bool(const v1::WatchResponse&)>& take) override {
    return stub_->Watch(request, take);
  }
  absl::StatusOr<std::string> Download(const v1::DownloadRequest& request) override { return stub_->Download(request); }
  absl::StatusOr<v1::Payload> DownloadArguments(const v1::DownloadRequest& request) override {
    v1::DownloadRequest whole = request;
    whole.set_arguments(true);
    v1::Payload payload;
    auto bytes = stub_->Download(whole, &payload);
    if (!bytes.ok()) return bytes.status();
    payload.set_data(*std::move(bytes));
    return payload;
  }

 private:
  internal::Session& session() { return owner_->session(); }
  void LearnShard(const v1::Pool& pool) { session().LearnShard(pool.spec().name(), pool.shard()); }
  static Duration WaitOf(const google::protobuf::Duration& wait) {
    return std::chrono::seconds(std::min<std::int64_t>(wait.seconds(), 1'000'000'000)) +
           std::chrono::nanoseconds(wait.nanos());
  }

  // Constant after construction.
  const ClientOptions options_;
  const std::shared_ptr<internal::Stub> stub_;
  const std::shared_ptr<internal::SessionOwner> owner_;
};

absl::StatusOr<v1::JoinResponse> GrpcConnection::Join(const v1::JoinRequest& request, Duration timeout) {
  const Deadline deadline(timeout);
  while (true) {
    v1::JoinRequest step = request;
    const Duration wait = std::min(kJoinStep, deadline.left());
    internal::ToProto(wait, step.mutable_wait_timeout());
    auto response = stub_->Call(&Service::Join, step, wait);
    if (!response.ok() || (!response->done() && deadline.passed())) return response;
    if (!response->done()) continue;
    // The last outcomes, and what the tasks printed, may still be on their way on the stream.
    response->set_done(session().AwaitIdle(request.pool(), deadline));
    return response;
  }
}

std::string AddressOf(const ClientOptions& options) {
  if (!options.address.empty()) return options.address;
  const char* named = std::getenv("POOLD_ADDRESS");
  return named != nullptr && *named != '\0' ? named : wire::DefaultAddress();
}

// What gRPC takes as a target.
std::string TargetOf(const std::string& address) {
  if (address.front() == '/') return "unix:" + address;
  if (address.rfind("tcp:", 0) == 0) return address.substr(4);
  return address;
}

std::string WhyUnreachable(const std::string& target) {
  const std::string path = wire::UnixPathOf(target);
  if (path.empty()) return "nothing listens there";
  struct stat entry {};
  if (stat(path.c_str(), &entry) != 0) return "there is no such socket";
  return S_ISSOCK(entry.st_mode) ? "the socket is there, but nobody listens or you may not open it" : "it is no socket";
}

absl::Status AwaitReady(grpc::Channel& channel, const std::string& target, const ClientOptions& options,
                        const Deadline& deadline) {
  while (true) {
    const grpc_connectivity_state state = channel.GetState(/*try_to_connect=*/true);
    if (state == GRPC_CHANNEL_READY) return absl::OkStatus();
    const bool refused = state == GRPC_CHANNEL_TRANSIENT_FAILURE && !options.wait_for_daemon;
    if (refused || !channel.WaitForStateChange(state, internal::GrpcIn(deadline.left()))) {
      return absl::UnavailableError("no poold answers at " + target + " (" + WhyUnreachable(target) +
                                    "): start poold there, or name another address in POOLD_ADDRESS");
    }
  }
}

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  // A connection of its own for each client.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  // Not the back-off's, but how long one attempt may take: a daemon that is slow to answer is no daemon that is not
  // there.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 20'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // A host that went silent (power, cable, firewall) is noticed within the sum of both: before a call of the default
  // call_timeout is over, so that it can be made again.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 15'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

absl::StatusOr<std::shared_ptr<Connection>> MakeConnection(ClientOptions options) {
  // gRPC's threads are the parent's: a call would hang here.
  if (!internal::ProcessMark::NoteClient()) return internal::ForkedError();
  const Deadline deadline(options.connect_timeout);
  const std::string target = TargetOf(AddressOf(options));
  if (options.client_name.empty()) options.client_name = program_invocation_short_name;
  auto channel = MakeChannel(target);
  auto stub = std::make_shared<internal::Stub>(channel, target, options.call_timeout);
  auto local = options.only_grpc ? nullptr : internal::LocalStream::Connect(stub->address_without_grpc());
  if (local == nullptr) {
    if (absl::Status ready = AwaitReady(*channel, target, options, deadline); !ready.ok()) return ready;
  }
  auto session = std::make_shared<internal::Session>(stub, options);
  auto owner = std::make_shared<internal::SessionOwner>(session);
  if (absl::Status started = session->Start(owner, std::move(local), deadline); !started.ok()) return started;
  return std::make_shared<GrpcConnection>(std::move(owner), std::move(stub), std::move(options));
}

}  // namespace poold::client
