#pragma once

#include <optional>
#include <vector>

#include "child.h"
#include "driver.h"

namespace poold::bench {

// A floor: what a lone task of any pool behind a service takes at least. A bare process hands a request on to a bare
// worker, and its answer back: the wakes of a trip, and nothing else.
class SocketRelay : public Driver {
 public:
  std::string subject() const override { return "relay"; }
  bool Does(const Job& job) const override { return job.shape == Shape::kTrips; }
  absl::Status Start() override;
  Samples Measure(const Job& job) override;
  void Stop() override { relay_.reset(); }

 private:
  std::optional<Child> relay_;
};

// The role of the one between: its client is its standard input; it starts its worker.
int RelayToWorker(const std::vector<std::string>& arguments);

}  // namespace poold::bench
