#pragma once

#include <memory>
#include <string>

#include "driver.h"
#include "drivers/kept_pool.h"
#include "poold/v1/pool_service.grpc.pb.h"

namespace poold::bench {

// poold without its stream: one unary Submit that waits for each task, many under way on one completion queue.
class UnaryCalls : public Driver {
 public:
  UnaryCalls(std::string address, std::uint32_t workers)
      : address_(std::move(address)), workers_(workers), pool_(address_) {}

  std::string subject() const override { return "poold-unary"; }
  bool Does(const Job& job) const override { return job.shape == Shape::kWindow || job.shape == Shape::kTrips; }
  bool slow() const override { return true; }
  absl::Status Start() override;
  Samples Measure(const Job& job) override;
  void Stop() override;

 private:
  // Starts one call and waits for another until `count` have answered.
  absl::Status Run(std::uint64_t count, std::uint64_t outstanding);

  const std::string address_;
  const std::uint32_t workers_;
  KeptPool pool_;
  v1::SubmitRequest request_;
  std::unique_ptr<v1::PoolService::Stub> stub_;
};

}  // namespace poold::bench
