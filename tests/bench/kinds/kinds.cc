#include "kinds/kinds.h"

#include <map>

namespace poold::bench {
namespace {

using Kind = absl::Status (*)(const BenchOptions&, Figures&);

const std::map<std::string, Kind>& Kinds() {
  static const std::map<std::string, Kind> kinds = {{"queue", MeasureQueue},     {"start", MeasureStart},
                                                    {"clients", MeasureClients}, {"cost", MeasureCost},
                                                    {"shards", MeasureShards},   {"scale", MeasureScale}};
  return kinds;
}

}  // namespace

bool IsOwnKind(const std::string& kind) { return Kinds().count(kind) > 0; }

absl::Status MeasureOwnKind(const std::string& kind, const BenchOptions& options, Figures& figures) {
  return Kinds().at(kind)(options, figures);
}

}  // namespace poold::bench
