#include "process/compute_threads.h"

#include <algorithm>

namespace poold::process {
namespace {

constexpr char kOfAll[] = "OMP_NUM_THREADS";
constexpr const char* kOfOne[] = {"OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS"};

}  // namespace

void DivideComputeThreads(std::uint32_t cpus, std::uint32_t workers, std::map<std::string, std::string>* environment) {
  const std::string threads = std::to_string(std::max(1u, cpus / std::max(1u, workers)));
  if (!environment->emplace(kOfAll, threads).second) return;
  for (const char* const name : kOfOne) environment->emplace(name, threads);
}

}  // namespace poold::process
