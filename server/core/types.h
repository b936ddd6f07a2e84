// The words of the core: ids, time, payloads, and what is asked of a task and of a pool.
//
// Plain values. They mirror poold/v1/*.proto, where every field is explained; api/ converts. Nothing here knows
// protobuf.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/bytes.h"

namespace poold::core {

// Monotonic time in nanoseconds since some moment before the daemon's start. Every event brings it.
using Nanos = std::int64_t;
inline constexpr Nanos kNever = std::numeric_limits<Nanos>::max();
inline constexpr Nanos kMillisecond = 1'000'000;
inline constexpr Nanos kSecond = 1'000'000'000;
// REQUIRES: neither is negative. What is too far away is never.
inline constexpr Nanos After(Nanos start, Nanos span) { return span > kNever - start ? kNever : start + span; }

// A task or a map, as clients name it. On the wire 16 bytes: high, then low, big-endian.
struct HandleId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(const HandleId&, const HandleId&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const HandleId& id) {
    return H::combine(std::move(h), id.high, id.low);
  }
};

enum class PoolId : std::uint32_t {};
enum class WorkerId : std::uint64_t {};
// One attempt of one task (or of one chunk). Never used again.
enum class AttemptToken : std::uint64_t {};
// A call or a stream that waits for something; chosen by engine/, never used again. 0: nobody.
enum class SubscriberId : std::uint64_t {};
inline constexpr SubscriberId kNobody{0};
// Whom fairness is between.
enum class ClientId : std::uint64_t {};

// Where a client speaks from, as the kernel says it, beside what it calls itself. For people: nothing is decided by it.
struct ClientOrigin {
  std::int64_t uid = -1;  // -1, as the others: not known
  std::int64_t gid = -1;
  std::int64_t pid = -1;
  std::uint64_t connection = 0;  // counted from 1 by the daemon; 0: not known
};

// Which one it is of several cores that share a daemon. Their pools and workers have different numbers.
struct ShardInfo {
  std::uint32_t index = 0;
  std::uint32_t count = 1;
};
// The n-th of this core, counted from one, among those of all cores.
inline constexpr std::uint64_t NumberIn(const ShardInfo& shard, std::uint64_t n) {
  return (n - 1) * shard.count + shard.index + 1;
}

// The values of poold.v1.Encoding.
enum class Encoding : std::uint8_t { kUnspecified = 0, kMsgpack = 1, kProtobuf = 2, kRaw = 3 };

struct Payload {
  Encoding encoding = Encoding::kUnspecified;
  // The protobuf message's full name; null for none.
  std::shared_ptr<const std::string> type_name;
  Bytes data;
};

// The values of poold.v1.TaskState.
enum class TaskState : std::uint8_t {
  kUnspecified = 0,
  kQueued = 1,
  kRunning = 2,
  kSucceeded = 3,
  kFailed = 4,
  kCrashed = 5,
  kTimedOut = 6,
  kExpired = 7,
  kCancelled = 8,
};
constexpr bool IsTerminal(TaskState state) { return state >= TaskState::kSucceeded; }

struct Failure {
  std::string type;
  std::string message;
  std::string backtrace;
  int status_code = 0;
  friend bool operator==(const Failure&, const Failure&) = default;
};

// The values of poold.v1.KilledBy.
enum class KilledBy : std::uint8_t {
  kUnspecified = 0,
  kItself = 1,
  kTimeLimit = 2,
  kCancel = 3,
  kTerminate = 4,
  kOutsider = 5,
  kMemoryLimit = 6,
  kKernel = 7,
};

// Why a zygote or a worker did not start, or ended.
enum class LossCause : std::uint8_t {
  kItself = 0,     // what it loads and runs, or how it was set up
  kResources = 1,  // the machine, or the daemon, is short of descriptors, processes or memory
  kOutsider = 2,   // somebody else ended it
};

struct DeathCertificate {
  int signal = 0;
  int exit_code = 0;
  KilledBy killed_by = KilledBy::kUnspecified;
  std::int64_t pid = 0;
  std::uint32_t generation = 0;
  std::uint64_t peak_rss_bytes = 0;
  Nanos cpu_time = 0;
  Nanos wall_time = 0;
  std::string backtrace;
  WorkerId worker{};
};

enum class OutputStream : std::uint8_t { kStdout = 1, kStderr = 2 };

// What most outcomes do not have.
struct OutcomeDetail {
  std::optional<Failure> failure;
  std::optional<DeathCertificate> death;
  std::string stdout_tail;
  std::string stderr_tail;
  bool poison = false;
};

// How a task (or an item) ended. Immutable once it is shared.
struct Outcome {
  TaskState state = TaskState::kUnspecified;
  std::uint32_t attempt = 0;
  Payload result;                         // with kSucceeded
  std::unique_ptr<OutcomeDetail> detail;  // null: nothing in it
  Nanos submitted_at = 0;
  Nanos started_at = 0;
  Nanos ended_at = 0;
};
using OutcomePtr = std::shared_ptr<const Outcome>;

// What most tasks end in: success at the first attempt, with nothing to be told beside a result without a type's name.
// The task keeps it in itself; an Outcome is made where somebody wants one.
struct CompactSuccess {
  Encoding encoding = Encoding::kUnspecified;
  const Bytes& result;
  Nanos submitted_at = 0;
  Nanos started_at = 0;
  Nanos ended_at = 0;

  OutcomePtr ToOutcome() const {
    auto outcome = std::make_shared<Outcome>();
    outcome->state = TaskState::kSucceeded;
    outcome->attempt = 1;
    outcome->result = {encoding, nullptr, result};
    outcome->submitted_at = submitted_at;
    outcome->started_at = started_at;
    outcome->ended_at = ended_at;
    return outcome;
  }
};

// What was asked of a task. Shared by the tasks of a group.
struct TaskOptions {
  Nanos queue_timeout = kNever;
  Nanos run_timeout = kNever;
  Nanos total_timeout = kNever;
  std::uint32_t max_attempts = 1;
  // A bit (1 << TaskState) for each outcome that is tried again.
  std::uint32_t retry_on = 1u << static_cast<unsigned>(TaskState::kCrashed);
  Nanos retry_delay = 100 * kMillisecond;
  Nanos max_retry_delay = 30 * kSecond;
  int priority = 0;
  Nanos start_delay = 0;
  bool stream_output = false;
  bool fresh = false;
  std::string traceparent;  // of W3C Trace Context; empty: none
  friend bool operator==(const TaskOptions&, const TaskOptions&) = default;
};

// What a wait for several handles waits for: all of them, any of them, or the first that did not succeed (or all). The
// values of poold.v1.WaitMode.
enum class WaitMode : std::uint8_t { kAllCompleted = 1, kFirstCompleted = 2, kFirstException = 3 };

enum class StartMethod : std::uint8_t { kFork = 1, kSpawn = 2, kFresh = 3 };

// The values of poold.v1.OwnerLost, DeathPolicy and ResourceKind.
enum class OwnerLost : std::uint8_t { kKeep = 1, kClose = 2, kTerminate = 3 };
enum class DeathPolicy : std::uint8_t { kResilient = 1, kStrict = 2 };
enum class ResourceKind : std::uint8_t {
  kAddressSpaceBytes = 1,
  kCpuSeconds = 2,
  kFileSizeBytes = 3,
  kOpenFiles = 4,
  kProcesses = 5,
  kCoreBytes = 6,
  kStackBytes = 7,
};

struct PoolSpec {
  std::string name;
  std::uint32_t workers = 1;
  std::vector<std::string> modules;
  std::string program;
  StartMethod start_method = StartMethod::kFork;
  std::vector<std::string> preload;
  std::string initializer;
  Encoding initializer_encoding = Encoding::kUnspecified;
  std::string initializer_args;
  std::uint32_t max_tasks_per_worker = 0;  // 0: no limit
  std::uint64_t max_queued_tasks = 0;
  std::uint64_t max_queued_bytes = 0;
  Nanos stop_grace = 2 * kSecond;
  Nanos start_timeout = 0;  // 0: the daemon's
  std::map<std::string, std::string> environment;
  std::string working_directory = "/";
  int nice = 0;
  std::uint64_t max_worker_rss_bytes = 0;  // 0: no limit
  Nanos max_worker_age = kNever;
  std::uint64_t memory_limit_bytes = 0;  // 0: no limit
  std::map<ResourceKind, std::uint64_t> resource_limits;
  OwnerLost on_owner_lost = OwnerLost::kKeep;
  DeathPolicy death_policy = DeathPolicy::kResilient;
  std::uint32_t spares = 0;  // of kFresh
  bool allow_exec = false;

  // Where `modules` and `program` were found in the configured folders. Filled by api/ before the core sees the spec.
  std::vector<std::string> module_paths;
  std::string program_path;
  friend bool operator==(const PoolSpec&, const PoolSpec&) = default;
};

// The values of poold.v1.PoolState.
enum class PoolState : std::uint8_t {
  kUnspecified = 0,
  kStarting = 1,
  kRunning = 2,
  kClosing = 3,
  kClosed = 4,
  kTerminating = 5,
  kTerminated = 6,
  kFailed = 7,
};

// The values of poold.v1.WorkerState.
enum class WorkerState : std::uint8_t { kUnspecified = 0, kStarting = 1, kIdle = 2, kBusy = 3, kStopping = 4 };

// What a worker says of a function to people.
struct FunctionSignature {
  std::vector<std::string> arguments;
  std::string result;
  std::string help;
};

struct FunctionInfo {
  std::string name;
  // The protobuf message that it returns, null for none.
  std::shared_ptr<const std::string> result_type;
  // Null: nothing is known of it.
  std::shared_ptr<const FunctionSignature> signature;
};

// Neighbouring items of a map: lengths[i] bytes of `data` each, one behind the other. Immutable, shared.
struct ItemColumn {
  std::vector<std::uint32_t> lengths;
  Bytes data;
};

// A part of a column: `count` items from `begin` on, whose bytes are `data`.
struct ItemSlice {
  std::shared_ptr<const ItemColumn> column;
  std::size_t begin = 0;
  std::size_t count = 0;
  std::string_view data;
};

// Outcomes of neighbouring items, as poold.v1.ItemOutcomes. Immutable once it is shared.
struct ItemBlock {
  std::uint64_t first_index = 0;
  std::vector<std::uint32_t> result_bytes;
  std::string results;
  Encoding encoding = Encoding::kUnspecified;
  std::shared_ptr<const std::string> type_name;
  // Items that did not succeed, by index; their result_bytes are 0.
  std::vector<std::pair<std::uint64_t, OutcomePtr>> others;
};
using ItemBlockPtr = std::shared_ptr<const ItemBlock>;

}  // namespace poold::core
