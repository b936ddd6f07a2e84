#pragma once

#include <string>

#include "child.h"
#include "driver.h"

namespace poold::bench {

// A peer: one of the two pools of Python's standard library, in the system's Python.
class PythonPool : public Driver {
 public:
  // "pool" or "executor".
  PythonPool(std::string kind, std::uint32_t workers) : kind_(std::move(kind)), workers_(workers) {}

  static bool Installed();

  std::string subject() const override { return "python-" + kind_; }
  bool Does(const Job& job) const override;
  bool slow() const override { return true; }
  absl::Status Start() override;
  Samples Measure(const Job& job) override;
  // How long a new pool takes until it has its first result: first_result_ms.
  Samples MeasureFirst();
  void Stop() override { program_.Stop(); }

 private:
  Samples Ask(const std::string& job);

  const std::string kind_;
  const std::uint32_t workers_;
  Child program_;
};

}  // namespace poold::bench
