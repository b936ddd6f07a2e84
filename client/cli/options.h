// Values of the command line, as plain structs. ParseCommandLine fills them, and the commands read them. Empty or unset
// means that the option was not given: the daemon's default holds.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace poold::cli {

using Duration = std::chrono::nanoseconds;

// Options of every command.
struct GlobalOptions {
  std::string address;
  std::string pool = "default";
  bool json = false;
  // The longest wait of the command. Unset: no limit.
  std::optional<Duration> wait_timeout;
  // How long the daemon may be away; if given, also before the first connection.
  std::optional<Duration> daemon_timeout;
};

// Options of a task, as poold.v1.TaskOptions.
struct TaskChoices {
  std::optional<Duration> queue_timeout;
  std::optional<Duration> run_timeout;
  std::optional<Duration> total_timeout;
  std::optional<Duration> start_delay;
  std::optional<uint32_t> max_attempts;
  // "failed", "crashed", "timed_out".
  std::vector<std::string> retry_on;
  std::optional<Duration> retry_delay;
  std::optional<Duration> max_retry_delay;
  int priority = 0;
  bool fresh = false;
};

// The start of a program with the built-in function "exec".
struct ExecChoices {
  // The file with the program's input ("-": standard input). Empty: no input.
  std::string stdin_file;
  std::map<std::string, std::string> environment;
  std::string directory;

  bool Any() const { return !stdin_file.empty() || !environment.empty() || !directory.empty(); }
};

// Whether a progress bar is drawn on stderr. kOnTerminal: only if stderr is a terminal.
enum class ShowProgress { kOnTerminal, kAlways, kNever };

// poolctl submit.
struct SubmitOptions {
  std::string function;
  std::vector<std::string> args;
  // Every argument is text, even if it looks like JSON.
  bool strings = false;
  // Raw bytes as the argument: this text, or the content of a file ("-": standard input).
  std::optional<std::string> raw;
  std::optional<std::string> raw_file;
  std::string id;
  bool no_wait = false;
  bool keep = false;
  bool cancel_on_interrupt = false;
  bool output = true;
  bool raw_output = false;
  ShowProgress progress = ShowProgress::kOnTerminal;
  TaskChoices task;
  ExecChoices exec;
};

// How the text of an item becomes the arguments of one call.
struct ItemShape {
  // Each item is a JSON array, whose elements are the arguments.
  bool star = false;
  // Each item is JSON; anything else is an error.
  bool json = false;
  // Each item is text, even if it looks like JSON.
  bool strings = false;
  // Separates the arguments of an item. Empty: each item is one argument.
  std::string delimiter;
};

// poolctl map.
struct MapOptions {
  std::string function;
  // Items; after a ":::" the second arguments, and so on. With "exec": the program and its arguments.
  std::vector<std::string> words;
  std::string file;
  // Items end with a NUL in place of a line's end.
  bool null_separated = false;
  ItemShape shape;
  bool as_completed = false;
  bool fail_fast = false;
  bool no_wait = false;
  bool output = true;
  bool raw_output = false;
  ShowProgress progress = ShowProgress::kOnTerminal;
  std::optional<uint32_t> chunk_size;
  // The most items that are read ahead of the printed results.
  std::optional<uint64_t> buffer;
  TaskChoices task;
  ExecChoices exec;
};

// poolctl get.
struct GetOptions {
  std::string id;
  bool items = false;
  bool as_completed = false;
  bool raw_output = false;
};

// poolctl wait.
struct WaitOptions {
  std::vector<std::string> ids;
  bool first_completed = false;
  bool first_exception = false;
};

// poolctl watch.
struct WatchOptions {
  // Handles. Empty: the pool is watched.
  std::vector<std::string> ids;
  bool output = true;
};

// poolctl tasks.
struct TasksOptions {
  // Empty: tasks of all pools.
  std::string pool;
  std::vector<std::string> states;
  std::string function;
  std::string client;
  // The most entries; 0: no limit.
  uint64_t limit = 100;
};

// poolctl explain.
struct ExplainOptions {
  std::string id;
};

// poolctl replay.
struct ReplayOptions {
  std::string id;
  // The item to run, of a map.
  uint64_t item = 0;
  std::vector<std::string> module_folders;
  std::string program;
  bool debugger = false;
};

// poolctl top.
struct TopOptions {
  bool once = false;
  std::optional<Duration> interval;
};

// poolctl cancel.
struct CancelOptions {
  std::vector<std::string> ids;
  bool running = false;
};

// poolctl release.
struct ReleaseOptions {
  std::vector<std::string> ids;
};

// poolctl open; the members are those of poold.v1.PoolSpec.
struct OpenOptions {
  std::string name;
  std::optional<uint32_t> workers;
  std::vector<std::string> modules;
  std::string program;
  std::string start_method;
  std::vector<std::string> preload;
  std::string initializer;
  std::vector<std::string> initializer_args;
  std::optional<uint32_t> max_tasks_per_worker;
  std::optional<uint64_t> max_queued_tasks;
  std::optional<uint64_t> max_queued_bytes;
  std::optional<Duration> stop_grace;
  std::optional<Duration> start_timeout;
  std::map<std::string, std::string> environment;
  std::string working_directory;
  uint32_t nice = 0;
  std::optional<uint64_t> max_worker_rss_bytes;
  std::optional<Duration> max_worker_age;
  std::optional<uint64_t> memory_limit_bytes;
  // By kind ("open-files"), each in the unit of its kind.
  std::map<std::string, uint64_t> resource_limits;
  bool strict = false;
  std::optional<uint32_t> spares;
  bool allow_exec = false;
};

// poolctl resize.
struct ResizeOptions {
  std::string pool;
  uint32_t workers = 0;
};
// poolctl reload.
struct ReloadOptions {
  std::string pool;
};

// poolctl stats.
struct StatsOptions {
  // Empty: all pools.
  std::string pool;
  bool server = false;
};

struct PoolsOptions {};
struct InfoOptions {};

struct WorkersOptions {
  std::string pool;
};
struct FunctionsOptions {
  std::string pool;
};
// poolctl close.
struct CloseOptions {
  std::string pool;
  bool cancel_queued = false;
};
// poolctl terminate.
struct TerminateOptions {
  std::string pool;
  std::optional<Duration> grace;
  bool forget = false;
};
// poolctl join.
struct JoinOptions {
  std::string pool;
};

// The command that was given, with its options.
using Command = std::variant<SubmitOptions, MapOptions, GetOptions, WaitOptions, WatchOptions, TasksOptions,
                             ExplainOptions, ReplayOptions, CancelOptions, ReleaseOptions, PoolsOptions, WorkersOptions,
                             StatsOptions, TopOptions, FunctionsOptions, OpenOptions, ResizeOptions, ReloadOptions,
                             CloseOptions, TerminateOptions, JoinOptions, InfoOptions>;

}  // namespace poold::cli
