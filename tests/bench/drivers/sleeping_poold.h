#pragma once

#include <memory>
#include <optional>
#include <string>

#include "drivers/poold_driver.h"
#include "private_daemon.h"

namespace poold::bench {

// One task at a time, with a daemon of its own whose threads sleep at once when there is nothing to do (--spin-us 0).
class SleepingPoold : public Driver {
 public:
  explicit SleepingPoold(std::uint32_t workers) : workers_(workers) {}

  std::string subject() const override { return kSubject; }
  bool Does(const Job& job) const override { return job.shape == Shape::kTrips; }
  absl::Status Start() override;
  Samples Measure(const Job& job) override { return driver_->Measure(job); }
  void Stop() override;

 private:
  static constexpr char kSubject[] = "poold-sleeps";

  const std::uint32_t workers_;
  std::unique_ptr<PrivateDaemon> daemon_;
  std::optional<PooldDriver> driver_;
};

}  // namespace poold::bench
