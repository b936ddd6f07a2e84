#include "compare.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "jobs.h"

namespace poold::bench {
namespace {

// How much of a job is done before its rounds: connections, caches, what is learned of a function's length.
constexpr std::uint64_t kWarmShare = 10;

bool IsAmong(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

absl::Status Named(const absl::Status& status, const Driver& driver, const Job& job) {
  return absl::Status(status.code(),
                      absl::StrCat(job.bench, " (", job.name, ") by ", driver.subject(), ": ", status.message()));
}

// Started drivers. Stops them when it goes.
class Started {
 public:
  ~Started() {
    for (Driver* driver : drivers_) driver->Stop();
  }
  absl::Status Start(Driver* driver) {
    if (absl::Status status = driver->Start(); !status.ok()) {
      return absl::Status(status.code(), absl::StrCat(driver->subject(), ": ", status.message()));
    }
    drivers_.push_back(driver);
    return absl::OkStatus();
  }
  const std::vector<Driver*>& drivers() const { return drivers_; }

 private:
  std::vector<Driver*> drivers_;
};

Job Fit(Job job, const Driver& driver) {
  if (driver.slow() && job.slow_count > 0) job.count = job.slow_count;
  return job;
}

// A small part of it.
Job Warm(Job job) {
  job.count = std::max<std::uint64_t>(1, job.count / kWarmShare);
  // A long one and one more, if that is what it is about.
  if (!job.sizes.empty()) job.sizes.resize(std::max<std::size_t>(2, job.sizes.size() / kWarmShare));
  return job;
}

absl::Status InTurns(std::uint32_t rounds, const Job& job, const std::vector<Driver*>& drivers, Figures& figures) {
  for (std::uint32_t round = 0; round <= rounds; ++round) {
    for (Driver* driver : drivers) {
      const Job fit = Fit(job, *driver);
      const auto samples = driver->Measure(round == 0 ? Warm(fit) : fit);
      if (!samples.ok()) return Named(samples.status(), *driver, job);
      if (round == 0) continue;
      for (const Sample& sample : *samples) figures.Add(job.bench, driver->subject(), job.name, sample);
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool Wanted(const BenchOptions& options, const std::string& subject) { return IsAmong(options.only, subject); }

absl::Status Compare(const BenchOptions& options, const std::string& kind, const Drivers& drivers, Figures& figures) {
  const std::vector<Job> jobs = JobsOf(kind, options.scale, options.workers);
  const auto does = [](const Driver& driver, const Job& job) {
    return IsAmong(job.only, driver.subject()) && driver.Does(job);
  };
  Started started;
  for (const auto& driver : drivers) {
    const bool any = std::any_of(jobs.begin(), jobs.end(), [&](const Job& job) { return does(*driver, job); });
    if (!any || !Wanted(options, driver->subject())) continue;
    if (absl::Status status = started.Start(driver.get()); !status.ok()) return status;
  }
  for (const Job& job : jobs) {
    std::vector<Driver*> able;
    for (Driver* driver : started.drivers()) {
      if (does(*driver, job)) able.push_back(driver);
    }
    if (absl::Status status = InTurns(options.rounds, job, able, figures); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace poold::bench
