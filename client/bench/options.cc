#include "bench/options.h"

#include <CLI/CLI.hpp>

namespace poold::bench {
namespace {

constexpr char kAbout[] =
    "Measures a running poold with no-op tasks on a pool of its own: how many tasks (submit) and items (map) it runs "
    "in\n"
    "a second, and how long one round trip takes (latency). These three when none is named. Also: how well maps are\n"
    "cut (chunks: the automatic size beside fixed ones), and tasks in a process of their own each, cloned from a\n"
    "zygote with 200 MB of prepared state (fresh; beside as many bare forks of the same memory). Figures of shared\n"
    "machines mean little: compare the ratios of one run.";

}  // namespace

std::variant<BenchOptions, int> ParseOptions(int argc, const char* const* argv) {
  BenchOptions o;
  CLI::App app(kAbout, "poold-bench");
  app.get_formatter()->column_width(30);
  std::vector<std::string> kinds;
  app.add_option("KIND", kinds, "submit, map, latency, chunks, fresh")
      ->option_text(" ")
      ->check(CLI::IsMember({"submit", "map", "latency", "chunks", "fresh"}));
  app.add_option("--address", o.address, "Of the daemon; else $POOLD_ADDRESS, else its default socket");
  app.add_flag("--spawn", o.spawn, "Start the poold beside this program for the run, on a private socket")
      ->excludes("--address");
  app.add_flag("--compare", o.compare, "In turns with Python's multiprocessing.Pool and ProcessPoolExecutor");
  app.add_flag("--json", o.json, "Answer in JSON, one document");
  app.add_option("--workers", o.workers, "Workers of the pool")->capture_default_str();
  app.add_option("--rounds", o.rounds, "Measurements of each kind")->capture_default_str()->check(CLI::Range(1, 1000));
  app.add_option("--tasks", o.tasks, "submit: tasks of a round")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--outstanding", o.outstanding, "submit: tasks under way at a time")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--items", o.items, "map: items of a round")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--chunk-size", o.chunk_size, "map: items of a chunk; 0: automatic")->capture_default_str();
  app.add_option("--trips", o.trips, "latency: round trips of a round")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--fresh-tasks", o.fresh_tasks, "fresh: tasks of a round")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 64;
  }
  const auto named = [&kinds](const char* kind) { return std::find(kinds.begin(), kinds.end(), kind) != kinds.end(); };
  o.submit = kinds.empty() || named("submit");
  o.map = kinds.empty() || named("map");
  o.latency = kinds.empty() || named("latency");
  o.chunks = named("chunks");
  o.fresh = named("fresh");
  return o;
}

}  // namespace poold::bench
