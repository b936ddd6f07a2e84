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

#include "cli/exit_status.h"
#include "poold/v1/pool.pb.h"
#include "poold/v1/pool_service.pb.h"
#include "poold/v1/task.pb.h"

namespace poold::cli {

using Duration = std::chrono::nanoseconds;

// Options of every command.
struct GlobalOptions {
  // The daemon's address. Empty: $POOLD_ADDRESS, or the default socket.
  std::string address;
  // The pool of commands that name none.
  std::string pool = "default";
  // Answers are JSON: one document, and one a line for items and events.
  bool json = false;
  // The longest wait of the command. Unset: no limit.
  std::optional<Duration> wait_timeout;
  // How long the daemon may be away; if given, also before the first connection.
  std::optional<Duration> daemon_timeout;
};

// The start of a program with the built-in function "exec".
struct ExecChoices {
  // The file with the program's input ("-": standard input). Empty: no input.
  std::string stdin_file;
  // Variables that are added to the program's environment.
  std::map<std::string, std::string> environment;
  // The folder in which the program starts. Empty: the worker's.
  std::string directory;

  // Whether one of the options was given.
  bool Any() const { return !stdin_file.empty() || !environment.empty() || !directory.empty(); }
};

// Whether a progress bar is drawn on stderr. kOnTerminal: only if stderr is a terminal.
enum class ShowProgress { kOnTerminal, kAlways, kNever };

// poolctl submit.
struct SubmitOptions {
  std::string function;
  // The arguments: each is JSON if it reads as JSON, otherwise text. With "exec": the program and its arguments.
  std::vector<std::string> args;
  // Every argument is text, even if it looks like JSON.
  bool strings = false;
  // Raw bytes as the argument: this text, or the content of a file ("-": standard input).
  std::optional<std::string> raw;
  std::optional<std::string> raw_file;
  // The handle, 32 hex digits, which makes repeating safe. Empty: the client draws one.
  std::string id;
  // Print the handle and do not wait.
  bool no_wait = false;
  // Keep the outcome in the daemon after it was printed.
  bool keep = false;
  // Ctrl-C also stops the task.
  bool cancel_on_interrupt = false;
  // Show the task's output as it comes.
  bool output = true;
  // Print a text or bytes unchanged, not as JSON.
  bool raw_output = false;
  ShowProgress progress = ShowProgress::kOnTerminal;
  v1::TaskOptions task;
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
  // The file with the items ("-": standard input). Empty, and no words: standard input.
  std::string file;
  // Items end with a NUL in place of a line's end.
  bool null_separated = false;
  ItemShape shape;
  // Print results in the order in which items end, each with its index.
  bool as_completed = false;
  // Print the handle when all items are sent, and do not wait.
  bool no_wait = false;
  // Show the items' output as it comes.
  bool output = true;
  bool raw_output = false;
  ShowProgress progress = ShowProgress::kOnTerminal;
  // Its chunk_size and fail_fast.
  v1::MapRequest map;
  // The most items that are read ahead of the printed results.
  std::optional<uint64_t> buffer;
  v1::TaskOptions task;
  ExecChoices exec;
};

// poolctl get.
struct GetOptions {
  std::vector<std::string> ids;
  // Print the results of a map's items. With one id.
  bool items = false;
  // With `items`: in the order in which they end.
  bool as_completed = false;
  bool raw_output = false;
};

// poolctl wait.
struct WaitOptions {
  std::vector<std::string> ids;
  // Wait until one handle has ended; first_exception: until one did not succeed, or all have ended.
  bool first_completed = false;
  bool first_exception = false;
};

// poolctl watch.
struct WatchOptions {
  // Handles. Empty: the pool is watched.
  std::vector<std::string> ids;
  // Also show the output of tasks.
  bool output = true;
};

// poolctl tasks.
struct TasksOptions {
  // Empty: tasks of all pools.
  std::string pool;
  // Only tasks in one of these states. Empty: in any. `function` and `client` select in the same way.
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
  // The folders of the pool's modules on this machine. Empty: the folder that is installed beside poolctl.
  std::vector<std::string> module_folders;
  // The worker program. Empty: the one that is installed beside poolctl.
  std::string program;
  // Run the task under gdb.
  bool debugger = false;
};

// poolctl top.
struct TopOptions {
  // Print one snapshot as text.
  bool once = false;
  // The time between two looks. Unset: 1 s.
  std::optional<Duration> interval;
};

// poolctl cancel.
struct CancelOptions {
  std::vector<std::string> ids;
  // Also stop tasks that run.
  bool running = false;
};

// poolctl release.
struct ReleaseOptions {
  std::vector<std::string> ids;
};

// poolctl open.
struct OpenOptions {
  // Without initializer_args.
  v1::PoolSpec spec;
  std::vector<std::string> initializer_args;
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
  // Print the daemon's own counters.
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
  // Cancel tasks that have not begun.
  bool cancel_queued = false;
};
// poolctl terminate.
struct TerminateOptions {
  std::string pool;
  // The time between SIGTERM and SIGKILL. Unset: SIGKILL at once.
  std::optional<Duration> grace;
  // Do not show the pool any more when it has ended.
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

// A parsed command line: the options of all commands, and the command with its own.
struct CommandLine {
  GlobalOptions global;
  Command command;
};

// Parses the command line. Help, version and complaints are printed here, and the answer is the exit status.
std::variant<CommandLine, ExitStatus> ParseCommandLine(int argc, const char* const* argv);

}  // namespace poold::cli
