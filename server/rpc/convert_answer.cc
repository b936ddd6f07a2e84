// From the core to clients.
#include <unistd.h>

#include <algorithm>

#include "rpc/convert.h"
#include "rpc/errors.h"

namespace poold::rpc {
namespace {

constexpr std::size_t kMaxEchoedArgs = 4 * 1024;
// Function names in a Pool, so that 64 pools fit into one answer.
constexpr std::size_t kMaxFunctionBytes = 16 * 1024;
constexpr std::size_t kMaxWorkerFunctionBytes = 64;
constexpr std::size_t kMaxFailureTextBytes = 64 * 1024;

void SetTime(const WallTime& wall, core::Nanos at, google::protobuf::Timestamp* (v1::Outcome::*field)(),
             v1::Outcome* out) {
  if (at > 0) wall.Write(at, (out->*field)());
}

std::string FailureText(std::string_view text) { return ToUtf8(text.substr(0, kMaxFailureTextBytes)); }

void WriteFailure(const core::Failure& failure, v1::Failure* out) {
  out->set_type(FailureText(failure.type));
  out->set_message(FailureText(failure.message));
  out->set_backtrace(FailureText(failure.backtrace));
  out->set_status_code(failure.status_code);
}

void WriteDeath(const core::DeathCertificate& death, v1::DeathCertificate* out) {
  out->set_signal(death.signal);
  out->set_exit_code(death.exit_code);
  out->set_killed_by(static_cast<v1::KilledBy>(death.killed_by));
  out->set_pid(death.pid);
  out->set_generation(death.generation);
  out->set_peak_rss_bytes(death.peak_rss_bytes);
  WriteDuration(death.cpu_time, out->mutable_cpu_time());
  WriteDuration(death.wall_time, out->mutable_wall_time());
}

void WriteDetail(const core::OutcomeDetail& detail, v1::Outcome* out) {
  if (detail.failure) WriteFailure(*detail.failure, out->mutable_failure());
  if (detail.death) WriteDeath(*detail.death, out->mutable_death());
  out->set_stdout_tail(detail.stdout_tail);
  out->set_stderr_tail(detail.stderr_tail);
  out->set_poison(detail.poison);
}

void WriteSpec(const core::PoolSpec& spec, v1::PoolSpec* out) {
  out->set_name(spec.name);
  out->set_workers(spec.workers);
  out->mutable_modules()->Add(spec.modules.begin(), spec.modules.end());
  out->set_program(spec.program);
  out->set_start_method(static_cast<v1::StartMethod>(spec.start_method));
  out->mutable_preload()->Add(spec.preload.begin(), spec.preload.end());
  out->set_initializer(spec.initializer);
  if (!spec.initializer_args.empty()) {
    v1::Payload* args = out->mutable_initializer_args();
    args->set_encoding(static_cast<v1::Encoding>(spec.initializer_encoding));
    args->set_size_bytes(spec.initializer_args.size());
    if (spec.initializer_args.size() <= kMaxEchoedArgs) args->set_data(spec.initializer_args);
  }
  if (spec.max_tasks_per_worker > 0) out->set_max_tasks_per_worker(spec.max_tasks_per_worker);
  if (spec.max_queued_tasks > 0) out->set_max_queued_tasks(spec.max_queued_tasks);
  if (spec.max_queued_bytes > 0) out->set_max_queued_bytes(spec.max_queued_bytes);
  WriteDuration(spec.stop_grace, out->mutable_stop_grace());
  out->mutable_environment()->insert(spec.environment.begin(), spec.environment.end());
  out->set_working_directory(spec.working_directory);
  out->set_nice(static_cast<std::uint32_t>(std::max(spec.nice, 0)));
}

void WriteWorker(const core::WorkerView& worker, const WallTime& wall, v1::Worker* out) {
  out->set_id(static_cast<std::uint64_t>(worker.id));
  out->set_pid(worker.pid);
  out->set_state(static_cast<v1::WorkerState>(worker.state));
  out->set_generation(worker.generation);
  if (worker.started_at > 0) wall.Write(worker.started_at, out->mutable_started_at());
  out->set_tasks_done(worker.tasks_done);
  out->set_function(ToUtf8(std::string_view(worker.function).substr(0, kMaxWorkerFunctionBytes)));
}

void WriteLimits(const ServiceOptions& options, v1::ServerLimits* out) {
  out->set_max_message_bytes(options.max_message_bytes);
  out->set_max_inline_result_bytes(options.max_inline_result_bytes);
  out->set_max_payload_bytes(options.limits.max_payload_bytes);
  out->set_max_kept_outcome_bytes(options.limits.max_kept_outcome_bytes);
  WriteDuration(options.limits.outcome_ttl, out->mutable_outcome_ttl());
  out->set_remembered_ids(options.limits.remembered_ids);
  WriteDuration(options.limits.max_wait, out->mutable_max_wait());
  out->set_max_pools(options.limits.max_pools);
  out->set_max_workers_per_pool(options.limits.max_workers_per_pool);
  out->set_output_tail_bytes(options.limits.output_tail_bytes);
  out->set_session_window(options.session_window);
  WriteDuration(options.upload_ttl, out->mutable_upload_ttl());
  out->set_max_items_per_call(options.max_items_per_call);
}

}  // namespace

void WallTime::Write(core::Nanos at, google::protobuf::Timestamp* out) const {
  const core::Nanos wall = at + offset_;
  out->set_seconds(wall / core::kSecond);
  out->set_nanos(static_cast<std::int32_t>(wall % core::kSecond));
}

void WriteDuration(core::Nanos nanos, google::protobuf::Duration* out) {
  out->set_seconds(nanos / core::kSecond);
  out->set_nanos(static_cast<std::int32_t>(nanos % core::kSecond));
}

void WritePayload(const core::Payload& payload, std::uint64_t max_inline_bytes, v1::Payload* out) {
  out->set_encoding(static_cast<v1::Encoding>(payload.encoding));
  if (payload.type_name != nullptr) out->set_type_name(*payload.type_name);
  out->set_size_bytes(payload.data.size());
  if (payload.data.size() <= max_inline_bytes) out->set_data(payload.data.view().data(), payload.data.size());
}

void WriteOutcome(const core::Outcome& outcome, const WallTime& wall, std::uint64_t max_inline_bytes,
                  v1::Outcome* out) {
  out->set_state(static_cast<v1::TaskState>(outcome.state));
  out->set_attempt(outcome.attempt);
  if (outcome.state == core::TaskState::kSucceeded) {
    WritePayload(outcome.result, max_inline_bytes, out->mutable_result());
  }
  if (outcome.detail != nullptr) WriteDetail(*outcome.detail, out);
  SetTime(wall, outcome.submitted_at, &v1::Outcome::mutable_submitted_at, out);
  SetTime(wall, outcome.started_at, &v1::Outcome::mutable_started_at, out);
  SetTime(wall, outcome.ended_at, &v1::Outcome::mutable_ended_at, out);
}

void WriteTask(const core::TaskView& task, const WallTime& wall, std::uint64_t max_inline_bytes, v1::Task* out) {
  out->set_id(IdBytes(task.id));
  out->set_pool(task.pool);
  out->set_function(task.function);
  out->set_state(static_cast<v1::TaskState>(task.state));
  if (task.outcome != nullptr) WriteOutcome(*task.outcome, wall, max_inline_bytes, out->mutable_outcome());
}

void WriteMap(const core::MapView& map, v1::MapProgress* out) {
  out->set_id(IdBytes(map.id));
  out->set_pool(map.pool);
  out->set_function(map.function);
  out->set_items(map.items);
  out->set_complete(map.complete);
  out->set_done_items(map.done_items);
  out->set_unsuccessful_items(map.unsuccessful_items);
  out->set_done(map.done);
}

void WriteOutput(const core::OutputEvent& output, v1::Output* out) {
  out->set_id(IdBytes(output.id));
  out->set_stream(static_cast<v1::OutputStream>(output.stream));
  out->set_data(output.data.view().data(), output.data.size());
}

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
}

void WritePool(const core::PoolView& pool, const WallTime& wall, v1::Pool* out) {
  WriteSpec(pool.spec, out->mutable_spec());
  out->set_state(static_cast<v1::PoolState>(pool.state));
  out->set_failure(ToUtf8(pool.failure.substr(0, kMaxFunctionBytes)));
  std::size_t bytes = 0;
  for (const std::string& function : pool.functions) {
    bytes += function.size() + 4;
    if (bytes > kMaxFunctionBytes) break;
    out->add_functions(ToUtf8(function));
  }
  for (const core::WorkerView& worker : pool.workers) WriteWorker(worker, wall, out->add_workers());
  WriteStats(pool.stats, out->mutable_stats());
}

void WriteServerInfo(const ServiceOptions& options, const WallTime& wall, core::Nanos started_at, v1::ServerInfo* out) {
  out->set_instance_id(options.instance_id);
  out->set_version(options.version);
  out->set_api_version("poold.v1");
  WriteLimits(options, out->mutable_limits());
  out->set_containment(static_cast<v1::Containment>(options.containment));
  out->set_containment_note(ToUtf8(options.containment_note));
  wall.Write(started_at, out->mutable_started_at());
  out->set_pid(getpid());
}

}  // namespace poold::rpc
