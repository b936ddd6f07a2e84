// What a pool is to be, there and back.
#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/convert.h"
#include "api/convert_options.h"
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

// At least one, and no more than the daemon allows; by default what it has.
absl::Status ReadWorkers(const v1::PoolSpec& spec, const ServiceOptions& options, core::PoolSpec* out) {
  const std::uint32_t most = options.limits.max_workers_per_pool;
  const std::uint32_t default_workers = options.default_workers > 0 ? options.default_workers : base::UsableCpus();
  out->workers = spec.has_workers() ? spec.workers() : std::min(default_workers, most);
  if (out->workers > 0 && out->workers <= most) return absl::OkStatus();
  return InvalidField("spec.workers", absl::StrCat("spec.workers: ", out->workers, " is not between 1 and ", most));
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

absl::Status CheckExec(const v1::PoolSpec& spec, const ServiceOptions& options) {
  if (!spec.allow_exec() || options.allow_exec) return absl::OkStatus();
  return core::MakeError(reason::kExecNotAllowed,
                         "spec.allow_exec: this daemon does not allow it; its configuration would have to say "
                         "allow_exec = true",
                         "allow_exec");
}

absl::Status ReadInitializer(const v1::PoolSpec& spec, core::PoolSpec* out) {
  const v1::Payload& args = spec.initializer_args();
  const std::string_view field = "spec.initializer_args";
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
  if (status.ok()) status = ReadWorkers(spec, options, &out);
  if (status.ok()) status = ReadOptions(spec, "spec.", core::PoolFields(), &out);
  if (status.ok()) status = ReadInitializer(spec, &out);
  if (status.ok()) status = ReadResourceLimits(spec, &out);
  if (status.ok()) status = ReadSpares(spec, options.limits.max_workers_per_pool, &out);
  if (status.ok()) status = CheckExec(spec, options);
  if (!status.ok()) return status;
  out.environment.insert(spec.environment().begin(), spec.environment().end());
  return out;
}

void WritePoolSpec(const core::PoolSpec& spec, v1::PoolSpec* out) {
  WriteOptions(spec, core::PoolFields(), out);
  if (spec.start_method != core::StartMethod::kFresh) out->clear_spares();
  if (!spec.initializer_args.empty()) {
    v1::Payload* args = out->mutable_initializer_args();
    args->set_encoding(static_cast<v1::Encoding>(spec.initializer_encoding));
    args->set_size_bytes(spec.initializer_args.size());
    if (spec.initializer_args.size() <= kMaxEchoedArgs) args->set_data(spec.initializer_args);
  }
  out->mutable_environment()->insert(spec.environment.begin(), spec.environment.end());
  for (const auto& [kind, value] : spec.resource_limits) {
    v1::ResourceLimit* limit = out->add_resource_limits();
    limit->set_kind(static_cast<v1::ResourceKind>(kind));
    limit->set_value(value);
  }
}

}  // namespace poold::api
