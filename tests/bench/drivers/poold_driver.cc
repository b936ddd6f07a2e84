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
  return pool_.Open({.name = PoolName(subject_, "fork"), .workers = workers_, .modules = {"testing", "examples"}});
}

void PooldDriver::Stop() {
  fresh_.Terminate();
  pool_.Terminate();
}

Samples PooldDriver::Measure(const Job& job) {
  auto client = pool_.Connect();
  if (!client.ok()) return client.status();
  if (job.shape == Shape::kFresh) return MeasureFresh(*client, job);
  auto pool = client->GetPool(pool_.name());
  if (!pool.ok()) return pool.status();
  switch (job.shape) {
    case Shape::kMap:
      return RunMap(*pool, job);
    case Shape::kBurst:
      return RunBurst(*pool, job);
    case Shape::kWindow:
      return RunWindow(*pool, job);
    case Shape::kTrips:
      return RunTrips(*pool, job);
    case Shape::kEcho:
      return RunEcho(*pool, job);
    case Shape::kWorkMap:
      return RunWorkMap(*pool, job);
    case Shape::kWorkTasks:
      return RunWorkTasks(*pool, job);
    case Shape::kLongFirst:
      return RunLongFirst(*pool, job);
    case Shape::kSpinMap:
      return RunSpinMap(*pool, job);
    default:
      return absl::UnimplementedError(job.name);
  }
}

Samples PooldDriver::MeasureFresh(const client::Client& client, const Job& job) {
  if (!fresh_.is_open()) {
    absl::Status opened = fresh_.Open({.name = PoolName(subject_, "fresh"),
                                       .workers = workers_,
                                       .modules = {"testing"},
                                       .start_method = client::StartMethod::kFresh,
                                       .preload = {"preload_memory"},
                                       .environment = {{"TESTING_PRELOAD_MB", absl::StrCat(job.bytes >> 20)}}});
    if (!opened.ok()) return opened;
  }
  auto pool = client.GetPool(fresh_.name());
  if (!pool.ok()) return pool.status();
  return RunWindow(*pool, job);
}

}  // namespace poold::bench
