#include "drivers/bare_forks.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace poold::bench {

absl::Status BareForks::OpenPool(std::uint64_t state_bytes) {
  if (pool_.is_open()) return absl::OkStatus();
  return pool_.Open({.name = absl::StrCat("bench-bare-forks-", getpid()),
                     .workers = workers_,
                     .modules = {"testing"},
                     .preload = {"preload_memory"},
                     .environment = {{"TESTING_PRELOAD_MB", absl::StrCat(state_bytes >> 20)}}});
}

Samples BareForks::Measure(const Job& job) {
  if (absl::Status status = OpenPool(job.bytes); !status.ok()) return status;
  auto client = pool_.Connect();
  if (!client.ok()) return client.status();
  auto pool = client->GetPool(pool_.name());
  if (!pool.ok()) return pool.status();
  const std::uint64_t forks = std::max<std::uint64_t>(1, job.count / workers_ / 5);
  std::vector<client::TaskHandle<double>> handles;
  for (std::uint32_t i = 0; i < workers_; ++i) handles.push_back(pool->Submit<double>("bare_forks", forks));
  double rate = 0;
  for (const auto& handle : handles) {
    const auto micros = handle.Get();
    if (!micros.ok()) return micros.status();
    rate += 1e6 / *micros;
  }
  return std::vector<Sample>{{"tasks_per_s", rate}};
}

}  // namespace poold::bench
