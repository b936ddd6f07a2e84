#pragma once

#include <optional>
#include <string>

#include "driver.h"
#include "poold/client.h"

namespace poold::bench {

// A floor: what any pool is up against that gives each task a process. Workers with the same prepared state fork, exit
// and wait, and nothing else.
class BareForks : public Driver {
 public:
  BareForks(std::string address, std::uint32_t workers) : address_(std::move(address)), workers_(workers) {}

  std::string subject() const override { return "bare-forks"; }
  bool Does(const Job& job) const override { return job.shape == Shape::kFresh; }
  absl::Status Start() override;
  Samples Measure(const Job& job) override;
  void Stop() override;

 private:
  // Once.
  absl::Status OpenPool(std::uint64_t state_bytes);

  const std::string address_;
  const std::uint32_t workers_;
  std::optional<client::Client> client_;
  std::optional<client::PoolScope> pool_;
};

}  // namespace poold::bench
