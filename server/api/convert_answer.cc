// From the core to clients.
#include <unistd.h>

#include <variant>

#include "api/convert.h"
#include "api/convert_options.h"
#include "api/errors.h"
#include "wire/readable.h"

namespace poold::api {
namespace {

constexpr std::size_t kMaxFailureTextBytes = 64 * 1024;
constexpr std::size_t kMaxProgressTextBytes = 1024;
constexpr std::size_t kMaxReasonBytes = 4096;
// Of an entry in a list, so that a full page of them stays below 4 MiB.
constexpr std::size_t kMaxListedTextBytes = 256;

// 0 stands for no time.
template <typename Message>
void SetTime(const WallTime& wall, core::Nanos at, google::protobuf::Timestamp* (Message::*field)(), Message* out) {
  if (at > 0) wall.Write(at, (out->*field)());
}

std::string CutText(std::string_view text, std::size_t most) { return wire::ToUtf8(text.substr(0, most)); }
std::string FailureText(std::string_view text) { return CutText(text, kMaxFailureTextBytes); }

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
  out->set_backtrace(FailureText(death.backtrace));
  out->set_worker_id(static_cast<std::uint64_t>(death.worker));
}

void WriteDetail(const core::OutcomeDetail& detail, v1::Outcome* out) {
  if (detail.failure) WriteFailure(*detail.failure, out->mutable_failure());
  if (detail.death) WriteDeath(*detail.death, out->mutable_death());
  out->set_stdout_tail(detail.stdout_tail);
  out->set_stderr_tail(detail.stderr_tail);
  out->set_poison(detail.poison);
}

void WriteAttempt(const core::AttemptView& attempt, const WallTime& wall, v1::Attempt* out) {
  out->set_number(attempt.number);
  out->set_worker_id(static_cast<std::uint64_t>(attempt.worker));
  out->set_worker_pid(attempt.pid);
  out->set_generation(attempt.generation);
  SetTime(wall, attempt.started_at, &v1::Attempt::mutable_started_at, out);
  SetTime(wall, attempt.ended_at, &v1::Attempt::mutable_ended_at, out);
  out->set_state(static_cast<v1::TaskState>(attempt.state));
  out->set_reason(CutText(attempt.reason, kMaxReasonBytes));
}

void Shorten(v1::Task* task) {
  if (task->has_progress()) {
    task->mutable_progress()->set_text(CutText(task->progress().text(), kMaxListedTextBytes));
  }
  if (!task->has_outcome()) return;
  v1::Outcome* outcome = task->mutable_outcome();
  if (outcome->has_failure()) {
    v1::Failure* failure = outcome->mutable_failure();
    failure->set_type(CutText(failure->type(), kMaxListedTextBytes));
    failure->set_message(CutText(failure->message(), kMaxListedTextBytes));
    failure->clear_backtrace();
  }
  if (outcome->has_death()) outcome->mutable_death()->clear_backtrace();
}

// Than the defaults.
bool AsksForMore(const core::TaskOptions* options) {
  static const core::TaskOptions defaults;
  return options != nullptr && *options != defaults;
}

void WriteLimits(const ServiceOptions& options, v1::ServerLimits* out) {
  out->set_max_message_bytes(options.max_message_bytes);
  out->set_max_inline_result_bytes(options.max_inline_result_bytes);
  out->set_max_payload_bytes(options.limits.max_payload_bytes);
  out->set_max_kept_outcome_bytes(options.limits.max_kept_outcome_bytes);
  WriteDuration(options.limits.outcome_ttl, out->mutable_outcome_ttl());
  out->set_remembered_ids(options.limits.remembered_ids);
  WriteDuration(options.limits.max_wait, out->mutable_max_wait());
  WriteDuration(options.limits.start_timeout, out->mutable_start_timeout());
  out->set_max_pools(options.limits.max_pools);
  out->set_max_workers_per_pool(options.limits.max_workers_per_pool);
  out->set_output_tail_bytes(options.limits.output_tail_bytes);
  out->set_session_window(options.session_window);
  WriteDuration(options.upload_ttl, out->mutable_upload_ttl());
  out->set_max_items_per_call(options.max_items_per_call);
  WriteDuration(options.limits.owner_grace, out->mutable_owner_grace());
  out->set_max_task_bytes(options.limits.max_task_bytes);
  out->set_max_argument_bytes(options.memory->arguments->max());
  out->set_max_message_parts(options.max_message_parts());
  if (options.spool == nullptr) return;
  out->set_max_spool_bytes(options.spool->options().max_bytes);
  out->set_max_shared_memory_bytes(options.spool->options().max_memory_bytes);
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

void WriteTask(const core::TaskView& task, const DisplayContext& display, std::uint64_t max_inline_bytes,
               v1::Task* out) {
  out->set_id(IdBytes(task.id));
  out->set_pool(task.pool);
  out->set_function(task.function);
  out->set_state(static_cast<v1::TaskState>(task.state));
  if (task.outcome != nullptr) WriteOutcome(*task.outcome, display.wall, max_inline_bytes, out->mutable_outcome());
  if (task.progress) WriteProgress(task.id, *task.progress, out->mutable_progress());
  out->set_client(display.names.Shown(task.client));
  SetTime(display.wall, task.submitted_at, &v1::Task::mutable_submitted_at, out);
  SetTime(display.wall, task.started_at, &v1::Task::mutable_started_at, out);
  out->set_worker_id(static_cast<std::uint64_t>(task.worker));
  out->set_attempt(task.attempt);
  out->set_priority(task.priority);
  if (AsksForMore(task.options.get())) WriteTaskOptions(*task.options, out->mutable_options());
}

void WriteMap(const core::MapView& map, const DisplayContext& display, v1::MapProgress* out) {
  out->set_id(IdBytes(map.id));
  out->set_pool(map.pool);
  out->set_function(map.function);
  out->set_items(map.items);
  out->set_complete(map.complete);
  out->set_done_items(map.done_items);
  out->set_unsuccessful_items(map.unsuccessful_items);
  out->set_done(map.done);
  out->set_client(display.names.Shown(map.client));
  SetTime(display.wall, map.submitted_at, &v1::MapProgress::mutable_submitted_at, out);
  out->set_priority(map.priority);
  out->set_running_items(map.running_items);
  if (AsksForMore(map.options.get())) WriteTaskOptions(*map.options, out->mutable_options());
}

void WriteHandle(const core::HandleView& handle, const DisplayContext& display, std::uint64_t max_inline_bytes,
                 v1::GetResponse* out) {
  if (const auto* map = std::get_if<core::MapView>(&handle)) {
    out->set_done(map->done);
    return WriteMap(*map, display, out->mutable_map());
  }
  const core::TaskView& task = std::get<core::TaskView>(handle);
  out->set_done(core::IsTerminal(task.state));
  WriteTask(task, display, max_inline_bytes, out->mutable_task());
}

void WriteProgress(core::HandleId id, const core::ProgressView& progress, v1::Progress* out) {
  out->set_id(IdBytes(id));
  out->set_index(progress.index);
  out->set_fraction(progress.fraction);
  out->set_text(CutText(progress.text, kMaxProgressTextBytes));
}

void WriteEntry(const core::HandleView& handle, const DisplayContext& display, bool in_short, v1::TaskEntry* out) {
  if (const auto* map = std::get_if<core::MapView>(&handle)) return WriteMap(*map, display, out->mutable_map());
  v1::Task* task = out->mutable_task();
  WriteTask(std::get<core::TaskView>(handle), display, kNoResultData, task);
  if (in_short) Shorten(task);
  if (!task->has_outcome()) return;
  task->mutable_outcome()->clear_stdout_tail();
  task->mutable_outcome()->clear_stderr_tail();
}

void WriteExplanation(const core::Explanation& explanation, const DisplayContext& display, v1::ExplainResponse* out) {
  WriteEntry(explanation.handle, display, /*in_short=*/false, out->mutable_entry());
  if (explanation.options != nullptr) WriteTaskOptions(*explanation.options, out->mutable_options());
  out->set_waits_for(CutText(explanation.waits_for, kMaxReasonBytes));
  out->set_ahead(explanation.ahead);
  for (const core::AttemptView& attempt : explanation.attempts) {
    WriteAttempt(attempt, display.wall, out->add_attempts());
  }
}

void WriteTaskOptions(const core::TaskOptions& options, v1::TaskOptions* out) {
  WriteOptions(options, core::TaskFields(), out);
}

void WriteOutput(const core::OutputEvent& output, v1::Output* out) {
  out->set_id(IdBytes(output.id));
  out->set_stream(static_cast<v1::OutputStream>(output.stream));
  out->set_data(output.data.view().data(), output.data.size());
}

void WriteServerInfo(const ServiceOptions& options, const WallTime& wall, core::Nanos started_at, v1::ServerInfo* out) {
  out->set_instance_id(options.instance_id);
  out->set_version(options.version);
  out->set_api_version("poold.v1");
  WriteLimits(options, out->mutable_limits());
  out->set_containment(static_cast<v1::Containment>(options.containment));
  out->set_containment_note(wire::ToUtf8(options.containment_note));
  wall.Write(started_at, out->mutable_started_at());
  out->set_pid(getpid());
  out->set_exec_allowed(options.allow_exec);
  out->set_payload_socket(options.payload_socket);
}

}  // namespace poold::api
