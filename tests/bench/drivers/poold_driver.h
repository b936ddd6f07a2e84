#pragma once

#include <string>

#include "driver.h"
#include "drivers/kept_pool.h"
#include "poold/client.h"

namespace poold::bench {

// poold through the C++ SDK, at one address, on a pool of its own. It is connected while it is measured only: all
// channels of a process share one poller, and a connection that waits for nothing would take the events of the others.
class PooldDriver : public Driver {
 public:
  PooldDriver(std::string subject, std::string address, std::uint32_t workers, bool only_grpc = false)
      : subject_(std::move(subject)),
        address_(std::move(address)),
        workers_(workers),
        pool_(address_, only_grpc),
        fresh_(address_) {}

  std::string subject() const override { return subject_; }
  bool Does(const Job& job) const override;
  absl::Status Start() override;
  Samples Measure(const Job& job) override;
  void Stop() override;

 private:
  Samples MeasureFresh(const client::Client& client, const Job& job);

  const std::string subject_;
  const std::string address_;
  const std::uint32_t workers_;
  KeptPool pool_;
  // Opened by the first job that wants it.
  KeptPool fresh_;
};

}  // namespace poold::bench
