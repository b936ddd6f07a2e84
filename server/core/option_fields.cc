#include "core/option_fields.h"

namespace poold::core {
namespace {

// The enums of the core have the numbers of the contract, from 1 on.
template <auto Member, typename Enum>
constexpr Choice<PoolSpec> ChoiceOf(std::span<const std::string_view> words) {
  return {words, [](PoolSpec& spec, std::size_t word) { spec.*Member = static_cast<Enum>(word + 1); },
          [](const PoolSpec& spec) { return static_cast<std::size_t>(spec.*Member) - 1; }};
}

consteval const option::Option* OfTask(std::string_view name) { return option::RowOf(option::kTaskOptions, name); }
consteval const option::Option* OfPool(std::string_view name) { return option::RowOf(option::kPoolOptions, name); }

}  // namespace

std::span<const OptionField<TaskOptions>> TaskFields() {
  static constexpr OptionField<TaskOptions> fields[] = {
      {OfTask("queue_timeout"), SecondsOrNever<TaskOptions>{&TaskOptions::queue_timeout}},
      {OfTask("run_timeout"), SecondsOrNever<TaskOptions>{&TaskOptions::run_timeout}},
      {OfTask("total_timeout"), SecondsOrNever<TaskOptions>{&TaskOptions::total_timeout}},
      {OfTask("max_attempts"), &TaskOptions::max_attempts},
      {OfTask("retry_on"), &TaskOptions::retry_on},
      {OfTask("retry_delay"), &TaskOptions::retry_delay},
      {OfTask("max_retry_delay"), &TaskOptions::max_retry_delay},
      {OfTask("priority"), &TaskOptions::priority},
      {OfTask("start_delay"), &TaskOptions::start_delay},
      {OfTask("stream_output"), &TaskOptions::stream_output},
      {OfTask("fresh"), &TaskOptions::fresh},
      {OfTask("traceparent"), &TaskOptions::traceparent},
  };
  return fields;
}

bool Carries(const TaskOptions& options) {
  bool any = false;
  ForEachCarried(options, [&any](const option::Option&, const std::string&) { any = true; });
  return any;
}

std::span<const OptionField<PoolSpec>> PoolFields() {
  static constexpr OptionField<PoolSpec> fields[] = {
      {OfPool("name"), &PoolSpec::name},
      {OfPool("workers"), &PoolSpec::workers},
      {OfPool("modules"), &PoolSpec::modules},
      {OfPool("program"), &PoolSpec::program},
      {OfPool("start_method"), ChoiceOf<&PoolSpec::start_method, StartMethod>(option::kStartMethods)},
      {OfPool("preload"), &PoolSpec::preload},
      {OfPool("initializer"), &PoolSpec::initializer},
      {OfPool("initializer_args"), Arguments<PoolSpec>{&PoolSpec::initializer_args, &PoolSpec::initializer_encoding}},
      {OfPool("max_tasks_per_worker"), &PoolSpec::max_tasks_per_worker},
      {OfPool("max_queued_tasks"), &PoolSpec::max_queued_tasks},
      {OfPool("max_queued_bytes"), &PoolSpec::max_queued_bytes},
      {OfPool("stop_grace"), &PoolSpec::stop_grace},
      {OfPool("start_timeout"), &PoolSpec::start_timeout},
      {OfPool("environment"), &PoolSpec::environment},
      {OfPool("working_directory"), &PoolSpec::working_directory},
      {OfPool("nice"), &PoolSpec::nice},
      {OfPool("max_worker_rss_bytes"), &PoolSpec::max_worker_rss_bytes},
      {OfPool("max_worker_age"), SecondsOrNever<PoolSpec>{&PoolSpec::max_worker_age}},
      {OfPool("memory_limit_bytes"), &PoolSpec::memory_limit_bytes},
      {OfPool("resource_limits"), Resources<PoolSpec>{&PoolSpec::resource_limits}},
      {OfPool("on_owner_lost"), ChoiceOf<&PoolSpec::on_owner_lost, OwnerLost>(option::kOwnerLost)},
      {OfPool("death_policy"), ChoiceOf<&PoolSpec::death_policy, DeathPolicy>(option::kDeathPolicies)},
      {OfPool("spares"), &PoolSpec::spares},
      {OfPool("allow_exec"), &PoolSpec::allow_exec},
  };
  return fields;
}

}  // namespace poold::core
