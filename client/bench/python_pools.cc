#include "bench/python_pools.h"

#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_cat.h"

namespace poold::bench {
namespace {

constexpr char kPython[] = "/usr/bin/python3";

// Prints two figures: of multiprocessing.Pool and of ProcessPoolExecutor. Each does it as its users would.
constexpr char kProgram[] = R"(
import concurrent.futures, multiprocessing, statistics, sys, time

def noop(value=None):
    return None

def rate(count, run):
    begin = time.perf_counter()
    done = run()
    took = time.perf_counter() - begin
    assert done == count, (done, count)
    return count / took

def trip(count, run):
    samples = []
    for _ in range(count):
        begin = time.perf_counter()
        run()
        samples.append(time.perf_counter() - begin)
    return statistics.median(samples)

kind, workers, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
chunk = -(-count // (4 * workers))
with multiprocessing.Pool(workers) as pool:
    pool.map(noop, range(workers * 4))
    if kind == "submit":
        a = rate(count, lambda: len([r.get() for r in [pool.apply_async(noop) for _ in range(count)]]))
    elif kind == "map":
        a = rate(count, lambda: len(pool.map(noop, range(count))))
    else:
        a = trip(count, lambda: pool.apply(noop))
with concurrent.futures.ProcessPoolExecutor(workers) as executor:
    list(executor.map(noop, range(workers * 4)))
    if kind == "submit":
        b = rate(count, lambda: len([f.result() for f in [executor.submit(noop) for _ in range(count)]]))
    elif kind == "map":
        b = rate(count, lambda: len(list(executor.map(noop, range(count), chunksize=chunk))))
    else:
        b = trip(count, lambda: executor.submit(noop).result())
print(a, b)
)";

}  // namespace

bool HavePython() { return access(kPython, X_OK) == 0; }

absl::StatusOr<PythonFigures> MeasurePython(const std::string& kind, uint32_t workers, uint64_t count) {
  const std::string command = absl::StrCat(kPython, " -c '", kProgram, "' ", kind, " ", workers, " ", count);
  std::FILE* output = popen(command.c_str(), "re");
  if (output == nullptr) return absl::UnavailableError(absl::StrCat(kPython, " does not start"));
  PythonFigures figures;
  const int read = std::fscanf(output, "%lf %lf", &figures.pool, &figures.executor);
  const int status = pclose(output);
  if (read != 2 || status != 0) return absl::UnavailableError(absl::StrCat(kPython, " failed to measure ", kind));
  return figures;
}

}  // namespace poold::bench
