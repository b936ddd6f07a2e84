// How many threads numeric libraries may start in a worker.
#include <gtest/gtest.h>

#include "process/spawn.h"

namespace poold::process {
namespace {

using Environment = std::map<std::string, std::string>;

Environment Divided(std::uint32_t cpus, std::uint32_t workers, Environment environment = {}) {
  DivideComputeThreads(cpus, workers, &environment);
  return environment;
}

TEST(ComputeThreadsTest, WorkersShareTheCpus) {
  EXPECT_EQ(Divided(16, 4)["OMP_NUM_THREADS"], "4");
  EXPECT_EQ(Divided(16, 5)["OPENBLAS_NUM_THREADS"], "3");
  EXPECT_EQ(Divided(16, 16)["MKL_NUM_THREADS"], "1");
  EXPECT_EQ(Divided(2, 64)["NUMEXPR_NUM_THREADS"], "1") << "none would be an error of the library";
  EXPECT_EQ(Divided(16, 1)["BLIS_NUM_THREADS"], "16");
}

TEST(ComputeThreadsTest, WhatThePoolSaysStays) {
  EXPECT_EQ(Divided(16, 4, {{"OMP_NUM_THREADS", "8"}}), (Environment{{"OMP_NUM_THREADS", "8"}}))
      << "the others would be asked before it";
  Environment environment = Divided(16, 4, {{"MKL_NUM_THREADS", "2"}});
  EXPECT_EQ(environment["MKL_NUM_THREADS"], "2");
  EXPECT_EQ(environment["OMP_NUM_THREADS"], "4");
}

}  // namespace
}  // namespace poold::process
