#include "cli/grammar/grammar.h"

#include <memory>

#include "cli/grammar/declare.h"
#include "cli/text/console.h"
#include "wire/spelling.h"

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
    "  poolctl open shells --allow-exec     where the daemon's configuration allows it\n"
    "  ls *.png | poolctl --pool shells map exec -- optipng {}\n"
    "  poolctl top                          what is going on, live\n"
    "  poolctl --json stats                 for scripts";

constexpr char kValuesAndStatuses[] =
    "Words are values: what reads as JSON is that value (7, 1.5, true, null, \"text\", [1,2],\n"
    "{\"a\":1}, {\"$bytes\":\"<base64>\"}), anything else is text. Times have units: 500ms, 10s, 2m, 1h;\n"
    "sizes may have: 64K, 64M, 2G.\n"
    "The daemon is found by --address, else $POOLD_ADDRESS, else at its default socket.\n"
    "\n"
    "Exit status:\n"
    "   0  done as asked\n"
    "   1  the task (or an item of the map) FAILED; wait and get: of several ends the first in this list\n"
    "   2  it CRASHED: its worker died\n"
    "   3  it TIMED_OUT or EXPIRED\n"
    "   4  it was CANCELLED, or is LOST because the daemon was restarted\n"
    "   5  --wait-timeout passed first; nothing is lost, ask again\n"
    "   6  cancel: one of them runs (cancel --running stops it), or had ended\n"
    "  64  the command line, or an item, makes no sense\n"
    "  66  a file that was named cannot be read\n"
    "  69  the daemon cannot be reached, or went away and did not come back\n"
    "  70  the daemon refused the call\n"
    "  74  standard output cannot be written\n"
    " 130  interrupted (Ctrl-C): a submitted task goes on, what is left of a map is cancelled\n"
    "submit exec: the program's own exit status; 128 + N when signal N ended it.";

// CLI11 takes words in square brackets apart, at commas, and {} for nothing. A word that begins so travels behind this
// mark.
constexpr char kBracketMark = '\x1f';

std::vector<std::string> MarkBrackets(int argc, const char* const* argv) {
  std::vector<std::string> words;
  for (int i = argc - 1; i > 0; --i) {  // CLI11 wants them from the last to the first
    std::string word = argv[i];
    words.push_back(word.starts_with('[') || word.starts_with('{') ? kBracketMark + word : word);
  }
  return words;
}

// What an option wants, and nothing of what else is checked.
class Help : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string type = option->get_items_expected_max() == 0 ? "" : option->get_type_name();
    return type.empty() ? "" : " " + type.substr(0, type.find(':'));
  }
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    std::string name = option->get_name(is_positional, !is_positional);
    const std::size_t mark = name.find("{false}");
    return mark == std::string::npos ? name : name.erase(mark, 7);
  }
};

void Unmark(std::string& word) {
  if (word.starts_with(kBracketMark)) word.erase(0, 1);
}
void Unmark(std::vector<std::string>& words) {
  for (std::string& word : words) Unmark(word);
}

void Unmark(Command& command) {
  if (auto* submit = std::get_if<SubmitOptions>(&command)) {
    Unmark(submit->args);
    if (submit->raw) Unmark(*submit->raw);
  }
  if (auto* map = std::get_if<MapOptions>(&command)) Unmark(map->words);
  if (auto* open = std::get_if<OpenOptions>(&command)) Unmark(open->initializer_args);
}

}  // namespace

const char Grammar::kElsewhere[] =
    "Options of every command (--address, --pool, --json, --wait-timeout, --daemon-timeout), values,\n"
    "times and exit statuses: poolctl --help";

Grammar::Grammar() : app_(kAbout, "poolctl") {
  app_.footer(kValuesAndStatuses);
  app_.require_subcommand(1);
  app_.fallthrough();
  app_.formatter(std::make_shared<Help>());
  app_.get_formatter()->column_width(34);
  app_.set_version_flag("--version", std::string("poolctl ") + POOLD_VERSION);
  AddGlobals();
  AddSubmit();
  AddMap();
  AddHandles();
  AddHistory();
  AddLooks();
  AddOpen();
  AddChanges();
}

void Grammar::AddGlobals() {
  GlobalOptions& global = line_.global;
  app_.add_option("--address", global.address, "Where the daemon listens: unix:/path or host:port")
      ->type_name("ADDRESS")
      ->take_last();
  app_.add_option("--pool", global.pool, "The pool (default)")->type_name("NAME")->take_last();
  app_.add_flag("--json", global.json, "Answer in JSON: one document, for items and events one a line");
  AddDuration(&app_, "--wait-timeout", global.wait_timeout, "Wait no longer than this; nothing is lost by it")
      ->take_last();
  AddDuration(&app_, "--daemon-timeout", global.daemon_timeout,
              "Wait this long for a daemon that went away (30s); if given, also for one that is still to come")
      ->take_last();
}

std::vector<std::string> Grammar::Commands() const {
  std::vector<std::string> names;
  for (const CLI::App* command : app_.get_subcommands(nullptr)) names.push_back(command->get_name());
  return names;
}

const CLI::App* Grammar::Find(const std::string& command) const {
  for (const CLI::App* app : app_.get_subcommands(nullptr)) {
    if (app->get_name() == command) return app;
  }
  return nullptr;
}

void Grammar::Complain(const CLI::ParseError& error) const {
  std::string command;
  for (const CLI::App* sub : app_.get_subcommands()) command = " " + sub->get_name();
  std::string complaint = error.what();
  if (command.empty()) {
    complaint = "say what to do: submit, map, get, pools, ...";
    for (const std::string& word : app_.remaining()) {
      const std::string nearest = wire::Nearest(word, Commands());
      complaint = "there is no command " + word;
      if (!nearest.empty()) complaint += ", did you mean " + nearest + "?";
      break;
    }
  }
  Warn(complaint + "; see: poolctl" + command + " --help");
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
  Unmark(line_.command);
  return line_;
}

std::variant<CommandLine, ExitStatus> ParseCommandLine(int argc, const char* const* argv) {
  return Grammar().Parse(argc, argv);
}

}  // namespace poold::cli
