// Open, close, terminate, join.
#include "absl/strings/str_cat.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/message_json.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

absl::StatusOr<v1::PoolSpec> SpecFrom(const OpenOptions& options) {
  v1::PoolSpec spec;
  spec.set_name(options.name);
  if (options.workers) spec.set_workers(*options.workers);
  for (const std::string& module : options.modules) spec.add_modules(module);
  spec.set_program(options.program);
  if (options.start_method == "fork") spec.set_start_method(v1::START_METHOD_FORK);
  if (options.start_method == "spawn") spec.set_start_method(v1::START_METHOD_SPAWN);
  for (const std::string& function : options.preload) spec.add_preload(function);
  spec.set_initializer(options.initializer);
  if (!options.initializer_args.empty()) {
    auto args = ArgumentsFromWords(options.initializer_args);
    if (!args.ok()) return args.status();
    spec.mutable_initializer_args()->set_encoding(v1::ENCODING_MSGPACK);
    spec.mutable_initializer_args()->set_data(*std::move(args));
  }
  if (options.max_tasks_per_worker) spec.set_max_tasks_per_worker(*options.max_tasks_per_worker);
  if (options.max_queued_tasks) spec.set_max_queued_tasks(*options.max_queued_tasks);
  if (options.max_queued_bytes) spec.set_max_queued_bytes(*options.max_queued_bytes);
  if (options.stop_grace) *spec.mutable_stop_grace() = ToProto(*options.stop_grace);
  for (const auto& [name, value] : options.environment) (*spec.mutable_environment())[name] = value;
  spec.set_working_directory(options.working_directory);
  spec.set_nice(options.nice);
  return spec;
}

std::string Count(int count, const char* noun) { return absl::StrCat(count, " ", noun, count == 1 ? "" : "s"); }

}  // namespace

ExitStatus Run(const OpenOptions& options, Context& context) {
  v1::OpenPoolRequest request;
  auto spec = SpecFrom(options);
  if (!spec.ok()) return ComplainUsage(std::string(spec.status().message()));
  *request.mutable_spec() = *std::move(spec);
  auto response = context.daemon().OpenPool(request);
  if (!response.ok()) return Complain(response.status());
  if (context.json()) {
    PrintJson(JsonFromMessage(*response));
    return ExitStatus::kOk;
  }
  const v1::Pool& pool = response->pool();
  PrintLine(absl::StrCat(options.name, response->created() ? ": open, " : ": was open already, ",
                         Count(pool.workers_size(), "worker"), ", ", Count(pool.functions_size(), "function")));
  return ExitStatus::kOk;
}

ExitStatus Run(const CloseOptions& options, Context& context) {
  v1::CloseRequest request;
  request.set_pool(options.pool);
  auto response = context.daemon().Close(request);
  if (!response.ok()) return Complain(response.status());
  if (context.json()) PrintJson(JsonFromMessage(*response));
  return ExitStatus::kOk;
}

ExitStatus Run(const TerminateOptions& options, Context& context) {
  v1::TerminateRequest request;
  request.set_pool(options.pool);
  auto response = context.daemon().Terminate(request);
  if (!response.ok()) return Complain(response.status());
  if (context.json()) {
    PrintJson(JsonFromMessage(*response));
  } else {
    PrintLine(absl::StrCat(options.pool, ": terminated, ", response->cancelled_tasks(), " unfinished cancelled"));
  }
  return ExitStatus::kOk;
}

ExitStatus Run(const JoinOptions& options, Context& context) {
  const client::Pool pool(context.client().connection(), options.pool);
  const absl::Status status = pool.Join(Patience(context.global()).Left());
  const bool over = client::ReasonOf(status) == "WAIT_TIMEOUT";
  if (!status.ok() && !over) return Complain(status);
  if (context.json()) PrintJson(Json{{"done", !over}});
  if (!over) return ExitStatus::kOk;
  Warn(options.pool + " still has processes; ask again, or: poolctl terminate " + options.pool);
  return ExitStatus::kWaitPassed;
}

}  // namespace poold::cli
