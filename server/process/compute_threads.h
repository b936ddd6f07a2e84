// How many threads numeric libraries (BLAS, OpenMP) start in a worker where nobody says: each would take all CPUs, in
// each worker.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace poold::process {

// Adds to a pool's environment the variables that those libraries read, so that all workers together have as many
// threads as there are CPUs, and each worker at least one. What the environment says already stays; where it sets
// OMP_NUM_THREADS nothing is added, since the others fall back on that.
void DivideComputeThreads(std::uint32_t cpus, std::uint32_t workers, std::map<std::string, std::string>* environment);

}  // namespace poold::process
