#include "poold/client/connection.h"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "convert.h"
#include "error.h"
#include "poold/client/proto.h"
#include "poold/mocks/finished.h"
#include "session/owner.h"
#include "transport/grpc_time.h"
#include "transport/local_stream.h"
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
// The daemon cuts longer waits.
constexpr Duration kLongestWait = std::chrono::seconds(1'000'000'000);

HandleInfo InfoOf(const v1::GetResponse& message) {
  HandleInfo info{.done = message.done()};
  if (message.has_task()) info.entry = FromProto(message.task());
  if (message.has_map()) info.entry = FromProto(message.map());
  return info;
}

// The outcomes one by one, plain successes too.
ItemsAnswer Unpacked(const v1::GetItemsResponse& message) {
  ItemsAnswer answer;
  for (const v1::ItemOutcomes& block : message.outcomes()) {
    std::size_t begin = 0;
    auto other = block.others().begin();
    for (int i = 0; i < block.result_bytes_size(); ++i) {
      const std::uint64_t index = block.first_index() + i;
      const std::size_t bytes = block.result_bytes(i);
      if (other != block.others().end() && other->index() == index) {
        answer.items.push_back({index, FromProto(other->outcome())});
        ++other;
      } else {
        Payload result{FromProto(block.encoding()), block.type_name(), block.results().substr(begin, bytes), bytes};
        answer.items.push_back({index, {.state = TaskState::kSucceeded, .result = std::move(result)}});
      }
      begin += bytes;
    }
  }
  if (message.has_end()) answer.end = FromProto(message.end());
  return answer;
}

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

  absl::StatusOr<OpenedPool> OpenPool(const PoolSpec& spec, const OpenOptions& options) override {
    v1::OpenPoolRequest request;
    *request.mutable_spec() = ToProto(spec);
    request.set_creation_id(options.creation_id);
    const bool owned = spec.on_owner_lost == OwnerLost::kClose || spec.on_owner_lost == OwnerLost::kTerminate;
    request.set_owner(owned && options.owner.empty() ? session().client_id() : options.owner);
    // Its workers may take long to start: only the daemon knows when to give up.
    auto response = stub_->Call(&Service::OpenPool, request, kForever);
    if (!response.ok()) return response.status();
    LearnShard(response->pool());
    return OpenedPool{FromProto(response->pool()), response->created()};
  }
  absl::StatusOr<PoolDescription> GetPool(std::string_view pool) override {
    v1::GetPoolRequest request;
    request.set_name(std::string(pool));
    auto response = stub_->Call(&Service::GetPool, request);
    if (response.ok()) LearnShard(response->pool());
    return Plain(response);
  }
  absl::StatusOr<std::vector<PoolInfo>> ListPools() override {
    auto response = stub_->Call(&Service::ListPools, v1::ListPoolsRequest());
    if (!response.ok()) return response.status();
    std::vector<PoolInfo> pools;
    for (const v1::Pool& pool : response->pools()) pools.push_back(FromProto(pool));
    return pools;
  }
  absl::StatusOr<PoolInfo> Resize(std::string_view pool, Count workers) override {
    v1::ResizeRequest request;
    request.set_pool(std::string(pool));
    request.set_workers(internal::Bounded32(workers));
    return PlainPool(stub_->Call(&Service::Resize, request));
  }
  absl::StatusOr<PoolInfo> Reload(std::string_view pool) override {
    v1::ReloadRequest request;
    request.set_pool(std::string(pool));
    // Old workers finish what they run: that may take as long as it takes.
    return PlainPool(stub_->Call(&Service::Reload, request, kForever));
  }
  absl::StatusOr<TaskPage> ListTasks(const TaskQuery& query) override {
    return Plain(stub_->Call(&Service::ListTasks, ToProto(query)));
  }
  absl::StatusOr<Explanation> Explain(HandleId id) override {
    if (absl::Status flushed = Flush(options_.call_timeout); !flushed.ok()) return flushed;
    v1::ExplainRequest request;
    request.set_id(id.ToBytes());
    return Plain(stub_->Call(&Service::Explain, request));
  }
  absl::StatusOr<std::uint64_t> Close(std::string_view pool, bool cancel_queued) override {
    if (absl::Status flushed = Flush(options_.call_timeout); !flushed.ok()) return flushed;
    v1::CloseRequest request;
    request.set_pool(std::string(pool));
    request.set_cancel_queued(cancel_queued);
    auto response = stub_->Call(&Service::Close, request);
    if (!response.ok()) return response.status();
    return response->cancelled_tasks();
  }
  absl::StatusOr<std::uint64_t> Terminate(std::string_view pool, Duration grace, bool forget) override {
    if (absl::Status flushed = Flush(options_.call_timeout); !flushed.ok()) return flushed;
    v1::TerminateRequest request;
    request.set_pool(std::string(pool));
    if (grace != Duration::zero()) internal::ToProto(grace, request.mutable_grace());
    request.set_forget(forget);
    auto response = stub_->Call(&Service::Terminate, request, kForever);
    if (!response.ok()) return response.status();
    session().AwaitIdle(request.pool(), Deadline(options_.call_timeout));
    return response->cancelled_tasks();
  }
  absl::StatusOr<std::vector<bool>> Cancel(const std::vector<HandleId>& ids, bool running) override {
    if (absl::Status flushed = Flush(options_.call_timeout); !flushed.ok()) return flushed;
    v1::CancelRequest request;
    for (const HandleId& id : ids) request.add_ids(id.ToBytes());
    request.set_running(running);
    auto response = stub_->Call(&Service::Cancel, request);
    if (!response.ok()) return response.status();
    return std::vector<bool>(response->cancelled().begin(), response->cancelled().end());
  }
  absl::StatusOr<std::uint32_t> Release(const std::vector<HandleId>& ids) override {
    if (absl::Status flushed = Flush(options_.call_timeout); !flushed.ok()) return flushed;
    v1::ReleaseRequest request;
    for (const HandleId& id : ids) request.add_ids(id.ToBytes());
    auto response = stub_->Call(&Service::Release, request);
    if (!response.ok()) return response.status();
    return response->released();
  }
  absl::StatusOr<bool> Join(std::string_view pool, Duration timeout) override;
  absl::StatusOr<HandleInfo> Get(HandleId id, Duration timeout) override {
    v1::GetRequest request;
    request.set_id(id.ToBytes());
    internal::ToProto(timeout, request.mutable_wait_timeout());
    auto response = stub_->Call(&Service::Get, request, WaitOf(timeout));
    if (!response.ok()) return response.status();
    return InfoOf(*response);
  }
  absl::StatusOr<ManyHandles> GetMany(const std::vector<HandleId>& ids, Duration timeout) override {
    v1::GetManyRequest request;
    for (const HandleId& id : ids) request.add_ids(id.ToBytes());
    internal::ToProto(timeout, request.mutable_wait_timeout());
    auto response = stub_->Call(&Service::GetMany, request, WaitOf(timeout));
    if (!response.ok()) return response.status();
    ManyHandles many{.left = response->left()};
    for (const v1::HandleAnswer& answer : response->answers()) {
      if (answer.has_error()) {
        many.answers.emplace_back(internal::FromProto(answer.error()));
      } else {
        many.answers.emplace_back(InfoOf(answer.handle()));
      }
    }
    return many;
  }
  absl::StatusOr<WaitedIds> Wait(const std::vector<HandleId>& ids, WaitMode mode, Duration timeout) override {
    v1::WaitRequest request;
    for (const HandleId& id : ids) request.add_ids(id.ToBytes());
    request.set_mode(internal::ToProto(mode));
    internal::ToProto(timeout, request.mutable_wait_timeout());
    auto response = stub_->Call(&Service::Wait, request, WaitOf(timeout));
    if (!response.ok()) return response.status();
    return WaitedIds{IdsOf(response->done()), IdsOf(response->not_done())};
  }
  absl::StatusOr<Stats> GetStats(std::string_view pool) override {
    v1::GetStatsRequest request;
    request.set_pool(std::string(pool));
    return Plain(stub_->Call(&Service::GetStats, request));
  }
  absl::StatusOr<ServerInfo> GetServerInfo() override {
    auto response = stub_->Call(&Service::GetServerInfo, v1::GetServerInfoRequest());
    if (!response.ok()) return response.status();
    return FromProto(response->server());
  }
  absl::Status GetItems(const ItemsQuery& query, const std::function<bool(const ItemsAnswer&)>& take) override {
    v1::GetItemsRequest request;
    request.set_id(query.id.ToBytes());
    request.set_first_index(query.first_index);
    request.set_as_completed(query.as_completed);
    return stub_->GetItems(request, [&](const v1::GetItemsResponse& answer) { return take(Unpacked(answer)); });
  }
  absl::Status Watch(const WatchQuery& query, const WatchCallback& take) override {
    v1::WatchRequest request;
    for (const HandleId& id : query.ids) request.add_ids(id.ToBytes());
    request.set_pool(query.pool);
    request.set_output(query.output);
    return stub_->Watch(request, [&](const v1::WatchResponse& event) { return take(FromProto(event)); });
  }
  absl::StatusOr<std::string> Download(HandleId id, std::uint64_t index) override {
    v1::DownloadRequest request;
    request.set_id(id.ToBytes());
    request.set_index(index);
    return stub_->Download(request);
  }
  absl::StatusOr<Payload> DownloadArguments(HandleId id, std::uint64_t index) override {
    v1::DownloadRequest request;
    request.set_id(id.ToBytes());
    request.set_index(index);
    request.set_arguments(true);
    v1::Payload head;
    auto bytes = stub_->Download(request, &head);
    if (!bytes.ok()) return bytes.status();
    Payload payload = FromProto(head);
    payload.data = *std::move(bytes);
    return payload;
  }

 private:
  internal::Session& session() { return owner_->session(); }
  void LearnShard(const v1::Pool& pool) { session().LearnShard(pool.spec().name(), pool.shard()); }
  // The part of a timeout for which the call's deadline waits.
  static Duration WaitOf(Duration timeout) { return std::clamp<Duration>(timeout, Duration::zero(), kLongestWait); }
  static std::vector<HandleId> IdsOf(const google::protobuf::RepeatedPtrField<std::string>& messages) {
    std::vector<HandleId> ids;
    for (const std::string& bytes : messages) ids.push_back(HandleId::FromBytes(bytes).value_or(HandleId{}));
    return ids;
  }
  // The answer as a struct.
  template <typename Message>
  static auto Plain(const absl::StatusOr<Message>& response) -> absl::StatusOr<decltype(FromProto(*response))> {
    if (!response.ok()) return response.status();
    return FromProto(*response);
  }
  // The pool of the answer.
  template <typename Message>
  static absl::StatusOr<PoolInfo> PlainPool(const absl::StatusOr<Message>& response) {
    if (!response.ok()) return response.status();
    return FromProto(response->pool());
  }

  // Constant after construction.
  const ClientOptions options_;
  const std::shared_ptr<internal::Stub> stub_;
  const std::shared_ptr<internal::SessionOwner> owner_;
};

absl::StatusOr<bool> GrpcConnection::Join(std::string_view pool, Duration timeout) {
  const Deadline deadline(timeout);
  v1::JoinRequest request;
  request.set_pool(std::string(pool));
  while (true) {
    const Duration wait = std::min(kJoinStep, deadline.left());
    internal::ToProto(wait, request.mutable_wait_timeout());
    const auto response = stub_->Call(&Service::Join, request, wait);
    if (!response.ok()) return response.status();
    // The last outcomes, and what the tasks printed, may still be on their way on the stream.
    if (response->done()) return session().AwaitIdle(request.pool(), deadline);
    if (deadline.passed()) return false;
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
