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
  // The user that the client's process runs as; -1: not known, as over TCP.
  std::int64_t uid = -1;
  // The group that the process runs as; -1: not known.
  std::int64_t gid = -1;
  // The client's process; -1: not known.
  std::int64_t pid = -1;
  // The number of the connection, counted from 1 by the daemon; 0: not known.
  std::uint64_t connection = 0;
};

// The place of one core among the cores (shards) that share a daemon. Pools and workers of two shards never have the
// same number.
struct ShardInfo {
  // Counted from 0; less than `count`.
  std::uint32_t index = 0;
  // Cores of the daemon, at least 1. The same for all of them, and constant.
  std::uint32_t count = 1;
};
// The number, unique among all cores of the daemon, of the n-th thing (a pool, a worker) that this core makes.
// REQUIRES: n >= 1.
inline constexpr std::uint64_t NumberIn(const ShardInfo& shard, std::uint64_t n) {
  return (n - 1) * shard.count + shard.index + 1;
}

// The values of poold.v1.Encoding: how the bytes of arguments or of a result are to be read. The core carries the value
// and never looks into the bytes. kUnspecified: the client or the function named none.
enum class Encoding : std::uint8_t { kUnspecified = 0, kMsgpack = 1, kProtobuf = 2, kRaw = 3 };

// The arguments of a call, or its result.
struct Payload {
  Encoding encoding = Encoding::kUnspecified;
  // Full name of the protobuf message in `data`, shared among the payloads of a batch; null: no name was given.
  std::shared_ptr<const std::string> type_name;
  // Never larger than Limits::max_payload_bytes when it comes from a client.
  Bytes data;
};

// The values of poold.v1.TaskState, which clients see. The core's own life cycle of a task is finer: task/task_life.h.
enum class TaskState : std::uint8_t {
  // No task has this state; in a filter or a decision it says "none".
  kUnspecified = 0,
  // Waits in a queue, for its start delay, for the pause before its next attempt, or at a circuit breaker.
  kQueued = 1,
  // Was sent to a worker; perhaps that worker runs something else first.
  kRunning = 2,
  // The function returned: Outcome::result.
  kSucceeded = 3,
  // The function reported an error, or no worker has the function: OutcomeDetail::failure.
  kFailed = 4,
  // The worker died while it ran this task: OutcomeDetail::death.
  kCrashed = 5,
  // run_timeout passed in the last allowed attempt, or total_timeout passed after the first attempt had begun.
  kTimedOut = 6,
  // queue_timeout or total_timeout passed before the first attempt began.
  kExpired = 7,
  // A client cancelled the task, or its pool was closed with cancel, terminated or failed.
  kCancelled = 8,
};
// Whether a task in this state has ended. No task leaves a terminal state.
constexpr bool IsTerminal(TaskState state) { return state >= TaskState::kSucceeded; }

// Why a function did not succeed, in words. Filled by the worker, or by the core with a type that begins with "poold.".
struct Failure {
  // The type of what was thrown, "absl::Status", or one of ours ("poold.Cancelled", "poold.UnknownFunction", ...).
  std::string type;
  // For people; UTF-8, at most 64 KiB.
  std::string message;
  // One frame a line, the outermost last; empty where the worker gives none.
  std::string backtrace;
  // The canonical code of a status that the function returned or threw; 0: the failure is no status.
  int status_code = 0;
  friend bool operator==(const Failure&, const Failure&) = default;
};

// The values of poold.v1.KilledBy: the cause of a worker's end. The core sets it when it kills a worker, process/ where
// the kernel tells a cause; Staffing::NoteLoss decides the rest by the signal.
enum class KilledBy : std::uint8_t {
  // Nobody was found responsible yet; no certificate that leaves the core says so.
  kUnspecified = 0,
  // The worker exited, or raised a signal by its own fault.
  kItself = 1,
  // The core killed the worker under a task that was over its time.
  kTimeLimit = 2,
  // The core killed the worker under a task that a client cancelled.
  kCancel = 3,
  // The core killed the worker because its pool ends, or because its generation was dropped.
  kTerminate = 4,
  // SIGKILL or SIGTERM that neither the daemon nor, as far as known, the kernel sent.
  kOutsider = 5,
  // The core killed the worker above PoolSpec::memory_limit_bytes.
  kMemoryLimit = 6,
  // The kernel: out of memory, or a resource limit.
  kKernel = 7,
};

// Why a zygote or a worker did not start, or ended.
enum class LossCause : std::uint8_t {
  // What the process loads and runs, or the way in which the pool sets it up. Counts towards giving the pool up.
  kItself = 0,
  // The machine or the daemon is short of descriptors, processes or memory. Tried again without an end.
  kResources = 1,
  // Somebody else ended the process. Tried again without an end.
  kOutsider = 2,
};

// The end of a worker process. process/ fills in what the kernel tells; Staffing::NoteLoss adds `generation`, `worker`
// and, where process/ left it open, `killed_by`.
struct DeathCertificate {
  // The signal that ended the process; 0: it exited.
  int signal = 0;
  // The exit code; only where `signal` is 0.
  int exit_code = 0;
  KilledBy killed_by = KilledBy::kUnspecified;
  // As the daemon sees it; 0: the process was never started.
  std::int64_t pid = 0;
  // Number of the zygote that the worker was cloned from, from 1.
  std::uint32_t generation = 0;
  // The most resident memory that the process had; 0: not measured.
  std::uint64_t peak_rss_bytes = 0;
  // User and system time of the process.
  Nanos cpu_time = 0;
  // From the start of the process to its end.
  Nanos wall_time = 0;
  // Of a fault of the worker's own, one frame a line; empty: the worker could not tell.
  std::string backtrace;
  // The number under which PoolView showed the worker.
  WorkerId worker{};
};

// The values of poold.v1.OutputStream: the stream that a task wrote to.
enum class OutputStream : std::uint8_t { kStdout = 1, kStderr = 2 };

// The rare parts of an outcome, kept apart so that a plain one stays small.
struct OutcomeDetail {
  // With kFailed, kExpired and kCancelled; with kTimedOut where the task ended between two attempts.
  std::optional<Failure> failure;
  // With kCrashed; with kTimedOut and kCancelled where the worker was killed for it.
  std::optional<DeathCertificate> death;
  // The last bytes that the task wrote to each stream, at most Limits::output_tail_bytes.
  std::string stdout_tail;
  std::string stderr_tail;
  // kMostDeaths workers died under the task or item, so it is not tried again whatever max_attempts says.
  bool poison = false;
};

// How a task (or an item) ended. Immutable once it is shared.
struct Outcome {
  // Always terminal once the outcome is shared.
  TaskState state = TaskState::kUnspecified;
  // The attempt that brought this outcome, from 1; 0: the task never started.
  std::uint32_t attempt = 0;
  // Empty unless `state` is kSucceeded.
  Payload result;
  // Null: no failure, no death, no output.
  std::unique_ptr<OutcomeDetail> detail;
  // When the core took the task, or the item of a map.
  Nanos submitted_at = 0;
  // When the last attempt began, as far as the core knows; 0: it never started.
  Nanos started_at = 0;
  // When the core learned of the end.
  Nanos ended_at = 0;
};
using OutcomePtr = std::shared_ptr<const Outcome>;

// A success at the first attempt without output and without a type name, which is what most tasks end in. A view of the
// task that keeps it: good until the task is changed or freed. ToOutcome() makes an Outcome that lives by itself.
struct CompactSuccess {
  Encoding encoding = Encoding::kUnspecified;
  // Task::body, which held the arguments before.
  const Bytes& result;
  // As in Outcome.
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

// The options of a task or a map. Immutable once shared; all tasks of a group point to the same object. Defaults,
// bounds and flags stand in contract/option.h; api/ has checked them.
struct TaskOptions {
  // From submission to the beginning of the first attempt; kNever: no limit.
  Nanos queue_timeout = kNever;
  // Of each attempt, from its beginning; of a map, of each item. kNever: no limit.
  Nanos run_timeout = kNever;
  // From submission to the end, over all attempts; kNever: no limit.
  Nanos total_timeout = kNever;
  // How often the task may be started, at least 1. An attempt that was taken back before it began does not count.
  std::uint32_t max_attempts = 1;
  // A bit (1 << TaskState) for each outcome that is tried again while attempts are left: kFailed, kCrashed, kTimedOut.
  std::uint32_t retry_on = 1u << static_cast<unsigned>(TaskState::kCrashed);
  // The pause before the second attempt. RetryPause doubles it for each further one.
  Nanos retry_delay = 100 * kMillisecond;
  // The longest pause; shorter than `retry_delay` it replaces it.
  Nanos max_retry_delay = 30 * kSecond;
  // From -100 to 100. Higher ones run first.
  int priority = 0;
  // From submission to the earliest start; 0: at once.
  Nanos start_delay = 0;
  // Subscribers get what the task writes as it is written. Its tail is in the outcome in any case.
  bool stream_output = false;
  // The task (of a map: each chunk) runs on a worker that ran nothing before, and that ends with it.
  bool fresh = false;
  // A traceparent of W3C Trace Context, carried to the function; empty: none.
  std::string traceparent;
  friend bool operator==(const TaskOptions&, const TaskOptions&) = default;
};

// The values of poold.v1.WaitMode: when a wait for several handles is over.
enum class WaitMode : std::uint8_t { kAllCompleted = 1, kFirstCompleted = 2, kFirstException = 3 };

// The values of poold.v1.StartMethod: how a worker process comes to be. kFork: cloned from the pool's zygote. kSpawn: a
// program of its own. kFresh: one clone for each task or chunk.
enum class StartMethod : std::uint8_t { kFork = 1, kSpawn = 2, kFresh = 3 };

// The values of poold.v1.OwnerLost: what happens to a pool when its last owner was absent for Limits::owner_grace.
enum class OwnerLost : std::uint8_t { kKeep = 1, kClose = 2, kTerminate = 3 };
// The values of poold.v1.DeathPolicy. kStrict: the first death of a worker that the daemon did not cause makes the pool
// FAILED (Pool::broken).
enum class DeathPolicy : std::uint8_t { kResilient = 1, kStrict = 2 };
// The values of poold.v1.ResourceKind: limits of setrlimit(2), set in each worker.
enum class ResourceKind : std::uint8_t {
  kAddressSpaceBytes = 1,
  kCpuSeconds = 2,
  kFileSizeBytes = 3,
  kOpenFiles = 4,
  kProcesses = 5,
  kCoreBytes = 6,
  kStackBytes = 7,
};

// What a pool is to be. api/ has checked names and ranges and has put the daemon's defaults in place of what was not
// given. Two opens of one name share a pool if their specs are equal (Pools::SameSpec).
struct PoolSpec {
  // 1 to 64 letters, digits, '-', '_' or '.'. Names one live pool at a time.
  std::string name;
  // Worker processes, 1 to Limits::max_workers_per_pool. OnResize changes it.
  std::uint32_t workers = 1;
  // Task modules and the worker program, by name; their files: `module_paths` and `program_path`.
  std::vector<std::string> modules;
  std::string program;
  StartMethod start_method = StartMethod::kFork;
  // Functions that the zygote (with kSpawn: each worker) calls once, in this order, before it is ready.
  std::vector<std::string> preload;
  // A function that each worker calls once before its first task; empty: none.
  std::string initializer;
  // How `initializer_args` is encoded.
  Encoding initializer_encoding = Encoding::kUnspecified;
  std::string initializer_args;
  // A worker is replaced after so many tasks and chunks; 0: never.
  std::uint32_t max_tasks_per_worker = 0;
  // Tasks and items that may wait, and bytes of their arguments; 0: Limits::max_queued_tasks and max_queued_bytes.
  std::uint64_t max_queued_tasks = 0;
  std::uint64_t max_queued_bytes = 0;
  // From SIGTERM to SIGKILL for a worker that is killed under a task; 0: SIGKILL at once.
  Nanos stop_grace = 2 * kSecond;
  // Of a zygote or a worker until it is ready; 0: Limits::start_timeout.
  Nanos start_timeout = 0;
  // Added to the environment of zygote and workers.
  std::map<std::string, std::string> environment;
  std::string working_directory = "/";
  // Added to the workers' nice value, 0 to 19.
  int nice = 0;
  // A worker above it is replaced when its present work is done; 0: no limit.
  std::uint64_t max_worker_rss_bytes = 0;
  // A worker older than this, from when it was ready, is replaced when its present work is done; kNever: no limit.
  Nanos max_worker_age = kNever;
  // A worker above it is killed at once (KilledBy::kMemoryLimit); 0: no limit.
  std::uint64_t memory_limit_bytes = 0;
  // In the unit that setrlimit(2) has for the kind.
  std::map<ResourceKind, std::uint64_t> resource_limits;
  OwnerLost on_owner_lost = OwnerLost::kKeep;
  DeathPolicy death_policy = DeathPolicy::kResilient;
  // Workers that are kept ready beside `workers`; 0 unless `start_method` is kFresh.
  std::uint32_t spares = 0;
  // The workers have the built-in function "exec".
  bool allow_exec = false;

  // Files of `modules` and `program` in the configured folders. api/ fills them in before the core sees the spec.
  std::vector<std::string> module_paths;
  std::string program_path;
  friend bool operator==(const PoolSpec&, const PoolSpec&) = default;
};

// The values of poold.v1.PoolState. Which may follow which: kPoolTransitions in pool/lives.h.
enum class PoolState : std::uint8_t {
  // No pool has this state.
  kUnspecified = 0,
  // Takes tasks; not all of its workers have been ready yet.
  kStarting = 1,
  // Takes tasks; as many workers as wanted have been ready at a time.
  kRunning = 2,
  // Takes nothing new and finishes what it has.
  kClosing = 3,
  // Closed, and the last process is gone.
  kClosed = 4,
  // All that it had is, or will be, CANCELLED; its processes are being killed.
  kTerminating = 5,
  // Terminated, and the last process is gone.
  kTerminated = 6,
  // Its workers do not start, or it is strict and a worker died: PoolView::failure. Processes may still be ending.
  kFailed = 7,
};

// The values of poold.v1.WorkerState, made from WorkerLife by ViewOf: kStopping covers every worker that was told to go
// or is being killed.
enum class WorkerState : std::uint8_t { kUnspecified = 0, kStarting = 1, kIdle = 2, kBusy = 3, kStopping = 4 };

// The signature of a function in the words of the worker's language. Shown to people; nothing is decided by it.
struct FunctionSignature {
  // A type, or the name of a parameter, for each argument.
  std::vector<std::string> arguments;
  // "nothing" for none; empty: the worker did not say.
  std::string result;
  // One line; may be empty.
  std::string help;
};

// A function that a worker has, as it reported it when it became ready.
struct FunctionInfo {
  std::string name;
  // Full name of the protobuf message that the function returns; null: none.
  std::shared_ptr<const std::string> result_type;
  // Null: the worker said nothing of it.
  std::shared_ptr<const FunctionSignature> signature;
};

// Neighbouring items of a map: lengths[i] bytes of `data` each, one behind the other. Immutable, shared. REQUIRES: the
// lengths add up to data.size(); Submissions refuses a column of a client where they do not.
struct ItemColumn {
  std::vector<std::uint32_t> lengths;
  Bytes data;
};

// A part of a column, as a worker gets it: `count` items from place `begin` of the column on, whose bytes are `data`.
// `column` keeps them alive.
struct ItemSlice {
  std::shared_ptr<const ItemColumn> column;
  std::size_t begin = 0;
  std::size_t count = 0;
  std::string_view data;
};

// Outcomes of neighbouring items, as poold.v1.ItemOutcomes. Immutable once it is shared.
struct ItemBlock {
  // Index in the map of the first item. In Core::OnItemResults: relative to the chunk.
  std::uint64_t first_index = 0;
  // One entry for each item of the block: the bytes of its result in `results`.
  std::vector<std::uint32_t> result_bytes;
  // The results, one behind the other.
  std::string results;
  // Of every result in `results`, like `type_name`.
  Encoding encoding = Encoding::kUnspecified;
  std::shared_ptr<const std::string> type_name;
  // Items that did not succeed, by index, ascending; their result_bytes are 0.
  std::vector<std::pair<std::uint64_t, OutcomePtr>> others;
};
using ItemBlockPtr = std::shared_ptr<const ItemBlock>;

}  // namespace poold::core
