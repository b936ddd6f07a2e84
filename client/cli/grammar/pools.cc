// Pools and the daemon: what there is, and what may be done to it.
#include <map>

#include "cli/grammar/declare.h"
#include "cli/grammar/grammar.h"
#include "cli/grammar/option_flags.h"
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
  app->add_option_function<std::string>(
         "NAME", [&o](const std::string& name) { o.spec.set_name(name); },
         AboutOption(*option::RowOf(option::kPoolOptions, "name")))
      ->required()
      ->type_name("");
  AddOptions(app, option::kPoolOptions, &o.spec);
  app->add_flag_callback(
      "--strict", [&o] { o.spec.set_death_policy(v1::DEATH_POLICY_STRICT); }, "As --death-policy strict");
  AddEach(app, "--initializer-arg", o.initializer_args,
          AboutOption(*option::RowOf(option::kPoolOptions, "initializer_args")) + ", as with submit; may be repeated")
      ->type_name("ARG");
  AddLimits(app);
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

void Grammar::AddLimits(CLI::App* app) {
  auto limit = [this](const std::vector<std::string>& texts) {
    std::map<v1::ResourceKind, uint64_t> values;
    for (const std::string& text : texts) {
      auto parsed = ResourceLimitFromText(text);
      if (!parsed.ok()) throw CLI::ValidationError("--limit", std::string(parsed.status().message()));
      values[ResourceKindOf(parsed->kind)] = parsed->value;
    }
    for (const auto& [kind, value] : values) {
      v1::ResourceLimit& one = *open_.spec.add_resource_limits();
      one.set_kind(kind);
      one.set_value(value);
    }
  };
  const std::string about = AboutOption(*option::RowOf(option::kPoolOptions, "resource_limits"));
  app->add_option_function<std::vector<std::string>>("--limit", limit,
                                                     about + ": " + ResourceKindList() + "; may be repeated")
      ->type_size(1)
      ->allow_extra_args(false)
      ->expected(1, CLI::detail::expected_max_vector_size)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("KIND=VALUE");
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
