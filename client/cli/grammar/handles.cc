// What was submitted: get, wait, watch, cancel, release; tasks, explain, replay.
#include "cli/grammar/declare.h"
#include "cli/grammar/grammar.h"

namespace poold::cli {

void Grammar::AddHandles() {
  CLI::App* get = Add("get", "The outcome of a task, or the progress of a map; waits for it", get_);
  get->add_option("ID", get_.ids, "The handle; of several: prints ID, tab, result, or how it ended")
      ->required()
      ->type_name("");
  get->add_flag("--items", get_.items, "The results of a map's items");
  get->add_flag("--as-completed", get_.as_completed, "With --items: in the order in which they end");
  get->add_flag("-r,--raw-output", get_.raw_output, "Print a text or bytes as they are, not as JSON");

  CLI::App* wait = Add("wait", "Wait until tasks or maps have ended: prints ID, tab, how it ended or waiting", wait_);
  wait->add_option("ID", wait_.ids, "Handles")->required()->type_name("");
  CLI::Option* first =
      wait->add_flag("--first,--first-completed", wait_.first_completed, "Until one of them has ended");
  wait->add_flag("--first-exception", wait_.first_exception, "Until one did not succeed, or all ended")
      ->excludes(first);
  AddDuration(wait, "--timeout", line_.global.wait_timeout, "As --wait-timeout");

  CLI::App* watch = Add("watch", "Tell what happens to tasks or a pool, a line each, until they have ended", watch_);
  watch->add_option("ID", watch_.ids, "Handles; none: the pool of --pool, until it is gone or Ctrl-C")->type_name("");
  watch->add_flag("--output,!--no-output", watch_.output, "With what they print (on)");

  CLI::App* cancel = Add("cancel", "Cancel what waits: prints ID, tab, cancelled, runs or had ended", cancel_);
  cancel->add_option("ID", cancel_.ids, "Handles")->required()->type_name("");
  cancel->add_flag("--running", cancel_.running, "Also stop what runs: SIGTERM, the pool's stop grace, SIGKILL");

  CLI::App* release = Add("release", "Drop outcomes that nobody needs any more", release_);
  release->add_option("ID", release_.ids, "Handles")->required()->type_name("");
}

void Grammar::AddHistory() {
  CLI::App* tasks = Add("tasks", "The tasks and maps that the daemon knows, oldest first", tasks_);
  tasks->add_option("POOL", tasks_.pool, "Of this pool (of all)")->type_name("");
  AddEach(tasks, "--state", tasks_.states, "In this state; may be repeated")
      ->type_name("STATE")
      ->check(
          CLI::IsMember({"queued", "running", "succeeded", "failed", "crashed", "timed_out", "expired", "cancelled"},
                        CLI::ignore_case));
  tasks->add_option("--function", tasks_.function, "Of this function")->type_name("NAME");
  tasks->add_option("--client", tasks_.client, "Submitted by this client, as the table names it")->type_name("NAME");
  AddCount(tasks, "--limit", tasks_.limit, "At most so many; 0: all (100)");

  Add("explain", "Why a task waits, where it ran, how each attempt ended", explain_)
      ->add_option("ID", explain_.id, "The handle")
      ->required()
      ->type_name("");

  CLI::App* replay = Add("replay", "Run that very task again, here, outside of any pool", replay_);
  replay->add_option("ID", replay_.id, "The handle")->required()->type_name("");
  AddCount(replay, "--item", replay_.item, "Of a map: this item, from 0 (0)");
  AddEach(replay, "--module-dir", replay_.module_folders,
          "Where the pool's modules lie here; may be repeated (those installed beside poolctl)")
      ->type_name("PATH");
  replay->add_option("--program", replay_.program, "The worker program (the one installed beside poolctl)")
      ->type_name("PATH");
  replay->add_flag("--debugger", replay_.debugger, "Under gdb");
}

}  // namespace poold::cli
