// What a pool is to be, there and back.
#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/convert.h"
#include "api/errors.h"
#include "api/validate.h"
#include "base/cpus.h"
#include "core/errors.h"
#include "wire/absl_text.h"

namespace poold::api {
namespace {

using wire::ToAbsl;

constexpr std::size_t kMaxInitializerArgs = 1 << 20;
constexpr std::size_t kMaxEchoedArgs = 4 * 1024;
constexpr std::uint64_t kMaxResourceValue = std::numeric_limits<std::int64_t>::max();

absl::Status ReadCounts(const v1::PoolSpec& spec, const ServiceOptions& options, core::PoolSpec* out) {
  const std::uint32_t default_workers = options.default_workers > 0 ? options.default_workers : base::UsableCpus();
  out->workers = spec.has_workers() ? spec.workers() : std::min(default_workers, options.limits.max_workers_per_pool);
  if (out->workers == 0 || out->workers > options.limits.max_workers_per_pool) {
    return InvalidField("spec.workers", absl::StrCat("spec.workers: ", out->workers, " is not between 1 and ",
                                                     options.limits.max_workers_per_pool));
  }
  if (spec.nice() > 19) {
    return InvalidField("spec.nice", absl::StrCat("spec.nice: ", spec.nice(), " is not between 0 and 19"));
  }
  out->nice = static_cast<int>(spec.nice());
  return absl::OkStatus();
}

// An optional number that may not be 0; `unset` says what leaving it out means.
absl::Status ReadPositive(bool has, std::uint64_t value, std::string_view field, std::string_view unset,
                          std::uint64_t* out) {
  if (has && value == 0) {
    return InvalidField(field, absl::StrCat(ToAbsl(field), ": 0 is not possible, at least 1; unset: ", ToAbsl(unset)));
  }
  *out = has ? value : 0;
  return absl::OkStatus();
}

absl::Status ReadBounds(const v1::PoolSpec& spec, core::PoolSpec* out) {
  std::uint64_t max_tasks = 0;
  absl::Status status = ReadPositive(spec.has_max_tasks_per_worker(), spec.max_tasks_per_worker(),
                                     "spec.max_tasks_per_worker", "no limit", &max_tasks);
  out->max_tasks_per_worker = static_cast<std::uint32_t>(max_tasks);
  if (status.ok()) {
    status = ReadPositive(spec.has_max_queued_tasks(), spec.max_queued_tasks(), "spec.max_queued_tasks",
                          "the daemon's limit", &out->max_queued_tasks);
  }
  if (status.ok()) {
    status = ReadPositive(spec.has_max_queued_bytes(), spec.max_queued_bytes(), "spec.max_queued_bytes",
                          "the daemon's limit", &out->max_queued_bytes);
  }
  if (status.ok()) {
    status = ReadPositive(spec.has_max_worker_rss_bytes(), spec.max_worker_rss_bytes(), "spec.max_worker_rss_bytes",
                          "no limit", &out->max_worker_rss_bytes);
  }
  if (status.ok()) {
    status = ReadPositive(spec.has_memory_limit_bytes(), spec.memory_limit_bytes(), "spec.memory_limit_bytes",
                          "no limit", &out->memory_limit_bytes);
  }
  ReadLimit(spec.has_max_worker_age(), spec.max_worker_age(), "spec.max_worker_age", &out->max_worker_age, &status);
  if (status.ok()) status = CheckNotZero(out->max_worker_age, "spec.max_worker_age");
  return status;
}

absl::Status ReadResourceLimits(const v1::PoolSpec& spec, core::PoolSpec* out) {
  for (int i = 0; i < spec.resource_limits_size(); ++i) {
    const v1::ResourceLimit& limit = spec.resource_limits(i);
    const std::string field = absl::StrCat("spec.resource_limits[", i, "]");
    if (limit.kind() == v1::RESOURCE_KIND_UNSPECIFIED || !v1::ResourceKind_IsValid(limit.kind())) {
      return InvalidField(field + ".kind", absl::StrCat(field, ".kind: ", limit.kind(), " is not a kind of resource: ",
                                                        static_cast<int>(v1::RESOURCE_KIND_ADDRESS_SPACE_BYTES), " to ",
                                                        static_cast<int>(v1::ResourceKind_MAX)));
    }
    const std::uint64_t least = limit.kind() == v1::RESOURCE_KIND_CORE_BYTES ? 0 : 1;
    if (limit.value() < least || limit.value() > kMaxResourceValue) {
      return InvalidField(field + ".value", absl::StrCat(field, ".value: ", limit.value(), " is not between ", least,
                                                         " and ", kMaxResourceValue));
    }
    if (!out->resource_limits.emplace(static_cast<core::ResourceKind>(limit.kind()), limit.value()).second) {
      return InvalidField(field + ".kind", absl::StrCat(field, ".kind: there are two limits of ",
                                                        v1::ResourceKind_Name(limit.kind()), "; give one"));
    }
  }
  return absl::OkStatus();
}

// The value of an enum of the contract; the core's enums have the same numbers, and no 0.
template <typename Enum>
absl::Status ReadChoice(int value, bool valid, int most, std::string_view field, Enum* out) {
  if (!valid) {
    return InvalidField(field, absl::StrCat(ToAbsl(field), ": ", value, " is unknown; 0 to ", most, " are known"));
  }
  if (value != 0) *out = static_cast<Enum>(value);
  return absl::OkStatus();
}

absl::Status ReadPolicies(const v1::PoolSpec& spec, core::PoolSpec* out) {
  absl::Status status = ReadChoice(spec.start_method(), v1::StartMethod_IsValid(spec.start_method()),
                                   v1::StartMethod_MAX, "spec.start_method", &out->start_method);
  if (status.ok()) {
    status = ReadChoice(spec.on_owner_lost(), v1::OwnerLost_IsValid(spec.on_owner_lost()), v1::OwnerLost_MAX,
                        "spec.on_owner_lost", &out->on_owner_lost);
  }
  if (status.ok()) {
    status = ReadChoice(spec.death_policy(), v1::DeathPolicy_IsValid(spec.death_policy()), v1::DeathPolicy_MAX,
                        "spec.death_policy", &out->death_policy);
  }
  return status;
}

absl::Status ReadSpares(const v1::PoolSpec& spec, std::uint32_t most, core::PoolSpec* out) {
  const bool fresh = out->start_method == core::StartMethod::kFresh;
  if (!fresh && spec.spares() > 0) {
    return InvalidField("spec.spares",
                        absl::StrCat("spec.spares: ", spec.spares(), "; only START_METHOD_FRESH keeps spares"));
  }
  if (spec.spares() > most) {
    return InvalidField("spec.spares", absl::StrCat("spec.spares: ", spec.spares(), " is not between 0 and ", most));
  }
  if (fresh) out->spares = spec.has_spares() ? spec.spares() : out->workers;
  return absl::OkStatus();
}

absl::Status ReadExec(const v1::PoolSpec& spec, const ServiceOptions& options, core::PoolSpec* out) {
  out->allow_exec = spec.allow_exec();
  if (!spec.allow_exec() || options.allow_exec) return absl::OkStatus();
  return core::MakeError(reason::kExecNotAllowed,
                         "spec.allow_exec: this daemon does not allow it; its configuration would have to say "
                         "allow_exec = true",
                         "allow_exec");
}

absl::Status ReadInitializer(const v1::PoolSpec& spec, core::PoolSpec* out) {
  const v1::Payload& args = spec.initializer_args();
  const std::string_view field = "spec.initializer_args";
  out->initializer = spec.initializer();
  if (!args.upload_id().empty()) return InvalidField(field, "spec.initializer_args: an upload cannot be used here");
  if (spec.initializer().empty() && !args.data().empty()) {
    return InvalidField(field, "spec.initializer_args: there are arguments but no initializer");
  }
  if (args.data().size() > kMaxInitializerArgs) {
    return TooLarge(field, absl::StrCat("spec.initializer_args: ", args.data().size(), " bytes; at most ",
                                        kMaxInitializerArgs, " are taken"));
  }
  out->initializer_encoding = static_cast<core::Encoding>(args.encoding());
  out->initializer_args = args.data();
  return CheckEncoding(args.encoding(), !args.data().empty(), field);
}

}  // namespace

absl::StatusOr<core::PoolSpec> ReadPoolSpec(const v1::PoolSpec& spec, const ServiceOptions& options) {
  core::PoolSpec out;
  absl::Status status = CheckSpecTexts(spec, options);
  if (status.ok()) status = ReadCounts(spec, options, &out);
  if (status.ok()) status = ReadBounds(spec, &out);
  if (status.ok()) status = ReadInitializer(spec, &out);
  ReadLimit(spec.has_stop_grace(), spec.stop_grace(), "spec.stop_grace", &out.stop_grace, &status);
  ReadLimit(spec.has_start_timeout(), spec.start_timeout(), "spec.start_timeout", &out.start_timeout, &status);
  if (status.ok() && spec.has_start_timeout()) status = CheckNotZero(out.start_timeout, "spec.start_timeout");
  if (status.ok()) status = ReadResourceLimits(spec, &out);
  if (status.ok()) status = ReadPolicies(spec, &out);
  if (status.ok()) status = ReadSpares(spec, options.limits.max_workers_per_pool, &out);
  if (status.ok()) status = ReadExec(spec, options, &out);
  if (!status.ok()) return status;
  out.name = spec.name();
  out.modules.assign(spec.modules().begin(), spec.modules().end());
  out.program = spec.program();
  out.preload.assign(spec.preload().begin(), spec.preload().end());
  out.environment.insert(spec.environment().begin(), spec.environment().end());
  if (!spec.working_directory().empty()) out.working_directory = spec.working_directory();
  return out;
}

void WritePoolSpec(const core::PoolSpec& spec, v1::PoolSpec* out) {
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
  if (spec.start_timeout > 0) WriteDuration(spec.start_timeout, out->mutable_start_timeout());
  out->mutable_environment()->insert(spec.environment.begin(), spec.environment.end());
  out->set_working_directory(spec.working_directory);
  out->set_nice(static_cast<std::uint32_t>(std::max(spec.nice, 0)));
  if (spec.max_worker_rss_bytes > 0) out->set_max_worker_rss_bytes(spec.max_worker_rss_bytes);
  if (spec.max_worker_age != core::kNever) WriteDuration(spec.max_worker_age, out->mutable_max_worker_age());
  if (spec.memory_limit_bytes > 0) out->set_memory_limit_bytes(spec.memory_limit_bytes);
  for (const auto& [kind, value] : spec.resource_limits) {
    v1::ResourceLimit* limit = out->add_resource_limits();
    limit->set_kind(static_cast<v1::ResourceKind>(kind));
    limit->set_value(value);
  }
  out->set_on_owner_lost(static_cast<v1::OwnerLost>(spec.on_owner_lost));
  out->set_death_policy(static_cast<v1::DeathPolicy>(spec.death_policy));
  if (spec.start_method == core::StartMethod::kFresh) out->set_spares(spec.spares);
  out->set_allow_exec(spec.allow_exec);
}

}  // namespace poold::api
