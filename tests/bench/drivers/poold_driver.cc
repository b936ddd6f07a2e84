#include "drivers/poold_driver.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "drivers/poold_rounds.h"

namespace poold::bench {
namespace {

std::string PoolName(const std::string& subject, const char* kind) {
  return absl::StrCat("bench-", kind, "-", subject, "-", getpid());
}

}  // namespace

bool PooldDriver::Does(const Job& job) const { return job.shape != Shape::kFresh || subject_ == "poold-unix"; }

absl::Status PooldDriver::Start() {
  auto client = client::Client::Connect({.address = address_, .client_name = "poold-bench"});
  if (!client.ok()) return client.status();
  auto pool = client::PoolScope::Open(
      *client, {.name = PoolName(subject_, "fork"), .workers = workers_, .modules = {"testing", "examples"}});
  if (!pool.ok()) return pool.status();
  client_.emplace(*std::move(client));
  pool_.emplace(*std::move(pool));
  return absl::OkStatus();
}

void PooldDriver::Stop() {
  fresh_.reset();
  pool_.reset();
  client_.reset();
}

Samples PooldDriver::Measure(const Job& job) {
  switch (job.shape) {
    case Shape::kMap:
      return RunMap(**pool_, job);
    case Shape::kBurst:
      return RunBurst(**pool_, job);
    case Shape::kWindow:
      return RunWindow(**pool_, job);
    case Shape::kTrips:
      return RunTrips(**pool_, job);
    case Shape::kEcho:
      return RunEcho(**pool_, job);
    case Shape::kWorkMap:
      return RunWorkMap(**pool_, job);
    case Shape::kWorkTasks:
      return RunWorkTasks(**pool_, job);
    case Shape::kLongFirst:
      return RunLongFirst(**pool_, job);
    case Shape::kSpinMap:
      return RunSpinMap(**pool_, job);
    case Shape::kFresh:
      return MeasureFresh(job);
  }
  return absl::UnimplementedError(job.name);
}

Samples PooldDriver::MeasureFresh(const Job& job) {
  if (!fresh_) {
    auto pool =
        client::PoolScope::Open(*client_, {.name = PoolName(subject_, "fresh"),
                                           .workers = workers_,
                                           .modules = {"testing"},
                                           .start_method = client::StartMethod::kFresh,
                                           .preload = {"preload_memory"},
                                           .environment = {{"TESTING_PRELOAD_MB", absl::StrCat(job.bytes >> 20)}}});
    if (!pool.ok()) return pool.status();
    fresh_.emplace(*std::move(pool));
  }
  return RunWindow(**fresh_, job);
}

}  // namespace poold::bench
