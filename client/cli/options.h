#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// What a command line asks for, as plain values. Filled by ParseCommandLine, read by the commands. Empty or unset means
// "not given": the daemon's default holds.
namespace poold::cli {

using Duration = std::chrono::nanoseconds;

struct GlobalOptions {
  std::string address;
  std::string pool = "default";
  bool json = false;
  std::optional<Duration> wait_timeout;
  // How long the daemon may be away. Given: also before it is there for the first time.
  std::optional<Duration> daemon_timeout;
};

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

// How the program of the built-in function "exec" is started.
struct ExecChoices {
  // Fed to it: a file ("-" is our own standard input). Empty: nothing.
  std::string stdin_file;
  std::map<std::string, std::string> environment;
  std::string directory;

  bool Any() const { return !stdin_file.empty() || !environment.empty() || !directory.empty(); }
};

// Whether a progress bar is drawn on stderr. By itself: only on a terminal.
enum class ShowProgress { kOnTerminal, kAlways, kNever };

struct SubmitOptions {
  std::string function;
  std::vector<std::string> args;
  // Each is text, also where it looks like JSON.
  bool strings = false;
  // Raw bytes as the argument: the text itself, or the content of a file ("-" is stdin).
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
  // Each is a JSON array, whose elements are the arguments.
  bool star = false;
  // Each is JSON; anything else is an error.
  bool json = false;
  // Each is text, also where it looks like JSON.
  bool strings = false;
  // Each is several arguments with this between them. Empty: one.
  std::string delimiter;
};

struct MapOptions {
  std::string function;
  // Items; after a ":::" the second arguments, and so on. With "exec": the program and its arguments.
  std::vector<std::string> words;
  std::string file;
  // Items end with a NUL, not with the line.
  bool null_separated = false;
  ItemShape shape;
  bool as_completed = false;
  bool fail_fast = false;
  bool no_wait = false;
  bool output = true;
  bool raw_output = false;
  ShowProgress progress = ShowProgress::kOnTerminal;
  std::optional<uint32_t> chunk_size;
  // Items that are read ahead of the results printed.
  std::optional<uint64_t> buffer;
  TaskChoices task;
  ExecChoices exec;
};

struct GetOptions {
  std::string id;
  bool items = false;
  bool as_completed = false;
  bool raw_output = false;
};

struct WaitOptions {
  std::vector<std::string> ids;
  bool first_completed = false;
  bool first_exception = false;
};

struct WatchOptions {
  // Handles; none: the pool.
  std::vector<std::string> ids;
  bool output = true;
};

struct TasksOptions {
  // Empty: of all pools.
  std::string pool;
  std::vector<std::string> states;
  std::string function;
  std::string client;
  // 0: all there are.
  uint64_t limit = 100;
};

struct ExplainOptions {
  std::string id;
};

struct ReplayOptions {
  std::string id;
  // Of a map.
  uint64_t item = 0;
  std::vector<std::string> module_folders;
  std::string program;
  bool debugger = false;
};

struct TopOptions {
  bool once = false;
  std::optional<Duration> interval;
};

struct CancelOptions {
  std::vector<std::string> ids;
  bool running = false;
};

struct ReleaseOptions {
  std::vector<std::string> ids;
};

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
  // By kind ("open-files"), in the unit of the kind.
  std::map<std::string, uint64_t> resource_limits;
  bool strict = false;
  std::optional<uint32_t> spares;
  bool allow_exec = false;
};

struct ResizeOptions {
  std::string pool;
  uint32_t workers = 0;
};
struct ReloadOptions {
  std::string pool;
};

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
struct CloseOptions {
  std::string pool;
  bool cancel_queued = false;
};
struct TerminateOptions {
  std::string pool;
  std::optional<Duration> grace;
  bool forget = false;
};
struct JoinOptions {
  std::string pool;
};

using Command = std::variant<SubmitOptions, MapOptions, GetOptions, WaitOptions, WatchOptions, TasksOptions,
                             ExplainOptions, ReplayOptions, CancelOptions, ReleaseOptions, PoolsOptions, WorkersOptions,
                             StatsOptions, TopOptions, FunctionsOptions, OpenOptions, ResizeOptions, ReloadOptions,
                             CloseOptions, TerminateOptions, JoinOptions, InfoOptions>;

}  // namespace poold::cli
