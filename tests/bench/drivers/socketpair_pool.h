#pragma once

#include <vector>

#include "child.h"
#include "driver.h"

namespace poold::bench {

// A floor: bare worker processes at the other ends of socketpairs. No queue, no daemon, no limits, no handles: work is
// dealt out in turns, or cut into equal parts.
class SocketpairPool : public Driver {
 public:
  explicit SocketpairPool(std::uint32_t workers) : workers_(workers) {}

  std::string subject() const override { return "socketpair"; }
  bool Does(const Job& job) const override;
  absl::Status Start() override;
  Samples Measure(const Job& job) override;
  void Stop() override { children_.clear(); }

 private:
  Samples RunMap(const Job& job);
  Samples RunTrips(const Job& job);
  Samples RunEcho(const Job& job);
  Samples RunWork(const Job& job);
  Samples RunLongFirst(const Job& job);

  const std::uint32_t workers_;
  std::vector<Child> children_;
};

// The role of a worker: answers requests on its standard input until that ends.
int WorkAtSocketpair(const std::vector<std::string>& arguments);

}  // namespace poold::bench
