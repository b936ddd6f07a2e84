// What a running task can ask about itself, and tell about itself.
#pragma once

#include <cstdint>
#include <string_view>

namespace poold::worker {

struct TaskContext {
  // The function's name, as registered.
  std::string_view function;
  // The n-th run of this task, from 1. Larger than 1: an earlier one died or failed and the task may be run again.
  std::uint32_t attempt = 1;
  // In a map: which item of its chunk; else 0.
  std::uint32_t item = 0;
  // Its chunk has so many items; 0 for a single task.
  std::uint32_t chunk_items = 0;
  std::string_view pool;
  // 0 in the zygote, and in a worker program that was started afresh.
  std::uint64_t worker_id = 0;
};

// The task that runs now; in an initializer or preload function one with that function's name. Valid until it returns.
// Any thread of the worker may call it while the task runs.
inline const TaskContext& CurrentTask();

// The n-th run of this task, from 1; outside a task 1.
inline std::uint32_t Attempt();

// Tells whoever watches how far the task is: `fraction` from 0 to 1, less if that is not known; of `text` (UTF-8) the
// first 200 bytes. The item of a map reports for itself.
// Performance: call it as often as is natural. Watchers hear the first report, then some 20 a second, and in any case
// the latest before the outcome; the others cost a fraction of a microsecond.
// Threads: any, while the task runs. Outside a task, and in a child that the task forked, it has no effect.
inline void ReportProgress(double fraction, std::string_view text = {});

// --- below: implementation ---

class ProgressSink {
 public:
  virtual void Report(double fraction, std::string_view text) = 0;

 protected:
  ~ProgressSink() = default;
};

// What the worker program lends to the modules that it loads.
struct Host {
  const TaskContext* task;
  // Null: nobody listens.
  ProgressSink* progress;
};

// Set when a module is loaded. One for each shared object, therefore hidden.
[[gnu::visibility("hidden")]] inline const Host*& CurrentHost() {
  static const Host* host = nullptr;
  return host;
}

inline const TaskContext& CurrentTask() {
  static const TaskContext none;
  const Host* const host = CurrentHost();
  return host == nullptr ? none : *host->task;
}

inline std::uint32_t Attempt() { return CurrentTask().attempt; }

inline void ReportProgress(double fraction, std::string_view text) {
  const Host* const host = CurrentHost();
  if (host != nullptr && host->progress != nullptr) host->progress->Report(fraction, text);
}

}  // namespace poold::worker
