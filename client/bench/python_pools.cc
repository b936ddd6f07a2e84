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
if kind == "fresh":
    state = b"x" * (200 << 20)
    with multiprocessing.Pool(workers, maxtasksperchild=1) as pool:
        print(rate(count, lambda: len(pool.map(noop, range(count), chunksize=1))), 0)
    sys.exit()
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

// Prints two figures of Pool.map: with the chunks that it takes by itself, and with chunksize=1. Standard input: what
// the items cost, in microseconds.
constexpr char kSpinProgram[] = R"(
import multiprocessing, sys, time

def spin(micros):
    end = time.perf_counter() + micros / 1e6
    while time.perf_counter() < end:
        pass

micros = [int(word) for word in open(sys.argv[2]).read().split()]
with multiprocessing.Pool(int(sys.argv[1])) as pool:
    pool.map(spin, [1] * 100)
    for chunk in (None, 1):
        begin = time.perf_counter()
        done = pool.map(spin, micros, chunksize=chunk)
        assert len(done) == len(micros)
        print(len(micros) / (time.perf_counter() - begin))
)";

// What `command` prints: two numbers.
absl::StatusOr<std::pair<double, double>> TwoFigures(const std::string& command, const std::string& what) {
  std::FILE* output = popen(command.c_str(), "re");
  if (output == nullptr) return absl::UnavailableError(absl::StrCat(kPython, " does not start"));
  std::pair<double, double> figures;
  const int read = std::fscanf(output, "%lf %lf", &figures.first, &figures.second);
  const int status = pclose(output);
  if (read != 2 || status != 0) return absl::UnavailableError(absl::StrCat(kPython, " failed to measure ", what));
  return figures;
}

}  // namespace

bool HavePython() { return access(kPython, X_OK) == 0; }

absl::StatusOr<PythonFigures> MeasurePython(const std::string& kind, uint32_t workers, uint64_t count) {
  const auto figures = TwoFigures(absl::StrCat(kPython, " -c '", kProgram, "' ", kind, " ", workers, " ", count), kind);
  if (!figures.ok()) return figures.status();
  return PythonFigures{.pool = figures->first, .executor = figures->second};
}

absl::StatusOr<PythonChunks> MeasurePythonChunks(uint32_t workers, const std::vector<uint32_t>& micros) {
  std::FILE* const items = std::tmpfile();
  if (items == nullptr) return absl::UnavailableError("cannot make a temporary file");
  for (const uint32_t each : micros) std::fprintf(items, "%u\n", each);
  std::fflush(items);
  const auto figures = TwoFigures(
      absl::StrCat(kPython, " -c '", kSpinProgram, "' ", workers, " /proc/", getpid(), "/fd/", fileno(items)),
      "chunks");
  std::fclose(items);
  if (!figures.ok()) return figures.status();
  return PythonChunks{.formula = figures->first, .one = figures->second};
}

}  // namespace poold::bench
