#include "cli/grammar/resource_limits.h"

#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/grammar/declare.h"
#include "wire/spelling.h"

namespace poold::cli {
namespace {

enum class Unit { kBytes, kSeconds, kCount };

struct LimitKind {
  const char* name;
  v1::ResourceKind kind;
  Unit unit;
};

constexpr LimitKind kKinds[] = {
    {"address-space", v1::RESOURCE_KIND_ADDRESS_SPACE_BYTES, Unit::kBytes},
    {"cpu", v1::RESOURCE_KIND_CPU_SECONDS, Unit::kSeconds},
    {"file-size", v1::RESOURCE_KIND_FILE_SIZE_BYTES, Unit::kBytes},
    {"open-files", v1::RESOURCE_KIND_OPEN_FILES, Unit::kCount},
    {"processes", v1::RESOURCE_KIND_PROCESSES, Unit::kCount},
    {"core", v1::RESOURCE_KIND_CORE_BYTES, Unit::kBytes},
    {"stack", v1::RESOURCE_KIND_STACK_BYTES, Unit::kBytes},
};

const LimitKind* Find(const std::string& name) {
  for (const LimitKind& kind : kKinds) {
    if (name == kind.name) return &kind;
  }
  return nullptr;
}

std::optional<uint64_t> SecondsFromText(const std::string& text) {
  if (auto number = CountFromText(text)) return number;
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration < absl::ZeroDuration()) return std::nullopt;
  // What is begun counts: 1500ms is 2 s.
  return static_cast<uint64_t>(absl::ToInt64Seconds(duration + absl::Seconds(1) - absl::Nanoseconds(1)));
}

std::optional<uint64_t> ValueOf(const std::string& text, Unit unit) {
  switch (unit) {
    case Unit::kBytes:
      return SizeFromText(text);
    case Unit::kSeconds:
      return SecondsFromText(text);
    case Unit::kCount:
      return CountFromText(text);
  }
  return std::nullopt;
}

const char* Wanted(Unit unit) {
  switch (unit) {
    case Unit::kBytes:
      return "bytes, like 64M";
    case Unit::kSeconds:
      return "a time, like 10s";
    case Unit::kCount:
      return "a number";
  }
  return "";
}

absl::Status NoSuchKind(const std::string& name) {
  std::vector<std::string> names;
  for (const LimitKind& kind : kKinds) names.emplace_back(kind.name);
  const std::string nearest = wire::Nearest(name, names);
  return absl::InvalidArgumentError(absl::StrCat("there is no limit ", name,
                                                 nearest.empty() ? "" : ", did you mean " + nearest + "?", " (",
                                                 ResourceKindList(), ")"));
}

}  // namespace

absl::StatusOr<NamedLimit> ResourceLimitFromText(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("wants KIND=VALUE, KIND one of ", ResourceKindList(), "; given: ", text));
  }
  const std::string name = text.substr(0, equals);
  const LimitKind* kind = Find(name);
  if (kind == nullptr) return NoSuchKind(name);
  const auto value = ValueOf(text.substr(equals + 1), kind->unit);
  if (!value) return absl::InvalidArgumentError(absl::StrCat(name, " wants ", Wanted(kind->unit), "; given: ", text));
  return NamedLimit{name, *value};
}

v1::ResourceKind ResourceKindOf(const std::string& name) {
  const LimitKind* kind = Find(name);
  return kind == nullptr ? v1::RESOURCE_KIND_UNSPECIFIED : kind->kind;
}

std::string ResourceKindList() {
  std::string list;
  for (const LimitKind& kind : kKinds) absl::StrAppend(&list, list.empty() ? "" : ", ", kind.name);
  return list;
}

}  // namespace poold::cli
