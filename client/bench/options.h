#pragma once

#include <cstdint>
#include <string>
#include <variant>

// What poold-bench is asked for. Plain values.
namespace poold::bench {

struct BenchOptions {
  bool submit = false;
  bool map = false;
  bool latency = false;
  bool chunks = false;
  bool fresh = false;

  std::string address;
  bool spawn = false;
  bool compare = false;
  bool json = false;

  uint32_t workers = 2;
  uint32_t rounds = 5;
  // Single tasks in a round, and how many of them are under way at a time.
  uint64_t tasks = 500'000;
  uint64_t outstanding = 4096;
  // Items in a round; 0: the daemon chooses the chunks.
  uint64_t items = 1'000'000;
  uint32_t chunk_size = 0;
  // Round trips in a round.
  uint64_t trips = 3000;
  // Tasks in a round, each in a process of its own.
  uint64_t fresh_tasks = 3000;
  std::string module = "testing";
  std::string function = "noop";
};

// The options, or the exit status: what there was to say is printed.
std::variant<BenchOptions, int> ParseOptions(int argc, const char* const* argv);

}  // namespace poold::bench
