#include "api/validate.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "api/errors.h"
#include "base/names.h"
#include "core/errors.h"
#include "wire/absl_text.h"

namespace poold::api {
namespace {

using wire::ToAbsl;

constexpr std::size_t kMaxTypeNameBytes = 512;
constexpr int kMaxListedNames = 64;
constexpr std::size_t kMaxEnvironmentBytes = 16 * 1024;
constexpr std::size_t kMaxPathBytes = 4095;

using base::Quoted;

absl::Status CheckName(std::string_view name, std::string_view field, std::string_view kind) {
  if (base::IsName(name)) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(ToAbsl(field), ": ", Quoted(name), " is not the name of a ", ToAbsl(kind),
                                          ": it has 1 to 64 letters, digits, '-', '_' or '.'"));
}

bool IsAllowed(std::string_view name, const ServiceOptions& options) {
  return !base::IsCode(name) || std::find(options.allowed_environment.begin(), options.allowed_environment.end(),
                                          name) != options.allowed_environment.end();
}

absl::Status CheckEnvironment(const v1::PoolSpec& spec, const ServiceOptions& options) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : spec.environment()) {
    bytes += name.size() + value.size() + 2;
    if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos) {
      return InvalidField("spec.environment",
                          absl::StrCat("spec.environment: ", Quoted(name), " is not the name of a variable"));
    }
    if (std::any_of(name.begin(), name.end(), base::IsControl)) {
      return InvalidField("spec.environment",
                          absl::StrCat("spec.environment: ", Quoted(name), " has control characters in its name"));
    }
    if (name.rfind("POOLD_", 0) == 0 && name != "POOLD_ADDRESS") {
      return InvalidField("spec.environment", absl::StrCat("spec.environment: ", Quoted(name),
                                                           ": names that begin with POOLD_ are the "
                                                           "daemon's own, except POOLD_ADDRESS"));
    }
    if (!IsAllowed(name, options)) {
      return core::MakeError(
          reason::kEnvironmentNotAllowed,
          absl::StrCat("spec.environment: ", Quoted(name),
                       " would have the workers load or run code of the client's "
                       "choice; set it in the task or its module, or let the daemon's configuration say "
                       "allowed_environment = [\"",
                       name, "\"]"),
          name);
    }
    if (value.find('\0') != std::string::npos) {
      return InvalidField("spec.environment",
                          absl::StrCat("spec.environment: the value of ", Quoted(name), " contains a zero byte"));
    }
  }
  if (bytes <= kMaxEnvironmentBytes) return absl::OkStatus();
  return TooLarge("spec.environment",
                  absl::StrCat("spec.environment: ", bytes, " bytes; at most ", kMaxEnvironmentBytes, " are taken"));
}

absl::Status CheckWorkingDirectory(std::string_view path) {
  const std::string_view field = "spec.working_directory";
  if (path.empty()) return absl::OkStatus();
  if (path.front() == '/' && path.size() <= kMaxPathBytes && path.find('\0') == std::string_view::npos) {
    return absl::OkStatus();
  }
  return InvalidField(field, absl::StrCat(ToAbsl(field), ": ", Quoted(path), " is not an absolute path"));
}

template <typename Names, typename Check>
absl::Status CheckEach(const Names& names, std::string_view field, Check check) {
  if (names.size() > kMaxListedNames) {
    return TooMany(field, absl::StrCat(ToAbsl(field), ": ", names.size(), " names; at most ", kMaxListedNames));
  }
  for (int i = 0; i < names.size(); ++i) {
    if (absl::Status status = check(names[i], absl::StrCat(ToAbsl(field), "[", i, "]")); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckPoolName(std::string_view name, std::string_view field) { return CheckName(name, field, "pool"); }

absl::Status CheckFileName(std::string_view name, std::string_view field) {
  if (name == "." || name == ".." || name.find('/') != std::string_view::npos) {
    return InvalidField(field, absl::StrCat(ToAbsl(field), ": ", Quoted(name),
                                            " is a path; give a plain name: the daemon looks for it in the folders of "
                                            "its configuration"));
  }
  return CheckName(name, field, "module or program");
}

absl::Status CheckFunctionName(std::string_view name, std::string_view field) {
  if (base::IsFunctionName(name)) return absl::OkStatus();
  return InvalidField(field,
                      absl::StrCat(ToAbsl(field), ": ", Quoted(name), " is not the name of a function: it has 1 ",
                                   "to 256 bytes and no control characters"));
}

absl::Status CheckTypeName(std::string_view name, std::string_view field) {
  if (name.size() <= kMaxTypeNameBytes) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(ToAbsl(field), ": the type_name is longer than ", kMaxTypeNameBytes));
}

absl::Status CheckSpecTexts(const v1::PoolSpec& spec, const ServiceOptions& options) {
  absl::Status status = CheckPoolName(spec.name(), "spec.name");
  if (status.ok()) status = CheckEach(spec.modules(), "spec.modules", CheckFileName);
  if (status.ok()) status = CheckEach(spec.preload(), "spec.preload", CheckFunctionName);
  if (status.ok() && !spec.program().empty()) status = CheckFileName(spec.program(), "spec.program");
  if (status.ok() && !spec.initializer().empty()) status = CheckFunctionName(spec.initializer(), "spec.initializer");
  if (status.ok()) status = CheckEnvironment(spec, options);
  if (status.ok()) status = CheckWorkingDirectory(spec.working_directory());
  return status;
}

absl::StatusOr<core::Nanos> ReadWait(bool has, const google::protobuf::Duration& duration,
                                     const ServiceContext& context) {
  if (!has) return core::Nanos{0};
  absl::StatusOr<core::Nanos> wait = ReadDuration(duration, "wait_timeout");
  if (wait.ok()) *wait = std::min(*wait, context.options.limits.max_wait);
  return wait;
}

absl::Status CheckCount(std::size_t count, std::string_view field, const ServiceContext& context) {
  if (count <= context.options.max_items_per_call) return absl::OkStatus();
  return TooMany(field, absl::StrCat(wire::ToAbsl(field), ": ", count, " in one call; at most ",
                                     context.options.max_items_per_call));
}

absl::StatusOr<std::vector<core::HandleId>> ReadIds(const google::protobuf::RepeatedPtrField<std::string>& ids,
                                                    const ServiceContext& context) {
  if (absl::Status status = CheckCount(ids.size(), "ids", context); !status.ok()) return status;
  std::vector<core::HandleId> out;
  out.reserve(ids.size());
  for (int i = 0; i < ids.size(); ++i) {
    const absl::StatusOr<core::HandleId> id = ReadId(ids[i], absl::StrCat("ids[", i, "]"));
    if (!id.ok()) return id.status();
    out.push_back(*id);
  }
  return out;
}

}  // namespace poold::api
