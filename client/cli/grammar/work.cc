// What is submitted: submit and map.
#include "cli/grammar/declare.h"
#include "cli/grammar/grammar.h"
#include "cli/grammar/option_flags.h"

namespace poold::cli {
namespace {

constexpr char kRawOutput[] = "Print a text or bytes as they are, not as JSON; and what is printed, on a terminal too";

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
  AddOptions(app, option::kTaskOptions, &o.task);
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
  AddOptions(app, option::kMapOptions, &o.map);
  AddCount(app, "--buffer", o.buffer, "Items read ahead of the results printed (100000)", 1);
  app->add_flag("--as-completed", o.as_completed, "In the order in which they end; prints INDEX, tab, result");
  app->add_flag("--no-wait", o.no_wait, "Print the handle and leave, when all items are sent");
  app->add_flag("--output,!--no-output", o.output, "Show what the items print, as they print it (on)");
  app->add_flag("-r,--raw-output", o.raw_output, kRawOutput);
  AddProgress(app, o.progress);
  AddOptions(app, option::kTaskOptions, &o.task);
  AddExecChoices(app, o.exec);
}

}  // namespace poold::cli
