#include <array>

#include "poold/client/options.h"
#include "poold/client/outcome.h"
#include "poold/client/payload.h"
#include "poold/client/pool_info.h"
#include "poold/client/server_info.h"

namespace poold::client {
namespace {

// The words of an enum's numbers from 0 on.
template <std::size_t N, typename Enum>
std::string_view WordOf(const std::array<std::string_view, N>& words, Enum value) {
  const auto number = static_cast<std::size_t>(value);
  return number < N ? words[number] : "UNKNOWN";
}

}  // namespace

std::string_view ToString(StartMethod method) {
  static constexpr std::array<std::string_view, 4> kWords = {"UNSPECIFIED", "FORK", "SPAWN", "FRESH"};
  return WordOf(kWords, method);
}

std::string_view ToString(OwnerLost lost) {
  static constexpr std::array<std::string_view, 4> kWords = {"UNSPECIFIED", "KEEP", "CLOSE", "TERMINATE"};
  return WordOf(kWords, lost);
}

std::string_view ToString(DeathPolicy policy) {
  static constexpr std::array<std::string_view, 3> kWords = {"UNSPECIFIED", "RESILIENT", "STRICT"};
  return WordOf(kWords, policy);
}

std::string_view ToString(ResourceKind kind) {
  static constexpr std::array<std::string_view, 8> kWords = {"UNSPECIFIED",     "ADDRESS_SPACE_BYTES", "CPU_SECONDS",
                                                             "FILE_SIZE_BYTES", "OPEN_FILES",          "PROCESSES",
                                                             "CORE_BYTES",      "STACK_BYTES"};
  return WordOf(kWords, kind);
}

std::string_view ToString(TaskState state) {
  static constexpr std::array<std::string_view, 9> kWords = {
      "UNSPECIFIED", "QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CRASHED", "TIMED_OUT", "EXPIRED", "CANCELLED"};
  return WordOf(kWords, state);
}

std::string_view ToString(KilledBy by) {
  static constexpr std::array<std::string_view, 8> kWords = {"UNSPECIFIED", "ITSELF",   "TIME_LIMIT",   "CANCEL",
                                                             "TERMINATE",   "OUTSIDER", "MEMORY_LIMIT", "KERNEL"};
  return WordOf(kWords, by);
}

std::string_view ToString(OutputStream stream) {
  static constexpr std::array<std::string_view, 3> kWords = {"UNSPECIFIED", "STDOUT", "STDERR"};
  return WordOf(kWords, stream);
}

std::string_view ToString(PoolState state) {
  static constexpr std::array<std::string_view, 8> kWords = {"UNSPECIFIED", "STARTING",    "RUNNING",    "CLOSING",
                                                             "CLOSED",      "TERMINATING", "TERMINATED", "FAILED"};
  return WordOf(kWords, state);
}

std::string_view ToString(WorkerState state) {
  static constexpr std::array<std::string_view, 5> kWords = {"UNSPECIFIED", "STARTING", "IDLE", "BUSY", "STOPPING"};
  return WordOf(kWords, state);
}

std::string_view ToString(Containment containment) {
  static constexpr std::array<std::string_view, 4> kWords = {"UNSPECIFIED", "CGROUP", "PID_NAMESPACE", "SUBREAPER"};
  return WordOf(kWords, containment);
}

std::string_view ToString(Encoding encoding) {
  static constexpr std::array<std::string_view, 4> kWords = {"UNSPECIFIED", "MSGPACK", "PROTOBUF", "RAW"};
  return WordOf(kWords, encoding);
}

}  // namespace poold::client
