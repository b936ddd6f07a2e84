#pragma once

#include <string>
#include <vector>

#include "rounds.h"
#include "samples.h"

namespace poold::bench {

// What was measured of one subject in one case, over all rounds.
struct Figure {
  std::string bench;
  std::string subject;
  std::string name;  // of the case
  std::string metric;
  Rounds rounds;
};

// All figures, in the order in which they first came. Not thread-safe.
class Figures {
 public:
  void Add(const std::string& bench, const std::string& subject, const std::string& name, const Sample& sample);

  // For people.
  void PrintTable() const;
  // For programs: one line of JSON for each figure.
  void PrintJson() const;

 private:
  std::vector<Figure> figures_;
};

}  // namespace poold::bench
