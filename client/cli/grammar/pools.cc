// Pools and the daemon: what there is, and what may be done to it.
#include "cli/grammar/declare.h"
#include "cli/grammar/grammar.h"
#include "cli/grammar/resource_limits.h"

namespace poold::cli {

void Grammar::AddLooks() {
  Add("pools", "The pools and what they do", pools_);
  Add("workers", "The workers of a pool", workers_)
      ->add_option("POOL", workers_.pool, "Its name (that of --pool)")
      ->type_name("");
  Add("functions", "The functions that a pool can run, with their arguments, results and help", functions_)
      ->add_option("POOL", functions_.pool, "Its name (that of --pool)")
      ->type_name("");
  CLI::App* stats = Add("stats", "Counters of a pool, or of all", stats_);
  stats->add_option("POOL", stats_.pool, "Its name (all)")->type_name("");
  stats->add_flag("--server", stats_.server, "The daemon's own, its limits and its means to contain processes");
  CLI::App* top = Add("top", "What is going on, live: pools, rates, workers, slowest tasks; q leaves", top_);
  top->add_flag("--once", top_.once, "One snapshot, as text (so too where there is no terminal)");
  AddDuration(top, "--interval", top_.interval, "Time between two looks (1s)");
  Add("info", "What the daemon is, and its limits", info_);
}

void Grammar::AddOpen() {
  OpenOptions& o = open_;
  CLI::App* app = Add("open", "Open a pool, or find that it is open as asked", o);
  app->add_option("NAME", o.name, "1 to 64 letters, digits, '-', '_' or '.'")->required()->type_name("");
  AddCount(app, "--workers", o.workers, "Worker processes (one for each CPU)", 1);
  AddEach(app, "--module", o.modules, "A module to load, by name; may be repeated")->type_name("NAME");
  app->add_option("--program", o.program, "A worker program in place of modules, by name")->type_name("NAME");
  app->add_option("--start-method", o.start_method,
                  "How workers come to be: fork (default), spawn, or fresh (a process for every task)")
      ->type_name("METHOD")
      ->check(CLI::IsMember({"fork", "spawn", "fresh"}));
  AddCount(app, "--spares", o.spares, "With fresh: processes kept ready beside the workers (as many)");
  AddEach(app, "--preload", o.preload, "A function to call before workers are cloned; may be repeated")
      ->type_name("FUNCTION");
  app->add_option("--initializer", o.initializer, "A function to call in every new worker")->type_name("FUNCTION");
  AddEach(app, "--initializer-arg", o.initializer_args, "An argument of it, as with submit; may be repeated")
      ->type_name("ARG");
  AddPairs(app, "--env", o.environment, "For the workers' environment; may be repeated");
  app->add_option("--working-directory", o.working_directory, "Where the workers start (/)")->type_name("PATH");
  AddCount(app, "--nice", o.nice, "Added to the workers' nice value, 0 to 19", 0, 19);
  app->add_flag("--strict", o.strict, "The death of a worker breaks the pool: all that is unfinished ends CANCELLED");
  app->add_flag("--allow-exec", o.allow_exec, "With the built-in function exec, which runs any program");
  AddOpenLimits(app);
}

void Grammar::AddOpenLimits(CLI::App* app) {
  OpenOptions& o = open_;
  AddCount(app, "--max-tasks-per-worker", o.max_tasks_per_worker, "Replace a worker after this many", 1);
  AddSize(app, "--max-worker-rss", o.max_worker_rss_bytes, "Replace a worker when it has grown above this");
  AddDuration(app, "--max-worker-age", o.max_worker_age, "Replace a worker that is older than this");
  AddSize(app, "--memory-limit", o.memory_limit_bytes, "Kill a worker that grows above this; its task CRASHED");
  auto limit = [&o](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      auto parsed = ResourceLimitFromText(text);
      if (!parsed.ok()) throw CLI::ValidationError("--limit", std::string(parsed.status().message()));
      o.resource_limits[parsed->kind] = parsed->value;
    }
  };
  app->add_option_function<std::vector<std::string>>(
         "--limit", limit, "What the kernel limits for a worker: " + ResourceKindList() + "; may be repeated")
      ->type_size(1)
      ->allow_extra_args(false)
      ->expected(1, CLI::detail::expected_max_vector_size)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("KIND=VALUE");
  AddCount(app, "--max-queued-tasks", o.max_queued_tasks, "How many may wait", 1);
  AddSize(app, "--max-queued-bytes", o.max_queued_bytes, "How many bytes of arguments may wait");
  AddDuration(app, "--stop-grace", o.stop_grace, "Between SIGTERM and SIGKILL (2s)");
  AddDuration(app, "--start-timeout", o.start_timeout, "What loading and each worker's start may take (60s)");
  // A pool's owner is a client that stays.
  auto refuse = [](const std::string&) {
    throw CLI::ValidationError("--on-owner-lost",
                               "an owner is a client that stays, and poolctl leaves; open the pool with an SDK, or end "
                               "it with poolctl close or terminate");
  };
  app->add_option_function<std::string>("--on-owner-lost", refuse, "Only for clients that stay: not here")
      ->type_name("WHAT")
      ->group("");
}

void Grammar::AddChanges() {
  const char about[] = "Its name";
  CLI::App* resize = Add("resize", "Change the number of workers; what runs is not disturbed", resize_);
  resize->add_option("POOL", resize_.pool, about)->required()->type_name("");
  AddCount(resize, "WORKERS", resize_.workers, "How many there shall be", 1)->required()->type_name("");

  Add("reload", "Load the modules anew without a pause: prints the new generation", reload_)
      ->add_option("POOL", reload_.pool, about)
      ->required()
      ->type_name("");

  CLI::App* close = Add("close", "Take nothing new, finish what is queued, let the workers go", close_);
  close->add_option("POOL", close_.pool, about)->required()->type_name("");
  close->add_flag("--cancel-queued", close_.cancel_queued, "Cancel what has not begun");

  CLI::App* terminate = Add("terminate", "Kill the workers now; what is unfinished ends CANCELLED", terminate_);
  terminate->add_option("POOL", terminate_.pool, about)->required()->type_name("");
  AddDuration(terminate, "--grace", terminate_.grace, "SIGTERM first, and SIGKILL after this (at once)");
  terminate->add_flag("--forget", terminate_.forget,
                      "Then show the pool no more; also one that is over, or that failed");

  Add("join", "Wait until a closed or terminated pool has no process left", join_)
      ->add_option("POOL", join_.pool, about)
      ->required()
      ->type_name("");
}

}  // namespace poold::cli
