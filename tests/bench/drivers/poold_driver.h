#pragma once

#include <memory>
#include <optional>
#include <string>

#include "driver.h"
#include "poold/client.h"

namespace poold::bench {

// poold through the C++ SDK, at one address, on a pool of its own.
class PooldDriver : public Driver {
 public:
  PooldDriver(std::string subject, std::string address, std::uint32_t workers)
      : subject_(std::move(subject)), address_(std::move(address)), workers_(workers) {}

  std::string subject() const override { return subject_; }
  bool Does(const Job& job) const override;
  absl::Status Start() override;
  Samples Measure(const Job& job) override;
  void Stop() override;

 private:
  Samples MeasureFresh(const Job& job);

  const std::string subject_;
  const std::string address_;
  const std::uint32_t workers_;
  std::optional<client::Client> client_;
  std::optional<client::PoolScope> pool_;
  // Opened by the first job that wants it.
  std::optional<client::PoolScope> fresh_;
};

}  // namespace poold::bench
