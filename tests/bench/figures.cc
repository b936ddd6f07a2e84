#include "figures.h"

#include <algorithm>
#include <cstdio>

#include "nlohmann/json.hpp"

namespace poold::bench {

void Figures::Add(const std::string& bench, const std::string& subject, const std::string& name, const Sample& sample) {
  auto at = std::find_if(figures_.begin(), figures_.end(), [&](const Figure& figure) {
    return figure.bench == bench && figure.subject == subject && figure.name == name && figure.metric == sample.metric;
  });
  if (at == figures_.end()) at = figures_.insert(at, {bench, subject, name, sample.metric, {}});
  at->rounds.figures.push_back(sample.value);
}

// Subjects of one case stand together.
void Figures::PrintTable() const {
  std::vector<const Figure*> sorted;
  for (const Figure& figure : figures_) {
    const auto alike = [&](const Figure* other) {
      return other->bench == figure.bench && other->name == figure.name && other->metric == figure.metric;
    };
    const auto last = std::find_if(sorted.rbegin(), sorted.rend(), alike);
    sorted.insert(last == sorted.rend() ? sorted.end() : last.base(), &figure);
  }
  std::printf("%-9s %-34s %-18s %-18s %10s %10s %10s\n", "", "", "", "", "median", "min", "max");
  for (const Figure* figure : sorted) {
    std::printf("%-9s %-34s %-18s %-18s %10s %10s %10s\n", figure->bench.c_str(), figure->name.c_str(),
                figure->metric.c_str(), figure->subject.c_str(), Short(figure->rounds.Median()).c_str(),
                Short(figure->rounds.Least()).c_str(), Short(figure->rounds.Most()).c_str());
  }
}

void Figures::PrintJson() const {
  for (const Figure& figure : figures_) {
    const nlohmann::ordered_json line{{"bench", figure.bench},
                                      {"subject", figure.subject},
                                      {"case", figure.name},
                                      {"metric", figure.metric},
                                      {"median", figure.rounds.Median()},
                                      {"min", figure.rounds.Least()},
                                      {"max", figure.rounds.Most()},
                                      {"rounds", figure.rounds.figures.size()}};
    std::printf("%s\n", line.dump().c_str());
  }
}

}  // namespace poold::bench
