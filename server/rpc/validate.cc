#include "rpc/validate.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "rpc/errors.h"
#include "wire/absl_text.h"

namespace poold::rpc {
namespace {

using wire::ToAbsl;

constexpr std::size_t kMaxNameBytes = 64;
constexpr std::size_t kMaxFunctionBytes = 256;
constexpr std::size_t kMaxTypeNameBytes = 512;
constexpr int kMaxListedNames = 64;
constexpr std::size_t kMaxEnvironmentBytes = 16 * 1024;
constexpr std::size_t kMaxPathBytes = 4095;

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
}

std::string Quoted(std::string_view text) {
  return absl::StrCat("\"", ToAbsl(text.substr(0, kMaxNameBytes)), text.size() > kMaxNameBytes ? "...\"" : "\"");
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

absl::Status CheckName(std::string_view name, std::string_view field, std::string_view kind) {
  const bool right =
      !name.empty() && name.size() <= kMaxNameBytes && std::all_of(name.begin(), name.end(), IsNameCharacter);
  if (right) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(ToAbsl(field), ": ", Quoted(name), " is not the name of a ", ToAbsl(kind),
                                          ": it has 1 to 64 letters, digits, '-', '_' or '.'"));
}

absl::Status CheckEnvironment(const v1::PoolSpec& spec) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : spec.environment()) {
    bytes += name.size() + value.size() + 2;
    if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos) {
      return InvalidField("spec.environment",
                          absl::StrCat("spec.environment: ", Quoted(name), " is not the name of a variable"));
    }
    if (name.rfind("POOLD_", 0) == 0) {
      return InvalidField("spec.environment", absl::StrCat("spec.environment: ", Quoted(name),
                                                           ": names that begin with POOLD_ are the daemon's own"));
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
  if (!name.empty() && name.size() <= kMaxFunctionBytes && !HasControl(name)) return absl::OkStatus();
  return InvalidField(
      field, absl::StrCat(ToAbsl(field), ": ", Quoted(name), " is not the name of a function: it has 1 to 256 bytes"));
}

absl::Status CheckTypeName(std::string_view name, std::string_view field) {
  if (name.size() <= kMaxTypeNameBytes) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(ToAbsl(field), ": the type_name is longer than ", kMaxTypeNameBytes));
}

absl::Status CheckSpecTexts(const v1::PoolSpec& spec) {
  absl::Status status = CheckPoolName(spec.name(), "spec.name");
  if (status.ok()) status = CheckEach(spec.modules(), "spec.modules", CheckFileName);
  if (status.ok()) status = CheckEach(spec.preload(), "spec.preload", CheckFunctionName);
  if (status.ok() && !spec.program().empty()) status = CheckFileName(spec.program(), "spec.program");
  if (status.ok() && !spec.initializer().empty()) status = CheckFunctionName(spec.initializer(), "spec.initializer");
  if (status.ok()) status = CheckEnvironment(spec);
  if (status.ok()) status = CheckWorkingDirectory(spec.working_directory());
  return status;
}

}  // namespace poold::rpc
