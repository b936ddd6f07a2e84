#include "drivers/python_pool.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "drivers/python_program.h"
#include "nlohmann/json.hpp"

namespace poold::bench {
namespace {

// Debian's: another python3 may be first on PATH.
constexpr char kPython[] = "/usr/bin/python3";

// What of python_peer.py does it; null: nothing.
const char* NameOf(Shape shape) {
  switch (shape) {
    case Shape::kMap:
      return "map";
    case Shape::kBurst:
      return "burst";
    case Shape::kWindow:
      return "window";
    case Shape::kTrips:
      return "trips";
    case Shape::kEcho:
      return "echo";
    case Shape::kSpinMap:
      return "spin_map";
    case Shape::kFresh:
      return "fresh";
    default:
      return nullptr;
  }
}

}  // namespace

bool PythonPool::Installed() { return access(kPython, X_OK) == 0; }

bool PythonPool::Does(const Job& job) const {
  // With fork, an executor has no process for each task.
  if (job.shape == Shape::kFresh && kind_ != "pool") return false;
  return NameOf(job.shape) != nullptr;
}

absl::Status PythonPool::Start() {
  auto program = Child::Run(kPython, {"-c", kPythonProgram, kind_, absl::StrCat(workers_)}, Child::End::kInput);
  if (!program.ok()) return program.status();
  program_ = *std::move(program);
  return absl::OkStatus();
}

Samples PythonPool::Measure(const Job& job) {
  return Ask(nlohmann::json{{"shape", NameOf(job.shape)},
                            {"count", job.count},
                            {"outstanding", job.outstanding},
                            {"bytes", job.bytes},
                            {"chunk", job.chunk},
                            {"sizes", job.sizes}}
                 .dump());
}

Samples PythonPool::MeasureFirst() { return Ask(nlohmann::json{{"shape", "first"}}.dump()); }

Samples PythonPool::Ask(const std::string& job) {
  if (absl::Status status = program_.WriteLine(job); !status.ok()) return status;
  const auto line = program_.ReadLine();
  if (!line.ok()) return line.status();
  const auto answer = nlohmann::json::parse(*line, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_array()) return absl::InternalError(*line);
  std::vector<Sample> samples;
  for (const auto& sample : answer) samples.push_back({sample["metric"], sample["value"]});
  return samples;
}

}  // namespace poold::bench
