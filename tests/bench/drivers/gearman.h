#pragma once

#include <string>
#include <vector>

#include "child.h"
#include "driver.h"

struct gearman_client_st;

namespace poold::bench {

// A peer: gearmand with libgearman at both ends, where both are installed.
class Gearman : public Driver {
 public:
  explicit Gearman(std::uint32_t workers) : workers_(workers) {}
  ~Gearman() override { Stop(); }

  static bool Installed();

  std::string subject() const override { return "gearmand"; }
  bool Does(const Job& job) const override;
  bool slow() const override { return true; }
  absl::Status Start() override;
  Samples Measure(const Job& job) override;
  void Stop() override;

 private:
  // All are sent before any is waited for. Seconds.
  absl::StatusOr<double> RunAll(const std::string& payload, std::uint64_t count);
  absl::Status Trip();

  const std::uint32_t workers_;
  Child server_;
  std::vector<Child> children_;
  gearman_client_st* client_ = nullptr;
};

// The role of a worker. Arguments: the port.
int WorkForGearman(const std::vector<std::string>& arguments);

}  // namespace poold::bench
