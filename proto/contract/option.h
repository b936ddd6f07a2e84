// Options of tasks, maps and pools: the one table of each set.
//
// A row says of an option what everybody has to know of it: its name in the contract, its kind and bounds, what it
// means when it is not given, a line for people, its flag of poolctl, its key in the configuration. From the rows come
// the daemon's conversion and checks (api/convert_options.h, through core/option_fields.h), the configuration's keys,
// poolctl's flags, help and `explain`, and deploy/doc/options.md. (The SDK's conversion comes from the names in
// client/src/proto_fields.h.)
// contract_test holds that every field of the contract has a row; CONTRIBUTING.md lists the places of a new option.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace poold::option {

// The form of a value. It decides how messages, the configuration and poolctl read, check and show it.
enum class Kind : std::uint8_t {
  kFlag,       // true or false
  kNumber,     // a whole number
  kSize,       // bytes
  kDuration,   // a span of time; the bounds of a row are in ns
  kText,       // one text
  kTexts,      // a list of texts
  kPairs,      // texts by their names
  kChoice,     // one of `words`
  kChoices,    // any of `words`
  kArguments,  // an array of any values
  kResources,  // a number for each of `words`
};

// The greatest bound of a row: none.
inline constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

// One row. Constant; texts live as long as the program.
struct Option {
  // Name of the field in the contract's message.
  std::string_view name;
  Kind kind;
  // A line for people, without a full stop.
  std::string_view help;
  // The meaning when it is not given; empty: false, none, 0.
  std::string_view unset = "";
  // poolctl's flag, with other spellings of it behind commas. Empty: see `elsewhere`.
  std::string_view flag = "";
  // The key in the configuration, of options of pools. Empty: see `elsewhere`.
  std::string_view key = "";
  // Bounds of a number, a size or a duration.
  std::int64_t min = 0;
  std::int64_t max = kMost;
  // In the core's struct and in the configuration 0 stands for "not given"; in a message 0 is refused.
  bool zero_is_unset = false;
  // The values of kChoice, kChoices and kResources. The contract's number of the first one is `first_number`.
  std::span<const std::string_view> words = {};
  int first_number = 1;
  // The placeholder of the value in poolctl's help, where it is not that of the kind.
  std::string_view placeholder = "";
  // How poolctl explain tells it, with % for the value. Empty: not told.
  std::string_view told = "";
  // It is carried to the function, which asks for it by its name, and into the daemon's log. Of Kind::kText.
  bool carried = false;
  // Of a carried one: the variable of a program of `exec`; poolctl takes what it is not given from its own.
  std::string_view variable = "";
  // Of kText: why a text is not possible; empty: it is. Null: every text is.
  std::string_view (*check)(std::string_view text) = nullptr;
  // Why there is no flag, or no key.
  std::string_view elsewhere = "";
};

// ---- Tasks: poold.v1.TaskOptions, in the order of its fields ----

// Values of retry_on: TASK_STATE_FAILED (4), CRASHED (5) and TIMED_OUT (6).
inline constexpr std::string_view kRetryWords[] = {"failed", "crashed", "timed_out"};

// Why the text is no traceparent of W3C Trace Context (version-traceid-parentid-flags); empty: it is one.
constexpr std::string_view CheckTraceparent(std::string_view text) {
  constexpr std::string_view kForm = "00-00000000000000000000000000000000-0000000000000000-00";
  constexpr std::string_view kWrong =
      "is not a traceparent of W3C Trace Context: VERSION-TRACE-PARENT-FLAGS with 2, 32, 16 and 2 hex digits in lower "
      "case, neither id all zero, the version not ff";
  if (text.size() != kForm.size() || text.starts_with("ff")) return kWrong;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (kForm[i] == '-' ? c != '-' : !digit) return kWrong;
  }
  const auto is_zero = [text](std::size_t begin, std::size_t length) {
    return text.substr(begin, length).find_first_not_of('0') == std::string_view::npos;
  };
  return is_zero(3, 32) || is_zero(36, 16) ? kWrong : std::string_view();
}

// Read into core::TaskOptions. All but `stream_output` are the same for every item of a map.
inline constexpr Option kTaskOptions[] = {
    // The three limits of time, of which each may end a task. Deadlines (core/scheduler) sets a timer for the first
    // that falls due; TaskCourse and MapCourse end the task: EXPIRED before its first start, else TIMED_OUT.
    {.name = "queue_timeout",
     .kind = Kind::kDuration,
     .help = "Longest wait for a worker",
     .unset = "no limit",
     .flag = "--queue-timeout",
     .told = "queue timeout %"},
    {.name = "run_timeout",
     .kind = Kind::kDuration,
     .help = "Longest run of an attempt, of a map of one item; then its processes are killed",
     .unset = "no limit",
     .flag = "--run-timeout",
     .min = 1,
     .told = "run timeout %"},
    {.name = "total_timeout",
     .kind = Kind::kDuration,
     .help = "Longest time from submission to the end",
     .unset = "no limit",
     .flag = "--total-timeout",
     .min = 1,
     .told = "total timeout %"},
    // The next four drive TaskCourse and MapCourse: whether a task that did not succeed waits for another attempt, and
    // how long (RetryPause). An attempt that a worker never began does not count.
    {.name = "max_attempts",
     .kind = Kind::kNumber,
     .help = "Try again, up to this many tries",
     .unset = "1",
     .flag = "--attempts,--max-attempts",
     .min = 1,
     .max = 1'000'000,
     .told = "up to % attempts"},
    {.name = "retry_on",
     .kind = Kind::kChoices,
     .help = "What is tried again: failed, crashed, timed_out",
     .unset = "crashed",
     .flag = "--retry-on",
     .words = kRetryWords,
     .first_number = 4,
     .placeholder = "STATE"},
    {.name = "retry_delay",
     .kind = Kind::kDuration,
     .help = "Pause before the second try; it doubles each time",
     .unset = "100ms",
     .flag = "--retry-delay"},
    {.name = "max_retry_delay",
     .kind = Kind::kDuration,
     .help = "The longest pause",
     .unset = "30s",
     .flag = "--max-retry-delay"},
    // Drives the ready queue: the highest first, clients in turns inside of one. More urgent work takes back what was
    // sent ahead, and stops nothing that runs.
    {.name = "priority",
     .kind = Kind::kNumber,
     .help = "Higher runs first, -100 to 100",
     .unset = "0",
     .flag = "--priority",
     .min = -100,
     .max = 100,
     .told = "priority %"},
    // The task waits among the delayed ones until then. It counts as queued, and its time-outs run.
    {.name = "start_delay",
     .kind = Kind::kDuration,
     .help = "Do not start before this has passed",
     .flag = "--start-delay",
     .told = "start delay %"},
    // Drives Delivery: subscribers of the handle get output and progress as they come. Watchers get them in any case.
    {.name = "stream_output",
     .kind = Kind::kFlag,
     .help = "Send what it prints, and how far it is, as it comes",
     .elsewhere = "poolctl and the SDK derive it from whether somebody listens"},
    // The task, or each chunk, waits in a queue of its own for a worker that ran nothing (Pool::ready_fresh).
    {.name = "fresh",
     .kind = Kind::kFlag,
     .help = "In a worker that has run nothing before and ends with it",
     .flag = "--fresh",
     .told = "in a fresh worker"},
    // Travels with each assignment to the worker, into lines of the log about that worker, and is shown with the task.
    {.name = "traceparent",
     .kind = Kind::kText,
     .help = "The span of a trace that it belongs to (W3C Trace Context), carried to the function and the log",
     .flag = "--traceparent",
     .placeholder = "TRACEPARENT",
     .told = "traceparent %",
     .carried = true,
     .variable = "TRACEPARENT",
     .check = CheckTraceparent},
};

// ---- Maps: what poold.v1.MapRequest and MapGroup have beside TaskOptions and items ----

// Read into core::MapGroup with the first message of a map; later messages cannot change them.
inline constexpr Option kMapOptions[] = {
    // Drives Scheduler::ChunkSize. Without it chunks are cut for a few milliseconds of work each.
    {.name = "chunk_size",
     .kind = Kind::kNumber,
     .help = "Items sent to a worker together",
     .unset = "automatic",
     .flag = "--chunk-size",
     .min = 1,
     .max = std::numeric_limits<std::uint32_t>::max()},
    // Drives MapCourse: the map is cut, what runs goes on, the rest is CANCELLED.
    {.name = "fail_fast",
     .kind = Kind::kFlag,
     .help = "The first item that does not succeed cancels the rest",
     .flag = "--fail-fast"},
};

// ---- Pools: poold.v1.PoolSpec, in the order of its fields ----

// Values of the contract's enums of the same names, from 1 on.
inline constexpr std::string_view kStartMethods[] = {"fork", "spawn", "fresh"};
inline constexpr std::string_view kOwnerLost[] = {"keep", "close", "terminate"};
inline constexpr std::string_view kDeathPolicies[] = {"resilient", "strict"};
inline constexpr std::string_view kResources[] = {"address_space_bytes", "cpu_seconds", "file_size_bytes", "open_files",
                                                  "processes",           "core_bytes",  "stack_bytes"};

// Read into core::PoolSpec. OpenPool of a name that exists compares all of them, `workers` as it was opened with.
inline constexpr Option kPoolOptions[] = {
    // The key of the pool in every call. Names one live pool at a time.
    {.name = "name",
     .kind = Kind::kText,
     .help = "1 to 64 letters, digits, '-', '_' or '.'",
     .elsewhere = "poolctl open NAME; in the configuration the table is named so"},
    // Drives Staffing; Resize changes it later. The core's own bound is Limits::max_workers_per_pool.
    {.name = "workers",
     .kind = Kind::kNumber,
     .help = "Worker processes",
     .unset = "default_workers, one for each CPU",
     .flag = "--workers",
     .key = "workers",
     .min = 1,
     .max = 65'536},
    // The next two are looked up in the configured folders (config/folders.h) before the core sees the spec, and loaded
    // by the zygote; with spawn by each worker.
    {.name = "modules",
     .kind = Kind::kTexts,
     .help = "A task module to load, by name",
     .flag = "--module",
     .key = "modules",
     .placeholder = "NAME"},
    {.name = "program",
     .kind = Kind::kText,
     .help = "A worker program in place of the one that loads modules, by name",
     .flag = "--program",
     .key = "program",
     .placeholder = "NAME"},
    // Drives process/ (clone or exec), and with fresh also Staffing and the scheduler: one worker for each task or
    // chunk.
    {.name = "start_method",
     .kind = Kind::kChoice,
     .help =
         "How workers come to be: fork, cloned from a prepared process; spawn, each a fresh program; fresh, a clone "
         "for every task",
     .unset = "fork",
     .flag = "--start-method",
     .key = "start_method",
     .words = kStartMethods,
     .placeholder = "METHOD"},
    // Called by the zygote before it is ready (worker/src/startup.cc); a failure is the pool's own fault
    // (LossCause::kItself).
    {.name = "preload",
     .kind = Kind::kTexts,
     .help = "A function called once before any worker is cloned: what it prepares, all workers share",
     .flag = "--preload",
     .key = "preload",
     .placeholder = "FUNCTION"},
    // Called in each worker before it is ready, with `initializer_args`.
    {.name = "initializer",
     .kind = Kind::kText,
     .help = "A function called once in every new worker",
     .flag = "--initializer",
     .key = "initializer",
     .placeholder = "FUNCTION"},
    {.name = "initializer_args",
     .kind = Kind::kArguments,
     .help = "An argument of the initializer",
     .flag = "--initializer-arg",
     .key = "initializer_args",
     .placeholder = "ARG"},
    // Drives the scheduler: after so many dispatches the worker is recycled (PoolStats::recycled).
    {.name = "max_tasks_per_worker",
     .kind = Kind::kNumber,
     .help = "Replace a worker after so many tasks",
     .unset = "never",
     .flag = "--max-tasks-per-worker",
     .key = "max_tasks_per_worker",
     .min = 1,
     .max = std::numeric_limits<std::uint32_t>::max(),
     .zero_is_unset = true},
    // The next two bound what waits in the pool. Submissions refuses more with QUEUE_FULL, and asks for another try.
    {.name = "max_queued_tasks",
     .kind = Kind::kNumber,
     .help = "How many tasks and items may wait",
     .unset = "the daemon's limit",
     .flag = "--max-queued-tasks",
     .key = "max_queued_tasks",
     .min = 1,
     .zero_is_unset = true},
    {.name = "max_queued_bytes",
     .kind = Kind::kSize,
     .help = "How many bytes of arguments may wait",
     .unset = "the daemon's limit",
     .flag = "--max-queued-bytes",
     .key = "max_queued_bytes",
     .min = 1,
     .zero_is_unset = true},
    // From SIGTERM to SIGKILL under a task that is cancelled or over its time, and when the owner's loss terminates the
    // pool.
    {.name = "stop_grace",
     .kind = Kind::kDuration,
     .help = "Between SIGTERM and SIGKILL when a task is stopped",
     .unset = "2s",
     .flag = "--stop-grace",
     .key = "stop_grace_seconds"},
    // The next three shape the processes before they run code of others (process/spawn.cc, zygote_client.cc). Names of
    // variables are checked against a list of dangerous ones (api/validate.cc).
    {.name = "environment",
     .kind = Kind::kPairs,
     .help = "A variable added to the environment of the workers",
     .flag = "--env",
     .key = "environment"},
    {.name = "working_directory",
     .kind = Kind::kText,
     .help = "Where the workers start",
     .unset = "/",
     .flag = "--working-directory",
     .key = "working_directory",
     .placeholder = "PATH"},
    {.name = "nice",
     .kind = Kind::kNumber,
     .help = "Added to the workers' nice value, 0 to 19",
     .unset = "0",
     .flag = "--nice",
     .key = "nice",
     .max = 19},
    // The next two replace a worker when its present work is done; a replacement is ready before. Resident memory is
    // measured about once a second.
    {.name = "max_worker_rss_bytes",
     .kind = Kind::kSize,
     .help = "Replace a worker whose resident memory is above this when its task ends",
     .unset = "never",
     .flag = "--max-worker-rss",
     .key = "max_worker_rss_bytes",
     .min = 1,
     .zero_is_unset = true},
    {.name = "max_worker_age",
     .kind = Kind::kDuration,
     .help = "Replace a worker that is older than this when its task ends",
     .unset = "never",
     .flag = "--max-worker-age",
     .key = "max_worker_age_seconds",
     .min = 1,
     .zero_is_unset = true},
    // Drives Staffing::TakeUsage: the worker is killed at once, and its task is CRASHED with KILLED_BY_MEMORY_LIMIT.
    {.name = "memory_limit_bytes",
     .kind = Kind::kSize,
     .help = "Kill a worker whose resident memory goes above this; its task CRASHED",
     .unset = "no limit",
     .flag = "--memory-limit",
     .key = "memory_limit_bytes",
     .min = 1,
     .zero_is_unset = true},
    // Set with setrlimit(2) in the worker before it runs code of others (process/resource_limits.h).
    {.name = "resource_limits",
     .kind = Kind::kResources,
     .help = "What setrlimit limits of each worker",
     .flag = "--limit",
     .key = "resource_limits",
     .words = kResources,
     .placeholder = "KIND=VALUE"},
    // Drives Pools and Core::State::OwnersGone when the last owner was absent for owner_grace.
    {.name = "on_owner_lost",
     .kind = Kind::kChoice,
     .help = "What becomes of the pool when its owner has no session any more",
     .unset = "keep",
     .words = kOwnerLost,
     .elsewhere = "an owner is a client that stays: of the SDK, not of poolctl or the configuration"},
    // Drives Staffing::NoteLoss. With strict a death that the daemon did not cause makes the pool FAILED (POOL_BROKEN).
    {.name = "death_policy",
     .kind = Kind::kChoice,
     .help = "resilient: the death of a worker costs its task; strict: it breaks the pool, all that is unfinished ends "
             "CANCELLED",
     .unset = "resilient",
     .flag = "--death-policy",
     .key = "death_policy",
     .words = kDeathPolicies,
     .placeholder = "POLICY"},
    // Drives Staffing: so many clones are ready beside those that have a task.
    {.name = "spares",
     .kind = Kind::kNumber,
     .help = "With the start method fresh: processes kept ready beside the workers",
     .unset = "as many as workers",
     .flag = "--spares",
     .key = "spares",
     .max = 65'536},
    // Lets the workers register the function "exec". Refused (EXEC_NOT_ALLOWED) where the daemon's configuration
    // forbids it.
    {.name = "allow_exec",
     .kind = Kind::kFlag,
     .help = "With the built-in function exec, which runs any program, where the daemon's allow_exec is true",
     .flag = "--allow-exec",
     .key = "allow_exec"},
    // A zygote or worker that takes longer is killed, and counts as one that failed by its own fault.
    {.name = "start_timeout",
     .kind = Kind::kDuration,
     .help = "How long modules may take to load, and a worker to get ready",
     .unset = "the daemon's limit",
     .flag = "--start-timeout",
     .key = "start_timeout_seconds",
     .min = 1,
     .zero_is_unset = true},
};

// The row of this name. At compile time: without one, nothing compiles.
consteval const Option* RowOf(std::span<const Option> rows, std::string_view name) {
  for (const Option& row : rows) {
    if (row.name == name) return &row;
  }
  throw "there is no such row";
}

}  // namespace poold::option
