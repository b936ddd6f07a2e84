// A pool as it stands, for clients.
#include <cstddef>
#include <string_view>

#include "api/convert.h"
#include "api/errors.h"
#include "wire/readable.h"

namespace poold::api {
namespace {

constexpr std::size_t kMaxFunctionsBytes = 3 << 20;
constexpr std::size_t kMaxWorkerFunctionBytes = 64;
// A FunctionState without its name.
constexpr std::size_t kStateBytes = 40;

void WriteWorker(const core::WorkerView& worker, const WallTime& wall, v1::Worker* out) {
  out->set_id(static_cast<std::uint64_t>(worker.id));
  out->set_pid(worker.pid);
  out->set_state(static_cast<v1::WorkerState>(worker.state));
  out->set_generation(worker.generation);
  if (worker.started_at > 0) wall.Write(worker.started_at, out->mutable_started_at());
  out->set_tasks_done(worker.tasks_done);
  out->set_function(wire::ToUtf8(std::string_view(worker.function).substr(0, kMaxWorkerFunctionBytes)));
  if (worker.running != core::HandleId()) out->set_running(IdBytes(worker.running));
  out->set_rss_bytes(worker.rss_bytes);
}

void WriteFunctionState(const core::FunctionView& function, v1::FunctionState* out) {
  out->set_name(wire::ToUtf8(function.name));
  out->set_calls(function.calls);
  WriteDuration(function.average_time, out->mutable_average_time());
  out->set_deaths_in_a_row(function.deaths_in_a_row);
  WriteDuration(function.breaker_open_for, out->mutable_breaker_open_for());
}

}  // namespace

void WriteStats(const core::PoolStats& stats, v1::PoolStats* out) {
  out->set_queued(stats.queued);
  out->set_running(stats.running);
  out->set_queued_bytes(stats.queued_bytes);
  out->set_submitted(stats.submitted);
  out->set_succeeded(stats.succeeded);
  out->set_failed(stats.failed);
  out->set_crashed(stats.crashed);
  out->set_timed_out(stats.timed_out);
  out->set_expired(stats.expired);
  out->set_cancelled(stats.cancelled);
  out->set_retried(stats.retried);
  out->set_dropped_results(stats.dropped_results);
  out->set_workers_started(stats.workers_started);
  out->set_workers_lost(stats.workers_lost);
  out->set_retracted(stats.retracted);
  out->set_kept_outcomes(stats.kept_outcomes);
  out->set_kept_outcome_bytes(stats.kept_outcome_bytes);
  out->set_dropped_outcomes(stats.dropped_outcomes);
  out->set_recycled(stats.recycled);
  out->set_reloads(stats.reloads);
  out->set_rollbacks(stats.rollbacks);
}

void WriteFunctions(const std::vector<core::FunctionInfo>& functions, v1::GetPoolResponse* out) {
  std::size_t bytes = 0;
  for (const core::FunctionInfo& function : functions) {
    v1::FunctionInfo info;
    info.set_name(wire::ToUtf8(function.name));
    if (function.signature != nullptr) {
      for (const std::string& argument : function.signature->arguments) info.add_arguments(argument);
      info.set_result(function.signature->result);
      info.set_help(function.signature->help);
    }
    bytes += info.ByteSizeLong();
    if (bytes > kMaxFunctionsBytes) return;
    *out->add_functions() = std::move(info);
  }
}

void WritePool(const core::PoolView& pool, const WallTime& wall, const PoolRoom& room, v1::Pool* out) {
  const auto text = [&room](std::string_view whole) { return wire::ToUtf8(whole.substr(0, room.text_bytes)); };
  WritePoolSpec(pool.spec, out->mutable_spec());
  out->set_state(static_cast<v1::PoolState>(pool.state));
  out->set_failure(text(pool.failure));
  out->set_function_count(static_cast<std::uint32_t>(pool.functions.size()));
  std::size_t bytes = 0;
  for (const std::string& function : pool.functions) {
    bytes += function.size() + 4;
    if (bytes > room.list_bytes) break;
    out->add_functions(wire::ToUtf8(function));
  }
  for (const core::WorkerView& worker : pool.workers) WriteWorker(worker, wall, out->add_workers());
  WriteStats(pool.stats, out->mutable_stats());
  out->set_generation(pool.generation);
  out->set_shard(pool.shard);
  out->set_reloading(pool.reloading);
  out->set_start_failure(text(pool.start_failure));
  out->set_reload_failure(text(pool.reload_failure));
  bytes = 0;
  for (const core::FunctionView& function : pool.function_states) {
    bytes += function.name.size() + kStateBytes;
    if (bytes > room.list_bytes) break;
    WriteFunctionState(function, out->add_function_states());
  }
}

}  // namespace poold::api
