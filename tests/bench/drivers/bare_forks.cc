#include "drivers/bare_forks.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace poold::bench {

absl::Status BareForks::Start() {
  auto client = client::Client::Connect({.address = address_, .client_name = "poold-bench"});
  if (!client.ok()) return client.status();
  client_.emplace(*std::move(client));
  return absl::OkStatus();
}

absl::Status BareForks::OpenPool(std::uint64_t state_bytes) {
  if (pool_) return absl::OkStatus();
  auto pool =
      client::PoolScope::Open(*client_, {.name = absl::StrCat("bench-bare-forks-", getpid()),
                                         .workers = workers_,
                                         .modules = {"testing"},
                                         .preload = {"preload_memory"},
                                         .environment = {{"TESTING_PRELOAD_MB", absl::StrCat(state_bytes >> 20)}}});
  if (!pool.ok()) return pool.status();
  pool_.emplace(*std::move(pool));
  return absl::OkStatus();
}

Samples BareForks::Measure(const Job& job) {
  if (absl::Status status = OpenPool(job.bytes); !status.ok()) return status;
  const std::uint64_t forks = std::max<std::uint64_t>(1, job.count / workers_ / 5);
  std::vector<client::TaskHandle<double>> handles;
  for (std::uint32_t i = 0; i < workers_; ++i) handles.push_back((*pool_)->Submit<double>("bare_forks", forks));
  double rate = 0;
  for (const auto& handle : handles) {
    const auto micros = handle.Get();
    if (!micros.ok()) return micros.status();
    rate += 1e6 / *micros;
  }
  return std::vector<Sample>{{"tasks_per_s", rate}};
}

void BareForks::Stop() {
  pool_.reset();
  client_.reset();
}

}  // namespace poold::bench
