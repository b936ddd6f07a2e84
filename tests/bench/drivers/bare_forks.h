#pragma once

#include <string>

#include "driver.h"
#include "drivers/kept_pool.h"

namespace poold::bench {

// A floor: what any pool is up against that gives each task a process. Workers with the same prepared state fork, exit
// and wait, and nothing else.
class BareForks : public Driver {
 public:
  BareForks(std::string address, std::uint32_t workers)
      : address_(std::move(address)), workers_(workers), pool_(address_) {}

  std::string subject() const override { return "bare-forks"; }
  bool Does(const Job& job) const override { return job.shape == Shape::kFresh; }
  absl::Status Start() override { return absl::OkStatus(); }
  Samples Measure(const Job& job) override;
  void Stop() override { pool_.Terminate(); }

 private:
  // Once.
  absl::Status OpenPool(std::uint64_t state_bytes);

  const std::string address_;
  const std::uint32_t workers_;
  KeptPool pool_;
};

}  // namespace poold::bench
