// Open: from options to a PoolSpec.
#include "absl/strings/str_cat.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/grammar/resource_limits.h"
#include "cli/text/message_json.h"
#include "cli/text/pool_text.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

void AddLimits(const OpenOptions& options, v1::PoolSpec& spec) {
  if (options.max_tasks_per_worker) spec.set_max_tasks_per_worker(*options.max_tasks_per_worker);
  if (options.max_queued_tasks) spec.set_max_queued_tasks(*options.max_queued_tasks);
  if (options.max_queued_bytes) spec.set_max_queued_bytes(*options.max_queued_bytes);
  if (options.stop_grace) *spec.mutable_stop_grace() = client::ToProto(*options.stop_grace);
  if (options.start_timeout) *spec.mutable_start_timeout() = client::ToProto(*options.start_timeout);
  if (options.max_worker_rss_bytes) spec.set_max_worker_rss_bytes(*options.max_worker_rss_bytes);
  if (options.max_worker_age) *spec.mutable_max_worker_age() = client::ToProto(*options.max_worker_age);
  if (options.memory_limit_bytes) spec.set_memory_limit_bytes(*options.memory_limit_bytes);
  for (const auto& [kind, value] : options.resource_limits) {
    v1::ResourceLimit& limit = *spec.add_resource_limits();
    limit.set_kind(ResourceKindOf(kind));
    limit.set_value(value);
  }
}

absl::StatusOr<v1::PoolSpec> SpecFrom(const OpenOptions& options) {
  v1::PoolSpec spec;
  spec.set_name(options.name);
  if (options.workers) spec.set_workers(*options.workers);
  for (const std::string& module : options.modules) spec.add_modules(module);
  spec.set_program(options.program);
  if (options.start_method == "fork") spec.set_start_method(v1::START_METHOD_FORK);
  if (options.start_method == "spawn") spec.set_start_method(v1::START_METHOD_SPAWN);
  if (options.start_method == "fresh") spec.set_start_method(v1::START_METHOD_FRESH);
  for (const std::string& function : options.preload) spec.add_preload(function);
  spec.set_initializer(options.initializer);
  if (!options.initializer_args.empty()) {
    auto args = ArgumentsFromWords(options.initializer_args);
    if (!args.ok()) return args.status();
    spec.mutable_initializer_args()->set_encoding(v1::ENCODING_MSGPACK);
    spec.mutable_initializer_args()->set_data(*std::move(args));
  }
  for (const auto& [name, value] : options.environment) (*spec.mutable_environment())[name] = value;
  spec.set_working_directory(options.working_directory);
  spec.set_nice(options.nice);
  if (options.strict) spec.set_death_policy(v1::DEATH_POLICY_STRICT);
  if (options.spares) spec.set_spares(*options.spares);
  spec.set_allow_exec(options.allow_exec);
  AddLimits(options, spec);
  return spec;
}

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

}  // namespace poold::cli
