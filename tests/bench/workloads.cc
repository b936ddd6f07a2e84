#include "workloads.h"

#include <algorithm>
#include <random>

namespace poold::bench {
namespace {

std::vector<uint32_t> Mixed() {
  std::mt19937 random(17);  // the same in every run
  std::vector<uint32_t> micros;
  for (int i = 0; i < 9000; ++i) {
    const uint32_t kind = random() % 100;
    micros.push_back(kind < 90 ? 20 : kind < 99 ? 500 : 5000);
  }
  return micros;
}

// The long ones come last, all in what a fixed size makes the last chunks.
std::vector<uint32_t> Skewed() {
  std::vector<uint32_t> micros(20'000, 10);
  micros.insert(micros.end(), 400, 2000);
  return micros;
}

}  // namespace

std::vector<Workload> ChunkWorkloads() {
  return {{"even 1 us", std::vector<uint32_t>(400'000, 1)},
          {"even 100 us", std::vector<uint32_t>(10'000, 100)},
          {"skewed", Skewed()},
          {"mixed", Mixed()}};
}

std::vector<Workload> UnevenWorkloads() {
  std::mt19937 random(23);  // the same in every run
  std::vector<uint32_t> lengths;
  for (int i = 0; i < 8000; ++i) {
    // Many short ones, few long ones: each ten times as long is a tenth as frequent.
    const uint32_t kind = random() % 1000;
    lengths.push_back(kind < 900 ? 20 : kind < 990 ? 200 : 2000);
  }
  std::vector<uint32_t> sorted = lengths;
  std::sort(sorted.begin(), sorted.end());
  // Thousands of short ones let the chunks grow; what comes then is a thousand times as long.
  std::vector<uint32_t> adversarial(8000, 10);
  adversarial.insert(adversarial.end(), 30, 10'000);
  adversarial.insert(adversarial.end(), 2000, 10);
  return {{"random", lengths}, {"sorted", sorted}, {"adversarial", adversarial}};
}

uint32_t FormulaChunk(uint64_t items, uint32_t workers) {
  const uint64_t parts = uint64_t{4} * workers;
  return static_cast<uint32_t>((items + parts - 1) / parts);
}

}  // namespace poold::bench
