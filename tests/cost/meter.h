#pragma once

#include <cstdint>
#include <string>

namespace poold::cost {

// Counts the instructions of one part of the way of a task, under callgrind started with --collect-atstart=no. What is
// prepared between two calls of Count is not counted. Outside of valgrind it counts nothing. One at a time.
//
// When it goes, callgrind writes a profile whose trigger is the part's name, and a line of JSON on standard output says
// how many tasks (or items) the part is the cost of.
class Meter {
 public:
  explicit Meter(std::string part);
  ~Meter();
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  // Runs `act`, which is the way of so many more tasks or items (0: of those that were counted already).
  template <typename Act>
  void Count(std::uint64_t units, Act&& act) {
    units_ += units;
    Toggle();
    act();
    Toggle();
  }

 private:
  static void Toggle();

  const std::string part_;
  std::uint64_t units_ = 0;
};

}  // namespace poold::cost
