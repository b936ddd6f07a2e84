#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#ifndef POOLD_VERSION
#define POOLD_VERSION "unknown"
#endif

namespace poold::cli {
namespace {

constexpr char kAbout[] =
    "Submits work to poold, the process pool service, and looks after its pools.\n"
    "\n"
    "  poolctl submit square 7              49\n"
    "  poolctl map square 1 2 3             1, 4 and 9, one a line\n"
    "  seq 1000 | poolctl map is_prime      items from standard input, one a line\n"
    "  poolctl open demo --workers 4 --module examples\n"
    "  poolctl --json stats                 for scripts";

constexpr char kValuesAndStatuses[] =
    "Words are values: what reads as JSON is that value (7, 1.5, true, null, \"text\", [1,2],\n"
    "{\"a\":1}, {\"$bytes\":\"<base64>\"}), anything else is text. Times have units: 500ms, 10s, 2m, 1h.\n"
    "The daemon is found by --address, else $POOLD_ADDRESS, else at its default socket.\n"
    "\n"
    "Exit status:\n"
    "   0  done as asked\n"
    "   1  the task (or an item of the map) FAILED\n"
    "   2  it CRASHED: its worker died\n"
    "   3  it TIMED_OUT or EXPIRED\n"
    "   4  it was CANCELLED, or is LOST because the daemon was restarted\n"
    "   5  --wait-timeout passed first; nothing is lost, ask again\n"
    "  64  the command line makes no sense\n"
    "  69  the daemon cannot be reached\n"
    "  70  the daemon refused the call\n"
    " 130  interrupted (Ctrl-C): what was submitted goes on, unless --cancel-on-interrupt";

constexpr char kElsewhere[] =
    "Options of every command (--address, --pool, --json, --wait-timeout), values, times and exit\n"
    "statuses: poolctl --help";

// CLI11 takes words in square brackets apart, at commas. A word that begins with one travels behind this mark.
constexpr char kBracketMark = '\x1f';

std::vector<std::string> MarkBrackets(int argc, const char* const* argv) {
  std::vector<std::string> words;
  for (int i = argc - 1; i > 0; --i) {  // CLI11 wants them from the last to the first
    std::string word = argv[i];
    words.push_back(word.starts_with('[') ? kBracketMark + word : word);
  }
  return words;
}

void Unmark(std::string& word) {
  if (word.starts_with(kBracketMark)) word.erase(0, 1);
}
void Unmark(std::vector<std::string>& words) {
  for (std::string& word : words) Unmark(word);
}

// How many letters must be put in, taken out or replaced.
std::size_t Distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replace});
    }
  }
  return row[b.size()];
}

CLI::Option* AddDuration(CLI::App* app, const std::string& name, std::optional<Duration>& out,
                         const std::string& about) {
  auto parse = [name, &out](const std::string& text) {
    absl::Duration duration;
    if (!absl::ParseDuration(text, &duration) || duration < absl::ZeroDuration()) {
      throw CLI::ValidationError(name, "wants a time with a unit, like 500ms, 10s, 2m or 1h; given: " + text);
    }
    out = absl::ToChronoNanoseconds(duration);
  };
  return app->add_option_function<std::string>(name, parse, about)->type_name("TIME");
}

// An option that may be given several times, with one value each time.
CLI::Option* AddEach(CLI::App* app, const std::string& name, std::vector<std::string>& out, const std::string& about) {
  return app->add_option(name, out, about)
      ->type_size(1)
      ->allow_extra_args(false)
      ->expected(1, CLI::detail::expected_max_vector_size)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void AddTaskChoices(CLI::App* app, TaskChoices& task, const std::string& what) {
  AddDuration(app, "--run-timeout", task.run_timeout, "Longest run of " + what + "; then its processes are killed");
  AddDuration(app, "--queue-timeout", task.queue_timeout, "Longest wait for a worker");
  AddDuration(app, "--total-timeout", task.total_timeout, "Longest time from submission to the end");
  AddDuration(app, "--start-delay", task.start_delay, "Do not start before this has passed");
  app->add_option("--max-attempts", task.max_attempts, "Try again when its worker crashes, up to this many tries")
      ->type_name("N");
  app->add_option("--priority", task.priority, "Higher runs first, -100 to 100 (0)")
      ->type_name("N")
      ->check(CLI::Range(-100, 100));
}

class Grammar {
 public:
  Grammar();
  std::variant<CommandLine, ExitStatus> Parse(int argc, const char* const* argv);

 private:
  template <typename Options>
  CLI::App* Add(const std::string& name, const std::string& about, Options& options) {
    CLI::App* app = app_.add_subcommand(name, about);
    app->footer(kElsewhere);
    app->final_callback([this, &options] { line_.command = options; });
    return app;
  }
  void AddSubmit();
  void AddMap();
  void AddHandles();
  void AddLooks();
  void AddOpen();
  void AddEnds();
  void Complain(const CLI::ParseError& error) const;
  const CLI::App* Nearest(const std::string& word) const;

  CLI::App app_{kAbout, "poolctl"};
  CommandLine line_;
  SubmitOptions submit_;
  MapOptions map_;
  GetOptions get_;
  WaitOptions wait_;
  CancelOptions cancel_;
  ReleaseOptions release_;
  PoolsOptions pools_;
  InfoOptions info_;
  WorkersOptions workers_;
  StatsOptions stats_;
  FunctionsOptions functions_;
  OpenOptions open_;
  CloseOptions close_;
  TerminateOptions terminate_;
  JoinOptions join_;
  std::vector<std::string> environment_;
};

Grammar::Grammar() {
  app_.footer(kValuesAndStatuses);
  app_.require_subcommand(1);
  app_.fallthrough();
  app_.get_formatter()->column_width(34);
  app_.set_version_flag("--version", std::string("poolctl ") + POOLD_VERSION);
  GlobalOptions& global = line_.global;
  app_.add_option("--address", global.address, "Where the daemon listens: unix:/path or host:port")
      ->type_name("ADDRESS")
      ->take_last();
  app_.add_option("--pool", global.pool, "The pool (default)")->type_name("NAME")->take_last();
  app_.add_flag("--json", global.json, "Answer in JSON: one document, for items one a line");
  AddDuration(&app_, "--wait-timeout", global.wait_timeout, "Wait no longer than this; nothing is lost by it")
      ->take_last();
  AddSubmit();
  AddMap();
  AddHandles();
  AddLooks();
  AddOpen();
  AddEnds();
}

void Grammar::AddSubmit() {
  SubmitOptions& o = submit_;
  CLI::App* app = Add("submit", "Run a function once: prints its result", o);
  app->add_option("FUNCTION", o.function, "Its name; see: poolctl functions")->required()->type_name("");
  app->add_option("ARG", o.args, "Its arguments: JSON, else text. Before ones that begin with -- write --")
      ->type_name("");
  CLI::Option* raw = app->add_option("--raw", o.raw, "One argument of raw bytes: this text")->type_name("TEXT");
  CLI::Option* file = app->add_option("--raw-file", o.raw_file, "One argument of raw bytes: this file (- is stdin)");
  raw->excludes(file);
  file->type_name("FILE");
  app->add_flag("--no-wait", o.no_wait, "Print the handle and leave");
  app->add_option("--id", o.id, "The handle, 32 hex digits of your choice: submitting again is then safe")
      ->type_name("ID");
  app->add_flag("--keep", o.keep, "Keep the outcome after it was printed, for: poolctl get");
  app->add_flag("--output,!--no-output", o.output, "Show what the task prints, as it prints it (on)");
  app->add_flag("-r,--raw-output", o.raw_output, "Print a text or bytes as they are, not as JSON");
  app->add_flag("--cancel-on-interrupt", o.cancel_on_interrupt, "Ctrl-C stops the task too");
  AddTaskChoices(app, o.task, "an attempt");
}

void Grammar::AddMap() {
  MapOptions& o = map_;
  CLI::App* app = Add("map", "Run a function over many items: prints a result a line", o);
  app->add_option("FUNCTION", o.function, "Its name; see: poolctl functions")->required()->type_name("");
  app->add_option("ITEM", o.items, "The items; none: from --file, else standard input, one a line")->type_name("");
  app->add_option("--file", o.file, "Items from this file, one a line (- is stdin)")->type_name("FILE");
  app->add_flag("--arrays", o.arrays, "Each item is an array of arguments, not one argument");
  app->add_flag("--strings", o.strings, "Each item is text, also where it reads as JSON")->excludes("--arrays");
  app->add_option("--chunk-size", o.chunk_size, "Items sent to a worker together (automatic)")->type_name("N");
  app->add_flag("--as-completed", o.as_completed, "In the order in which they end; prints INDEX, tab, result");
  app->add_flag("--fail-fast", o.fail_fast, "The first item that does not succeed cancels the rest");
  app->add_flag("--no-wait", o.no_wait, "Print the handle and leave");
  app->add_flag("--output,!--no-output", o.output, "Show what the items print, as they print it (on)");
  app->add_flag("-r,--raw-output", o.raw_output, "Print a text or bytes as they are, not as JSON");
  app->add_flag("--cancel-on-interrupt", o.cancel_on_interrupt, "Ctrl-C cancels the map too");
  AddTaskChoices(app, o.task, "one item");
}

void Grammar::AddHandles() {
  CLI::App* get = Add("get", "The outcome of a task, or the progress of a map; waits for it", get_);
  get->add_option("ID", get_.id, "The handle")->required()->type_name("");
  get->add_flag("--items", get_.items, "The results of a map's items");
  get->add_flag("--as-completed", get_.as_completed, "With --items: in the order in which they end");
  get->add_flag("-r,--raw-output", get_.raw_output, "Print a text or bytes as they are, not as JSON");

  CLI::App* wait = Add("wait", "Wait until tasks or maps have ended: prints ID, tab, done or waiting", wait_);
  wait->add_option("ID", wait_.ids, "Handles")->required()->type_name("");
  CLI::Option* first = wait->add_flag("--first-completed", wait_.first_completed, "Until one of them has ended");
  wait->add_flag("--first-exception", wait_.first_exception, "Until one did not succeed, or all ended")
      ->excludes(first);

  CLI::App* cancel = Add("cancel", "Cancel what waits", cancel_);
  cancel->add_option("ID", cancel_.ids, "Handles")->required()->type_name("");
  cancel->add_flag("--running", cancel_.running, "Also stop what runs: SIGTERM, the pool's stop grace, SIGKILL");

  CLI::App* release = Add("release", "Drop outcomes that nobody needs any more", release_);
  release->add_option("ID", release_.ids, "Handles")->required()->type_name("");
}

void Grammar::AddLooks() {
  Add("pools", "The pools and what they do", pools_);
  Add("workers", "The workers of a pool", workers_)
      ->add_option("POOL", workers_.pool, "Its name (that of --pool)")
      ->type_name("");
  Add("functions", "The functions that a pool can run", functions_)
      ->add_option("POOL", functions_.pool, "Its name (that of --pool)")
      ->type_name("");
  CLI::App* stats = Add("stats", "Counters of a pool, or of all", stats_);
  stats->add_option("POOL", stats_.pool, "Its name (all)")->type_name("");
  stats->add_flag("--server", stats_.server, "The daemon's own, its limits and its means to contain processes");
  Add("info", "What the daemon is, and its limits", info_);
}

void Grammar::AddOpen() {
  OpenOptions& o = open_;
  CLI::App* app = Add("open", "Open a pool, or find that it is open as asked", o);
  app->add_option("NAME", o.name, "1 to 64 letters, digits, '-', '_' or '.'")->required()->type_name("");
  app->add_option("--workers", o.workers, "Worker processes (one for each CPU)")->type_name("N");
  AddEach(app, "--module", o.modules, "A module to load, by name; may be repeated")->type_name("NAME");
  app->add_option("--program", o.program, "A worker program in place of modules, by name")->type_name("NAME");
  app->add_option("--start-method", o.start_method, "How workers come to be: fork (default) or spawn")
      ->type_name("METHOD")
      ->check(CLI::IsMember({"fork", "spawn"}));
  AddEach(app, "--preload", o.preload, "A function to call before workers are cloned; may be repeated")
      ->type_name("FUNCTION");
  app->add_option("--initializer", o.initializer, "A function to call in every new worker")->type_name("FUNCTION");
  AddEach(app, "--initializer-arg", o.initializer_args, "An argument of it, as with submit; may be repeated")
      ->type_name("ARG");
  app->add_option("--max-tasks-per-worker", o.max_tasks_per_worker, "Replace a worker after this many")->type_name("N");
  app->add_option("--max-queued-tasks", o.max_queued_tasks, "How many may wait")->type_name("N");
  app->add_option("--max-queued-bytes", o.max_queued_bytes, "How many bytes of arguments may wait")
      ->type_name("N")
      ->transform(CLI::AsSizeValue(false));
  AddDuration(app, "--stop-grace", o.stop_grace, "Between SIGTERM and SIGKILL (2s)");
  AddEach(app, "--env", environment_, "For the workers' environment; may be repeated")
      ->type_name("KEY=VALUE")
      ->check([](const std::string& text) {
        return text.find('=') == std::string::npos || text.starts_with('=') ? "wants KEY=VALUE; given: " + text : "";
      });
  app->add_option("--working-directory", o.working_directory, "Where the workers start (/)")->type_name("PATH");
  app->add_option("--nice", o.nice, "Added to the workers' nice value, 0 to 19")
      ->type_name("N")
      ->check(CLI::Range(0, 19));
}

void Grammar::AddEnds() {
  const char about[] = "Its name";
  Add("close", "Take nothing new, finish what is queued, let the workers go", close_)
      ->add_option("POOL", close_.pool, about)
      ->required()
      ->type_name("");
  Add("terminate", "Kill the workers now; what is unfinished ends CANCELLED", terminate_)
      ->add_option("POOL", terminate_.pool, about)
      ->required()
      ->type_name("");
  Add("join", "Wait until a closed or terminated pool has no process left", join_)
      ->add_option("POOL", join_.pool, about)
      ->required()
      ->type_name("");
}

void Grammar::Complain(const CLI::ParseError& error) const {
  std::string command;
  for (const CLI::App* sub : app_.get_subcommands()) command = " " + sub->get_name();
  std::string complaint = error.what();
  if (command.empty()) {
    complaint = "say what to do: submit, map, get, pools, ...";
    for (const std::string& word : app_.remaining()) {
      const CLI::App* nearest = Nearest(word);
      complaint = "there is no command " + word;
      if (nearest != nullptr) complaint += ", did you mean " + nearest->get_name() + "?";
      break;
    }
  }
  std::fprintf(stderr, "poolctl: %s; see: poolctl%s --help\n", complaint.c_str(), command.c_str());
}

const CLI::App* Grammar::Nearest(const std::string& word) const {
  const CLI::App* nearest = nullptr;
  std::size_t least = 3;
  for (const CLI::App* command : app_.get_subcommands(nullptr)) {
    const std::size_t distance = Distance(word, command->get_name());
    if (distance < least) {
      least = distance;
      nearest = command;
    }
  }
  return nearest;
}

std::variant<CommandLine, ExitStatus> Grammar::Parse(int argc, const char* const* argv) {
  try {
    app_.parse(MarkBrackets(argc, argv));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      app_.exit(error);  // help or version, on stdout
      return ExitStatus::kOk;
    }
    Complain(error);
    return ExitStatus::kUsage;
  }
  if (auto* submit = std::get_if<SubmitOptions>(&line_.command)) {
    Unmark(submit->args);
    if (submit->raw) Unmark(*submit->raw);
  }
  if (auto* map = std::get_if<MapOptions>(&line_.command)) Unmark(map->items);
  if (auto* open = std::get_if<OpenOptions>(&line_.command)) {
    Unmark(open->initializer_args);
    for (const std::string& entry : environment_) {
      const std::size_t equals = entry.find('=');
      open->environment[entry.substr(0, equals)] = entry.substr(equals + 1);
    }
  }
  return line_;
}

}  // namespace

std::variant<CommandLine, ExitStatus> ParseCommandLine(int argc, const char* const* argv) {
  return Grammar().Parse(argc, argv);
}

}  // namespace poold::cli
