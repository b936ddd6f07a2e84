#pragma once

#include <cstdint>
#include <string>
#include <vector>

// What the items of a map cost, for measuring how well they are cut into chunks.
namespace poold::bench {

struct Workload {
  std::string name;
  // How long each item keeps a CPU busy, in the order of the items.
  std::vector<uint32_t> micros;
};

// Even ones, where large chunks win; uneven ones, where small chunks win; each about a second of work.
std::vector<Workload> ChunkWorkloads();

// About as long, so that a wrong cut leaves one worker with much to do at the end.
std::vector<Workload> UnevenWorkloads();

// What multiprocessing.Pool takes when it is not told: ceil(items / (4 * workers)).
uint32_t FormulaChunk(uint64_t items, uint32_t workers);

}  // namespace poold::bench
