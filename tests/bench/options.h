#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

// What poold-bench is asked for. Plain values.
namespace poold::bench {

struct BenchOptions {
  // In the order in which they are measured.
  std::vector<std::string> kinds;
  // Subjects; empty: all that are there.
  std::vector<std::string> only;

  // Empty: a poold of our own.
  std::string address;
  bool json = false;

  std::uint32_t workers = 2;
  std::uint32_t rounds = 5;
  // All counts and lengths are multiplied by it.
  double scale = 1;
  // queue: the longest queue, in tasks and items.
  std::uint64_t queue_max = 1'000'000;
};

// The options, or the exit status: what there was to say is printed.
std::variant<BenchOptions, int> ParseOptions(int argc, const char* const* argv);

}  // namespace poold::bench
