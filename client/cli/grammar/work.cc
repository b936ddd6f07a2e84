// What is submitted: submit and map.
#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cli/grammar/declare.h"
#include "cli/grammar/grammar.h"
#include "contract/option.h"

namespace poold::cli {
namespace {

constexpr char kRawOutput[] = "Print a text or bytes as they are, not as JSON; and what is printed, on a terminal too";

void AddPriority(CLI::App* app, int& priority) {
  auto parse = [&priority](const std::string& text) {
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, priority);
    if (error == std::errc() && rest == end && priority >= -100 && priority <= 100) return;
    throw CLI::ValidationError("--priority", "wants a whole number from -100 to 100; given: " + text);
  };
  app->add_option_function<std::string>("--priority", parse, "Higher runs first, -100 to 100 (0)")->type_name("N");
}

// Without the flag the trace is that of our own environment, if that makes sense.
void AddTraceparent(CLI::App* app, std::string& traceparent) {
  constexpr const option::Option* row = option::RowOf(option::kTaskOptions, "traceparent");
  const char* const ours = std::getenv(std::string(row->variable).c_str());
  if (ours != nullptr && row->check(ours).empty()) traceparent = ours;
  auto parse = [&traceparent](const std::string& text) {
    const std::string_view wrong = row->check(text);
    if (!wrong.empty()) throw CLI::ValidationError("--traceparent", text + " " + std::string(wrong));
    traceparent = text;
  };
  app->add_option_function<std::string>(std::string(row->flag), parse,
                                        std::string(row->help) + " ($" + std::string(row->variable) + ")")
      ->type_name(std::string(row->placeholder));
}

void AddTaskChoices(CLI::App* app, TaskChoices& task, const std::string& what) {
  AddDuration(app, "--run-timeout", task.run_timeout, "Longest run of " + what + "; then its processes are killed");
  AddDuration(app, "--queue-timeout", task.queue_timeout, "Longest wait for a worker");
  AddDuration(app, "--total-timeout", task.total_timeout, "Longest time from submission to the end");
  AddDuration(app, "--start-delay", task.start_delay, "Do not start before this has passed");
  AddCount(app, "--attempts,--max-attempts", task.max_attempts, "Try again, up to this many tries (1)", 1);
  AddEach(app, "--retry-on", task.retry_on, "What is tried again: failed, crashed (alone by default), timed_out")
      ->type_name("STATE")
      ->check(CLI::IsMember({"failed", "crashed", "timed_out"}, CLI::ignore_case));
  AddDuration(app, "--retry-delay", task.retry_delay, "Pause before the second try; it doubles each time (100ms)");
  AddDuration(app, "--max-retry-delay", task.max_retry_delay, "The longest pause (30s)");
  AddPriority(app, task.priority);
  app->add_flag("--fresh", task.fresh, "In a worker that has run nothing before and ends with it");
  AddTraceparent(app, task.traceparent);
}

void AddExecChoices(CLI::App* app, ExecChoices& exec) {
  app->add_option("--stdin", exec.stdin_file, "With exec: the program's standard input (- is ours)")->type_name("FILE");
  AddPairs(app, "--env", exec.environment, "With exec: for the program's environment; may be repeated");
  app->add_option("--directory", exec.directory, "With exec: where the program starts")->type_name("PATH");
}

void AddProgress(CLI::App* app, ShowProgress& progress) {
  app->add_flag_callback(
      "--progress", [&progress] { progress = ShowProgress::kAlways; },
      "Progress on stderr: a bar on a terminal (there by itself), else a line now and then");
  app->add_flag_callback(
         "--no-progress", [&progress] { progress = ShowProgress::kNever; }, "No progress on stderr")
      ->excludes("--progress");
}

}  // namespace

void Grammar::AddSubmit() {
  SubmitOptions& o = submit_;
  CLI::App* app = Add("submit", "Run a function once: prints its result", o);
  app->add_option("FUNCTION", o.function, "Its name; see: poolctl functions")->required()->type_name("");
  app->add_option("ARG", o.args,
                  "Its arguments: JSON, else text. Before ones that begin with - write --. With exec: the program and "
                  "its arguments")
      ->type_name("");
  CLI::Option* raw = app->add_option("--raw", o.raw, "One argument of raw bytes: this text")->type_name("TEXT");
  CLI::Option* file = app->add_option("--raw-file", o.raw_file, "One argument of raw bytes: this file (- is stdin)");
  app->add_flag("--strings", o.strings, "Each argument is text, also where it reads as JSON")
      ->excludes(raw)
      ->excludes(file);
  raw->excludes(file);
  file->type_name("FILE");
  app->add_flag("--no-wait", o.no_wait, "Print the handle and leave");
  app->add_option("--id", o.id, "The handle, 32 hex digits of your choice: submitting again is then safe")
      ->type_name("ID");
  app->add_flag("--keep", o.keep, "Keep the outcome after it was printed, for: poolctl get");
  app->add_flag("--output,!--no-output", o.output, "Show what the task prints, as it prints it (on)");
  app->add_flag("-r,--raw-output", o.raw_output, kRawOutput);
  app->add_flag("--cancel-on-interrupt", o.cancel_on_interrupt, "Ctrl-C stops the task too");
  AddProgress(app, o.progress);
  AddTaskChoices(app, o.task, "an attempt");
  AddExecChoices(app, o.exec);
}

void Grammar::AddMap() {
  MapOptions& o = map_;
  CLI::App* app = Add("map", "Run a function over many items: prints a result a line", o);
  app->add_option("FUNCTION", o.function, "Its name; see: poolctl functions")->required()->type_name("");
  app->add_option("ITEM", o.words,
                  "The items; after ::: the second argument of each. None: from --file, else standard input, one a "
                  "line. With exec: the program and its arguments; {} is the item, else it comes last")
      ->type_name("");
  app->add_option("--file", o.file, "Items from this file, one a line (- is stdin)")->type_name("FILE");
  app->add_flag("--null", o.null_separated, "Items end with a NUL, not with the line: find -print0");
  CLI::Option* json = app->add_flag("--json-lines", o.shape.json, "Each item is JSON, and nothing else will do");
  CLI::Option* strings = app->add_flag("--strings", o.shape.strings, "Each item is text, also where it reads as JSON");
  CLI::Option* star =
      app->add_flag("--star,--arrays", o.shape.star, "Each item is an array: the arguments, not one argument");
  app->add_option("--delimiter", o.shape.delimiter, "Each item is several arguments with this between them")
      ->type_name("TEXT")
      ->excludes(star);
  strings->excludes(star)->excludes(json);
  AddCount(app, "--chunk-size", o.chunk_size, "Items sent to a worker together (automatic)", 1);
  AddCount(app, "--buffer", o.buffer, "Items read ahead of the results printed (100000)", 1);
  app->add_flag("--as-completed", o.as_completed, "In the order in which they end; prints INDEX, tab, result");
  app->add_flag("--fail-fast", o.fail_fast, "The first item that does not succeed cancels the rest");
  app->add_flag("--no-wait", o.no_wait, "Print the handle and leave, when all items are sent");
  app->add_flag("--output,!--no-output", o.output, "Show what the items print, as they print it (on)");
  app->add_flag("-r,--raw-output", o.raw_output, kRawOutput);
  AddProgress(app, o.progress);
  AddTaskChoices(app, o.task, "one item");
  AddExecChoices(app, o.exec);
}

}  // namespace poold::cli
