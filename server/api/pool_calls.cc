// Calls about pools and about the daemon.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/calls.h"
#include "api/convert.h"
#include "api/errors.h"
#include "api/validate.h"
#include "base/log.h"

namespace poold::api {
namespace {

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
  absl::StatusOr<core::HandleId> id = ReadId(creation_id, "creation_id");
  if (id.ok() && *id != core::HandleId{}) return id;
  return InvalidField("creation_id", "creation_id: it has 16 bytes, drawn at random");
}

}  // namespace

void OpenPool(const std::shared_ptr<OpenPoolCall>& call) {
  ServiceContext& context = call->service();
  absl::StatusOr<core::PoolSpec> spec = ReadAndResolve(call->request().spec(), context.options);
  if (!spec.ok()) return call->Refuse(spec.status());
  const absl::StatusOr<core::ClientId> owner = ReadOwner(call->request().owner(), *spec);
  if (!owner.ok()) return call->Refuse(owner.status());
  const absl::StatusOr<core::HandleId> creation = ReadCreation(call->request().creation_id());
  if (!creation.ok()) return call->Refuse(creation.status());
  const std::optional<engine::PendingCall> asked =
      context.engine.OpenPool(*std::move(spec), *owner, *creation, [call](engine::Answer answer) {
        const engine::OpenPoolAnswer& opened = std::get<engine::OpenPoolAnswer>(answer);
        if (!opened.pool.ok()) return call->Refuse(opened.pool.status());
        v1::OpenPoolResponse response;
        WritePool(*opened.pool, WallTime(*call->service().clock), response.mutable_pool());
        response.set_created(opened.created);
        call->Answer(response);
      });
  if (!asked) {
    return call->Refuse(
        InvalidField("owner", "owner: no session with this client_id is open now; open one and say hello first"));
  }
  DropWhenCancelled(call, *asked);
}

void GetPool(const std::shared_ptr<GetPoolCall>& call) {
  ServiceContext& context = call->service();
  const std::string& name = call->request().name();
  if (absl::Status status = CheckPoolName(name, "name"); !status.ok()) return call->Refuse(status);
  std::vector<core::FunctionInfo> functions;
  const absl::StatusOr<core::PoolView> pool = context.engine.InPool(name, [&](core::Core& core, core::Nanos) {
    functions = core.ViewFunctions(name);
    return core.ViewPool(name);
  });
  if (!pool.ok()) return call->Refuse(pool.status());
  v1::GetPoolResponse response;
  WritePool(*pool, WallTime(*context.clock), response.mutable_pool());
  WriteFunctions(functions, &response);
  call->Answer(response);
}

namespace {

// Each has its part of an answer that stays below 4 MiB.
PoolRoom RoomOfOne(std::size_t pools) {
  constexpr std::size_t kAllLists = 1 << 20;
  constexpr std::size_t kListedTextBytes = 4 * 1024;
  return {.list_bytes = kAllLists / std::max<std::size_t>(1, pools), .text_bytes = kListedTextBytes};
}

}  // namespace

void ListPools(const std::shared_ptr<ListPoolsCall>& call) {
  ServiceContext& context = call->service();
  const std::vector<core::PoolView> pools = context.engine.Pools();
  const WallTime wall(*context.clock);
  v1::ListPoolsResponse response;
  for (const core::PoolView& pool : pools) WritePool(pool, wall, RoomOfOne(pools.size()), response.add_pools());
  call->Answer(response);
}

void Resize(const std::shared_ptr<ResizeCall>& call) {
  ServiceContext& context = call->service();
  const std::string& name = call->request().pool();
  const std::uint32_t workers = call->request().workers();
  const std::uint32_t most = context.options.limits.max_workers_per_pool;
  if (absl::Status status = CheckPoolName(name, "pool"); !status.ok()) return call->Refuse(status);
  if (workers == 0 || workers > most) {
    return call->Refuse(InvalidField("workers", absl::StrCat("workers: ", workers, " is not between 1 and ", most)));
  }
  const absl::StatusOr<core::PoolView> pool =
      context.engine.InPool(name, [&](core::Core& core, core::Nanos now) { return core.OnResize(now, name, workers); });
  if (!pool.ok()) return call->Refuse(pool.status());
  v1::ResizeResponse response;
  WritePool(*pool, WallTime(*context.clock), response.mutable_pool());
  call->Answer(response);
}

// The reload goes on when nobody waits for it any more.
void Reload(const std::shared_ptr<ReloadCall>& call) {
  const std::string& name = call->request().pool();
  if (absl::Status status = CheckPoolName(name, "pool"); !status.ok()) return call->Refuse(status);
  DropWhenCancelled(
      call, call->service().engine.AskInPool(
                name, [&](core::Core& core, core::Nanos now, core::SubscriberId id) { core.OnReload(now, id, name); },
                [call](engine::Answer answer) {
                  const auto& pool = std::get<absl::StatusOr<core::PoolView>>(answer);
                  if (!pool.ok()) return call->Refuse(pool.status());
                  v1::ReloadResponse response;
                  WritePool(*pool, WallTime(*call->service().clock), response.mutable_pool());
                  call->Answer(response);
                }));
}

void Close(const std::shared_ptr<CloseCall>& call) {
  const std::string& name = call->request().pool();
  if (absl::Status status = CheckPoolName(name, "pool"); !status.ok()) return call->Refuse(status);
  const bool cancel_queued = call->request().cancel_queued();
  DropWhenCancelled(call, call->service().engine.AskInPool(
                              name,
                              [&](core::Core& core, core::Nanos now, core::SubscriberId id) {
                                core.OnClose(now, id, name, cancel_queued);
                              },
                              [call](engine::Answer answer) {
                                const auto& cancelled = std::get<absl::StatusOr<std::uint64_t>>(answer);
                                if (!cancelled.ok()) return call->Refuse(cancelled.status());
                                v1::CloseResponse response;
                                response.set_cancelled_tasks(*cancelled);
                                call->Answer(response);
                              }));
}

void Terminate(const std::shared_ptr<TerminateCall>& call) {
  const std::string& name = call->request().pool();
  if (absl::Status status = CheckPoolName(name, "pool"); !status.ok()) return call->Refuse(status);
  const absl::StatusOr<core::Nanos> read = ReadDuration(call->request().grace(), "grace");
  if (!read.ok()) return call->Refuse(read.status());
  const core::Nanos grace = *read;
  if (grace > kMaxGrace) {
    return call->Refuse(InvalidField("grace", absl::StrCat("grace: ", grace / core::kSecond, " s is not between 0 and ",
                                                           kMaxGrace / core::kSecond, " s")));
  }
  DropWhenCancelled(call, call->service().engine.AskInPool(
                              name,
                              [&](core::Core& core, core::Nanos now, core::SubscriberId id) {
                                core.OnTerminate(now, id, name, grace, call->request().forget());
                              },
                              [call](engine::Answer answer) {
                                const auto& cancelled = std::get<absl::StatusOr<std::uint64_t>>(answer);
                                if (!cancelled.ok()) return call->Refuse(cancelled.status());
                                v1::TerminateResponse response;
                                response.set_cancelled_tasks(*cancelled);
                                call->Answer(response);
                              }));
}

void Join(const std::shared_ptr<JoinCall>& call) {
  const std::string& name = call->request().pool();
  absl::Status status = CheckPoolName(name, "pool");
  core::Nanos wait = call->service().options.limits.max_wait;
  if (status.ok() && call->request().has_wait_timeout()) {
    const absl::StatusOr<core::Nanos> asked = ReadDuration(call->request().wait_timeout(), "wait_timeout");
    status = asked.status();
    wait = std::min(wait, asked.value_or(0));
  }
  if (!status.ok()) return call->Refuse(status);
  DropWhenCancelled(
      call,
      call->service().engine.AskInPool(
          name, [&](core::Core& core, core::Nanos now, core::SubscriberId id) { core.OnJoin(now, id, name, wait); },
          [call](engine::Answer answer) {
            const auto& done = std::get<absl::StatusOr<bool>>(answer);
            if (!done.ok()) return call->Refuse(done.status());
            v1::JoinResponse response;
            response.set_done(*done);
            call->Answer(response);
          }));
}

namespace {

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

absl::StatusOr<std::vector<core::PoolView>> PoolsNamed(ServiceContext& context, const std::string& name) {
  if (name.empty()) return context.engine.Pools();
  if (absl::Status status = CheckPoolName(name, "pool"); !status.ok()) return status;
  absl::StatusOr<core::PoolView> pool =
      context.engine.InPool(name, [&](core::Core& core, core::Nanos) { return core.ViewPool(name); });
  if (!pool.ok()) return pool.status();
  return std::vector<core::PoolView>{*std::move(pool)};
}

void WriteHeldUpClients(ServiceContext& context, v1::GetStatsResponse* response) {
  for (const core::ClientView& client : context.engine.HeldUpClients()) {
    v1::HeldUpClient* out = response->add_held_up_clients();
    out->set_client(context.client_names.Shown(client.id));
    if (client.origin.uid >= 0) out->set_uid(client.origin.uid);
    if (client.origin.pid >= 0) out->set_pid(client.origin.pid);
    out->set_connection(client.origin.connection);
    out->set_kept_outcome_bytes(client.kept_bytes);
  }
}

}  // namespace

void GetStats(const std::shared_ptr<GetStatsCall>& call) {
  const absl::StatusOr<std::vector<core::PoolView>> pools = PoolsNamed(call->service(), call->request().pool());
  if (!pools.ok()) return call->Refuse(pools.status());
  v1::GetStatsResponse response;
  std::uint64_t kept_bytes = 0;
  for (const core::PoolView& pool : *pools) {
    WriteStats(pool.stats, &(*response.mutable_pools())[pool.spec.name]);
    kept_bytes += pool.stats.kept_outcome_bytes;
  }
  response.set_sessions(call->service().sessions);
  response.set_kept_outcome_bytes(kept_bytes);
  response.set_rss_bytes(ResidentBytes());
  WriteDuration(CpuTime(), response.mutable_cpu_time());
  response.set_core_entries(call->service().engine.entries());
  WriteHeldUpClients(call->service(), &response);
  response.set_shared_memory_bytes(call->service().options.spool->used_memory_bytes());
  response.set_spool_bytes(call->service().options.spool->used_bytes());
  response.set_dropped_log_lines(base::DroppedLogLines());
  call->Answer(response);
}

namespace {

void AddPart(std::string_view name, std::uint64_t used, std::uint64_t max, v1::MemoryBudget* out) {
  v1::MemoryPart* part = out->add_parts();
  part->set_name(std::string(name));
  part->set_used_bytes(used);
  part->set_max_bytes(max);
}

void WriteMemory(const ServiceContext& context, v1::MemoryBudget* out) {
  const base::MemoryBudget& memory = *context.options.memory;
  const core::MemoryUse cores = context.engine.memory();
  out->set_budget_bytes(memory.bytes());
  AddPart("tasks", cores.task_bytes, context.options.limits.max_task_bytes, out);
  AddPart("arguments", memory.arguments->used(), memory.arguments->max(), out);
  AddPart("kept outcomes", cores.kept_outcome_bytes, context.options.limits.max_kept_outcome_bytes, out);
  AddPart("half-read messages", memory.half_read->used(), memory.half_read->max(), out);
  AddPart("uploads", memory.uploads->used(), memory.uploads->max(), out);
  AddPart("unsent answers", memory.unsent->used(), memory.unsent->max(), out);
  AddPart("watchers", memory.watchers->used(), memory.watchers->max(), out);
  AddPart("shared memory", memory.arenas->used(), context.options.spool->options().max_memory_bytes, out);
}

}  // namespace

void GetServerInfo(const std::shared_ptr<GetServerInfoCall>& call) {
  v1::GetServerInfoResponse response;
  *response.mutable_server() = call->service().server_info;
  WriteMemory(call->service(), response.mutable_server()->mutable_memory());
  call->Answer(response);
}

}  // namespace poold::api
