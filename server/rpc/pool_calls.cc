// Calls about pools and about the daemon.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "rpc/accept.h"
#include "rpc/convert.h"
#include "rpc/errors.h"
#include "rpc/pending_call.h"
#include "rpc/unary_call.h"
#include "rpc/validate.h"

namespace poold::rpc {
namespace {

using OpenPoolCall = UnaryCall<v1::OpenPoolRequest, v1::OpenPoolResponse>;
using GetPoolCall = UnaryCall<v1::GetPoolRequest, v1::GetPoolResponse>;
using ListPoolsCall = UnaryCall<v1::ListPoolsRequest, v1::ListPoolsResponse>;
using ResizeCall = UnaryCall<v1::ResizeRequest, v1::ResizeResponse>;
using ReloadCall = UnaryCall<v1::ReloadRequest, v1::ReloadResponse>;
using CloseCall = UnaryCall<v1::CloseRequest, v1::CloseResponse>;
using TerminateCall = UnaryCall<v1::TerminateRequest, v1::TerminateResponse>;
using JoinCall = UnaryCall<v1::JoinRequest, v1::JoinResponse>;
using GetStatsCall = UnaryCall<v1::GetStatsRequest, v1::GetStatsResponse>;
using GetServerInfoCall = UnaryCall<v1::GetServerInfoRequest, v1::GetServerInfoResponse>;

// Of Terminate.
constexpr core::Nanos kMaxGrace = 3600 * core::kSecond;

absl::StatusOr<core::PoolSpec> ReadAndResolve(const v1::PoolSpec& spec, const ServiceOptions& options) {
  absl::StatusOr<core::PoolSpec> read = ReadPoolSpec(spec, options);
  if (!read.ok() || options.resolver == nullptr) return read;
  if (absl::Status status = options.resolver->Resolve(&*read); !status.ok()) return status;
  return read;
}

// Whose absence the pool's on_owner_lost is about.
absl::StatusOr<core::ClientId> ReadOwner(const std::string& client_id, const core::PoolSpec& spec) {
  if (client_id.empty() && spec.on_owner_lost != core::OwnerLost::kKeep) {
    return InvalidField("owner", "owner: spec.on_owner_lost is about an owner; give the client_id of an open session");
  }
  if (client_id.empty()) return core::ClientId{};
  const absl::StatusOr<core::HandleId> id = ReadId(client_id, "owner");
  if (!id.ok()) return InvalidField("owner", "owner: a client_id has 16 bytes");
  return SessionClient(*id);
}

// Zero: the pool may be there already.
absl::StatusOr<core::HandleId> ReadCreation(const std::string& creation_id) {
  if (creation_id.empty()) return core::HandleId{};
  const absl::StatusOr<core::HandleId> id = ReadId(creation_id, "creation_id");
  if (id.ok() && *id != core::HandleId{}) return id;
  return InvalidField("creation_id", "creation_id: it has 16 bytes, drawn at random");
}

// Inside an event, so that the owner is still there when the core hears of the pool.
absl::Status CheckOwner(core::ClientId owner, const PresentClients& present) {
  if (owner == core::ClientId{} || present.Has(owner)) return absl::OkStatus();
  return InvalidField("owner", "owner: no session with this client_id is open now; open one and say hello first");
}

void OpenPool(const std::shared_ptr<OpenPoolCall>& call) {
  ServiceContext& service_context = call->service_context();
  absl::StatusOr<core::PoolSpec> spec = ReadAndResolve(call->request().spec(), service_context.options);
  if (!spec.ok()) return call->Refuse(spec.status());
  const absl::StatusOr<core::ClientId> owner = ReadOwner(call->request().owner(), *spec);
  if (!owner.ok()) return call->Refuse(owner.status());
  const absl::StatusOr<core::HandleId> creation = ReadCreation(call->request().creation_id());
  if (!creation.ok()) return call->Refuse(creation.status());
  PendingCall asked{.subscriber = std::make_shared<AnswerSubscriber>([call](Answer answer) {
                      const OpenPoolAnswer& opened = std::get<OpenPoolAnswer>(answer);
                      if (!opened.pool.ok()) return call->Refuse(opened.pool.status());
                      v1::OpenPoolResponse response;
                      WritePool(*opened.pool, WallTime(*call->service_context().clock), response.mutable_pool());
                      response.set_created(opened.created);
                      call->Answer(response);
                    })};
  const absl::Status status = service_context.gates->OpenPool(
      spec->name, [&](core::Core& core, core::Nanos now, std::size_t shard, std::uint64_t elsewhere) {
        asked.shard = service_context.shards[shard].get();
        if (absl::Status present = CheckOwner(*owner, asked.shard->present()); !present.ok()) return present;
        asked.id = asked.shard->subscribers().Add(asked.subscriber);
        core.OnOpenPool(now, asked.id, *std::move(spec), *owner, elsewhere, *creation);
        return absl::OkStatus();
      });
  if (!status.ok()) return call->Refuse(status);
  call->OnCancelled([asked] { asked.Drop(); });
}

void GetPool(const std::shared_ptr<GetPoolCall>& call) {
  ServiceContext& service_context = call->service_context();
  const std::string& name = call->request().name();
  if (absl::Status status = CheckPoolName(name, "name"); !status.ok()) return call->Refuse(status);
  std::vector<core::FunctionInfo> functions;
  const absl::StatusOr<core::PoolView> pool =
      service_context.ShardOfPool(name).Enter([&](core::Core& core, core::Nanos) {
        functions = core.ViewFunctions(name);
        return core.ViewPool(name);
      });
  if (!pool.ok()) return call->Refuse(pool.status());
  v1::GetPoolResponse response;
  WritePool(*pool, WallTime(*service_context.clock), response.mutable_pool());
  WriteFunctions(functions, &response);
  call->Answer(response);
}

// In the order in which they were opened.
std::vector<core::PoolView> AllPools(ServiceContext& service_context) {
  std::vector<core::PoolView> pools;
  for (const std::unique_ptr<Shard>& shard : service_context.shards) {
    std::vector<core::PoolView> some = shard->Enter([](core::Core& core, core::Nanos) { return core.ViewPools(); });
    std::move(some.begin(), some.end(), std::back_inserter(pools));
  }
  std::stable_sort(pools.begin(), pools.end(),
                   [](const core::PoolView& a, const core::PoolView& b) { return a.opened_at < b.opened_at; });
  return pools;
}

// Each has its part of an answer that stays below 4 MiB.
PoolRoom RoomOfOne(std::size_t pools) {
  constexpr std::size_t kAllLists = 1 << 20;
  constexpr std::size_t kListedTextBytes = 4 * 1024;
  return {.list_bytes = kAllLists / std::max<std::size_t>(1, pools), .text_bytes = kListedTextBytes};
}

void ListPools(const std::shared_ptr<ListPoolsCall>& call) {
  ServiceContext& service_context = call->service_context();
  const std::vector<core::PoolView> pools = AllPools(service_context);
  const WallTime wall(*service_context.clock);
  v1::ListPoolsResponse response;
  for (const core::PoolView& pool : pools) WritePool(pool, wall, RoomOfOne(pools.size()), response.add_pools());
  call->Answer(response);
}

void Resize(const std::shared_ptr<ResizeCall>& call) {
  ServiceContext& service_context = call->service_context();
  const std::string& name = call->request().pool();
  const std::uint32_t workers = call->request().workers();
  const std::uint32_t most = service_context.options.limits.max_workers_per_pool;
  if (absl::Status status = CheckPoolName(name, "pool"); !status.ok()) return call->Refuse(status);
  if (workers == 0 || workers > most) {
    return call->Refuse(InvalidField("workers", absl::StrCat("workers: ", workers, " is not between 1 and ", most)));
  }
  const absl::StatusOr<core::PoolView> pool = service_context.ShardOfPool(name).Enter(
      [&](core::Core& core, core::Nanos now) { return core.OnResize(now, name, workers); });
  if (!pool.ok()) return call->Refuse(pool.status());
  v1::ResizeResponse response;
  WritePool(*pool, WallTime(*service_context.clock), response.mutable_pool());
  call->Answer(response);
}

// The reload goes on when nobody waits for it any more.
void Reload(const std::shared_ptr<ReloadCall>& call) {
  const std::string& name = call->request().pool();
  if (absl::Status status = CheckPoolName(name, "pool"); !status.ok()) return call->Refuse(status);
  AskCore(
      call, call->service_context().ShardOfPool(name),
      [&](core::Core& core, core::Nanos now, core::SubscriberId id) { core.OnReload(now, id, name); },
      [call](Answer answer) {
        const auto& pool = std::get<absl::StatusOr<core::PoolView>>(answer);
        if (!pool.ok()) return call->Refuse(pool.status());
        v1::ReloadResponse response;
        WritePool(*pool, WallTime(*call->service_context().clock), response.mutable_pool());
        call->Answer(response);
      });
}

void Close(const std::shared_ptr<CloseCall>& call) {
  const std::string& name = call->request().pool();
  if (absl::Status status = CheckPoolName(name, "pool"); !status.ok()) return call->Refuse(status);
  const bool cancel_queued = call->request().cancel_queued();
  const absl::StatusOr<std::uint64_t> cancelled = call->service_context().ShardOfPool(name).Enter(
      [&](core::Core& core, core::Nanos now) { return core.OnClose(now, name, cancel_queued); });
  if (!cancelled.ok()) return call->Refuse(cancelled.status());
  v1::CloseResponse response;
  response.set_cancelled_tasks(*cancelled);
  call->Answer(response);
}

void Terminate(const std::shared_ptr<TerminateCall>& call) {
  const std::string& name = call->request().pool();
  absl::Status status = CheckPoolName(name, "pool");
  core::Nanos grace = 0;
  ReadLimit(call->request().has_grace(), call->request().grace(), "grace", &grace, &status);
  if (status.ok() && grace > kMaxGrace) {
    status = InvalidField("grace", absl::StrCat("grace: ", grace / core::kSecond, " s is not between 0 and ",
                                                kMaxGrace / core::kSecond, " s"));
  }
  if (!status.ok()) return call->Refuse(status);
  AskCore(
      call, call->service_context().ShardOfPool(name),
      [&](core::Core& core, core::Nanos now, core::SubscriberId id) {
        core.OnTerminate(now, id, name, grace, call->request().forget());
      },
      [call](Answer answer) {
        const auto& cancelled = std::get<absl::StatusOr<std::uint64_t>>(answer);
        if (!cancelled.ok()) return call->Refuse(cancelled.status());
        v1::TerminateResponse response;
        response.set_cancelled_tasks(*cancelled);
        call->Answer(response);
      });
}

void Join(const std::shared_ptr<JoinCall>& call) {
  const std::string& name = call->request().pool();
  absl::Status status = CheckPoolName(name, "pool");
  core::Nanos wait = call->service_context().options.limits.max_wait;
  if (status.ok() && call->request().has_wait_timeout()) {
    const absl::StatusOr<core::Nanos> asked = ReadDuration(call->request().wait_timeout(), "wait_timeout");
    status = asked.status();
    wait = std::min(wait, asked.value_or(0));
  }
  if (!status.ok()) return call->Refuse(status);
  AskCore(
      call, call->service_context().ShardOfPool(name),
      [&](core::Core& core, core::Nanos now, core::SubscriberId id) { core.OnJoin(now, id, name, wait); },
      [call](Answer answer) {
        const auto& done = std::get<absl::StatusOr<bool>>(answer);
        if (!done.ok()) return call->Refuse(done.status());
        v1::JoinResponse response;
        response.set_done(*done);
        call->Answer(response);
      });
}

std::uint64_t ResidentBytes() {
  std::FILE* statm = std::fopen("/proc/self/statm", "re");
  if (statm == nullptr) return 0;
  unsigned long long size = 0;
  unsigned long long resident = 0;
  const int fields = std::fscanf(statm, "%llu %llu", &size, &resident);
  std::fclose(statm);
  return fields == 2 ? resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

core::Nanos CpuTime() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto nanos = [](const timeval& t) { return t.tv_sec * core::kSecond + t.tv_usec * 1000; };
  return nanos(usage.ru_utime) + nanos(usage.ru_stime);
}

absl::StatusOr<std::vector<core::PoolView>> PoolsNamed(ServiceContext& service_context, const std::string& name) {
  if (name.empty()) return AllPools(service_context);
  if (absl::Status status = CheckPoolName(name, "pool"); !status.ok()) return status;
  absl::StatusOr<core::PoolView> pool =
      service_context.ShardOfPool(name).Enter([&](core::Core& core, core::Nanos) { return core.ViewPool(name); });
  if (!pool.ok()) return pool.status();
  return std::vector<core::PoolView>{*std::move(pool)};
}

void WriteHeldUpClients(ServiceContext& service_context, v1::GetStatsResponse* response) {
  for (const std::unique_ptr<Shard>& shard : service_context.shards) {
    const std::vector<core::ClientView> clients =
        shard->Enter([](core::Core& core, core::Nanos) { return core.HeldUpClients(); });
    for (const core::ClientView& client : clients) {
      v1::HeldUpClient* out = response->add_held_up_clients();
      out->set_client(service_context.client_names.Shown(client.id));
      if (client.origin.uid >= 0) out->set_uid(client.origin.uid);
      if (client.origin.pid >= 0) out->set_pid(client.origin.pid);
      out->set_connection(client.origin.connection);
      out->set_kept_outcome_bytes(client.kept_bytes);
    }
  }
}

void GetStats(const std::shared_ptr<GetStatsCall>& call) {
  const absl::StatusOr<std::vector<core::PoolView>> pools = PoolsNamed(call->service_context(), call->request().pool());
  if (!pools.ok()) return call->Refuse(pools.status());
  v1::GetStatsResponse response;
  std::uint64_t kept_bytes = 0;
  for (const core::PoolView& pool : *pools) {
    WriteStats(pool.stats, &(*response.mutable_pools())[pool.spec.name]);
    kept_bytes += pool.stats.kept_outcome_bytes;
  }
  response.set_sessions(call->service_context().sessions);
  response.set_kept_outcome_bytes(kept_bytes);
  response.set_rss_bytes(ResidentBytes());
  WriteDuration(CpuTime(), response.mutable_cpu_time());
  response.set_core_entries(call->service_context().gates->entries());
  WriteHeldUpClients(call->service_context(), &response);
  response.set_shared_memory_bytes(call->service_context().options.spool->used_memory_bytes());
  response.set_spool_bytes(call->service_context().options.spool->used_bytes());
  response.set_dropped_log_lines(base::DroppedLogLines());
  call->Answer(response);
}

void AddPart(std::string_view name, std::uint64_t used, std::uint64_t max, v1::MemoryBudget* out) {
  v1::MemoryPart* part = out->add_parts();
  part->set_name(std::string(name));
  part->set_used_bytes(used);
  part->set_max_bytes(max);
}

void WriteMemory(const ServiceContext& service_context, v1::MemoryBudget* out) {
  const base::MemoryBudget& memory = *service_context.options.memory;
  core::MemoryUse cores;
  for (const std::unique_ptr<Shard>& shard : service_context.shards) {
    const core::MemoryUse one = shard->Enter([](core::Core& core, core::Nanos) { return core.memory(); });
    cores.task_bytes += one.task_bytes;
    cores.kept_outcome_bytes += one.kept_outcome_bytes;
  }
  out->set_budget_bytes(memory.bytes());
  AddPart("tasks", cores.task_bytes, service_context.options.limits.max_task_bytes, out);
  AddPart("arguments", memory.arguments->used(), memory.arguments->max(), out);
  AddPart("kept outcomes", cores.kept_outcome_bytes, service_context.options.limits.max_kept_outcome_bytes, out);
  AddPart("half-read messages", memory.half_read->used(), memory.half_read->max(), out);
  AddPart("uploads", memory.uploads->used(), memory.uploads->max(), out);
  AddPart("unsent answers", memory.unsent->used(), memory.unsent->max(), out);
  AddPart("watchers", memory.watchers->used(), memory.watchers->max(), out);
  AddPart("shared memory", memory.arenas->used(), service_context.options.spool->options().max_memory_bytes, out);
}

void GetServerInfo(const std::shared_ptr<GetServerInfoCall>& call) {
  v1::GetServerInfoResponse response;
  *response.mutable_server() = call->service_context().server_info;
  WriteMemory(call->service_context(), response.mutable_server()->mutable_memory());
  call->Answer(response);
}

}  // namespace

void AcceptPoolCalls(QueueContext* queue_context) {
  OpenPoolCall::Accept(queue_context, "OpenPool", OpenPool);
  GetPoolCall::Accept(queue_context, "GetPool", GetPool);
  ListPoolsCall::Accept(queue_context, "ListPools", ListPools);
  ResizeCall::Accept(queue_context, "Resize", Resize);
  ReloadCall::Accept(queue_context, "Reload", Reload);
  CloseCall::Accept(queue_context, "Close", Close);
  TerminateCall::Accept(queue_context, "Terminate", Terminate);
  JoinCall::Accept(queue_context, "Join", Join);
  GetStatsCall::Accept(queue_context, "GetStats", GetStats);
  GetServerInfoCall::Accept(queue_context, "GetServerInfo", GetServerInfo);
}

}  // namespace poold::rpc
