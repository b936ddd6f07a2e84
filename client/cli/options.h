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
};

struct TaskChoices {
  std::optional<Duration> queue_timeout;
  std::optional<Duration> run_timeout;
  std::optional<Duration> total_timeout;
  std::optional<Duration> start_delay;
  std::optional<uint32_t> max_attempts;
  int priority = 0;
};

struct SubmitOptions {
  std::string function;
  std::vector<std::string> args;
  // Raw bytes as the argument: the text itself, or the content of a file ("-" is stdin).
  std::optional<std::string> raw;
  std::optional<std::string> raw_file;
  std::string id;
  bool no_wait = false;
  bool keep = false;
  bool cancel_on_interrupt = false;
  bool output = true;
  bool raw_output = false;
  TaskChoices task;
};

struct MapOptions {
  std::string function;
  std::vector<std::string> items;
  std::string file;
  bool arrays = false;
  bool strings = false;
  bool as_completed = false;
  bool fail_fast = false;
  bool no_wait = false;
  bool cancel_on_interrupt = false;
  bool output = true;
  bool raw_output = false;
  std::optional<uint32_t> chunk_size;
  TaskChoices task;
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
  std::map<std::string, std::string> environment;
  std::string working_directory;
  uint32_t nice = 0;
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
};
struct TerminateOptions {
  std::string pool;
};
struct JoinOptions {
  std::string pool;
};

using Command = std::variant<SubmitOptions, MapOptions, GetOptions, WaitOptions, CancelOptions, ReleaseOptions,
                             PoolsOptions, WorkersOptions, StatsOptions, FunctionsOptions, OpenOptions, CloseOptions,
                             TerminateOptions, JoinOptions, InfoOptions>;

}  // namespace poold::cli
