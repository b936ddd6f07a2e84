#include "options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

namespace poold::bench {
namespace {

constexpr char kAbout[] =
    "Measures poold over its Unix socket and over TCP, and beside it, in turns: floors (a bare gRPC stream, bare\n"
    "processes) and those peers that are installed (Python's two pools, gearmand, beanstalkd, redis). Starts a poold "
    "of its\n"
    "own, unless an address is named; queue, start, clients, cost, shards and scale always do. Figures of shared\n"
    "machines mean little: compare the ratios of one run.\n"
    "\n"
    "Kinds:\n"
    "  map      one map of ints, by chunk size\n"
    "  submit   single tasks: all, then collected; 64 under way; one unary call for each\n"
    "  latency  one task at a time\n"
    "  payload  1 KiB to 64 MiB there and back\n"
    "  cpu      tasks that compute for 10, 100, 1000 us, beside bare processes that do the same\n"
    "  skew     one long task among short ones; uneven lengths, by chunk size\n"
    "  chunks   the automatic chunk size beside fixed ones and Python's\n"
    "  fresh    a process for each task, cloned from 200 MB of prepared state, beside bare forks\n"
    "  queue    memory and time of each task that waits, by the length of the queue\n"
    "  start    clones, pools, the daemon: how long until they work; memory of clones\n"
    "  clients  many connections, idle ones, many handles\n"
    "  cost     CPU time, wakes and system calls of small tasks; CPU time of doing nothing\n"
    "  shards   pools in one, two, four shards: rate, and CPU time of the busiest thread\n"
    "  scale    a task beside many workers, idle pools, idle clients: CPU time, latency, rate\n"
    "  all      all of them";

const std::vector<std::string> kKinds = {"map",   "submit", "latency", "payload", "cpu",  "skew",   "chunks",
                                         "fresh", "queue",  "start",   "clients", "cost", "shards", "scale"};

}  // namespace

std::variant<BenchOptions, int> ParseOptions(int argc, const char* const* argv) {
  BenchOptions o;
  CLI::App app(kAbout, "poold-bench");
  app.get_formatter()->column_width(30);
  std::vector<std::string> allowed = kKinds;
  allowed.push_back("all");
  bool spawn = false;
  app.add_option("KIND", o.kinds, "Default: map, submit and latency")->option_text(" ")->check(CLI::IsMember(allowed));
  app.add_option("--address", o.address, "Of the daemon, in place of one of its own")->envname("POOLD_ADDRESS");
  app.add_flag("--spawn", spawn, "Start the poold beside this program whatever $POOLD_ADDRESS says");
  app.add_option("--only", o.only, "A subject to measure: poold-unix, stream-echo, python-pool, ...; repeatable")
      ->allow_extra_args(false);
  app.add_flag("--json", o.json, "A line of JSON for each figure");
  app.add_option("--workers", o.workers, "Workers of each pool")->capture_default_str()->check(CLI::Range(1, 1000));
  app.add_option("--rounds", o.rounds, "Measurements of each figure")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--scale", o.scale, "Multiplies all counts and lengths: 0.01 for a quick look")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--queue-max", o.queue_max, "queue: the longest one")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 64;
  }
  if (spawn) o.address.clear();
  if (o.kinds.empty()) o.kinds = {"map", "submit", "latency"};
  if (std::find(o.kinds.begin(), o.kinds.end(), "all") != o.kinds.end()) o.kinds = kKinds;
  return o;
}

}  // namespace poold::bench
