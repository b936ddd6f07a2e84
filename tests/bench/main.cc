// poold-bench: how fast a poold is, here and now, and what stands beside it.
#include <algorithm>
#include <cstdio>
#include <string>

#include "compare.h"
#include "drivers/all_drivers.h"
#include "figures.h"
#include "jobs.h"
#include "kinds/kinds.h"
#include "options.h"
#include "private_daemon.h"
#include "roles.h"
#include "wire/process_order.h"

namespace poold::bench {
namespace {

constexpr int kUnreachable = 69;
constexpr int kFailed = 70;

int Fail(int code, const absl::Status& status) {
  std::fprintf(stderr, "poold-bench: %s\n", std::string(status.message()).c_str());
  return code;
}

// Kinds of their own bring their own daemons: another one beside them would only be in their way.
bool NeedsDrivers(const BenchOptions& options) {
  return !std::all_of(options.kinds.begin(), options.kinds.end(), IsOwnKind);
}

int Bench(const BenchOptions& options, const Drivers& drivers) {
  Figures figures;
  for (const std::string& kind : options.kinds) {
    const absl::Status status =
        IsOwnKind(kind) ? MeasureOwnKind(kind, options, figures) : Compare(options, kind, drivers, figures);
    if (!status.ok()) return Fail(kFailed, status);
  }
  options.json ? figures.PrintJson() : figures.PrintTable();
  return 0;
}

int Main(int argc, const char* const* argv) {
  if (const auto status = PlayRole(argc, argv)) return *status;
  auto parsed = ParseOptions(argc, argv);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  const BenchOptions& options = std::get<BenchOptions>(parsed);
  if (!NeedsDrivers(options)) return Bench(options, {});
  if (!options.address.empty()) {
    return Bench(options, AllDrivers({.address = options.address, .tcp_address = ""}, options.workers));
  }
  auto daemon = PrivateDaemon::Start();
  if (!daemon.ok()) return Fail(kUnreachable, daemon.status());
  const Place place{.address = (*daemon)->address(), .tcp_address = (*daemon)->tcp_address()};
  return Bench(options, AllDrivers(place, options.workers));
}

}  // namespace
}  // namespace poold::bench

int main(int argc, char** argv) {
  poold::wire::PutProcessInOrder(poold::wire::ProgramKind::kCommand);
  return poold::bench::Main(argc, argv);
}
