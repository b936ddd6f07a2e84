#pragma once

#include <string>

#include "absl/status/status.h"
#include "job.h"
#include "samples.h"

namespace poold::bench {

// One of those that are compared: poold itself, a floor, or a peer. Not thread-safe; all calls block.
//
// Start, then Measure any number of times, then Stop; perhaps again. Between two Measures it keeps no CPU busy, so that
// others can be measured meanwhile. What it starts (processes, folders) ends with Stop or its destructor.
class Driver {
 public:
  virtual ~Driver() = default;

  // "poold-unix", "stream-echo", "python-pool": as in the report.
  virtual std::string subject() const = 0;
  // Whether it can do this job at all.
  virtual bool Does(const Job& job) const = 0;
  // Gets Job::slow_count.
  virtual bool slow() const { return false; }
  virtual absl::Status Start() = 0;
  // One round. Checks the results: a wrong one is the status.
  virtual Samples Measure(const Job& job) = 0;
  virtual void Stop() = 0;
};

}  // namespace poold::bench
