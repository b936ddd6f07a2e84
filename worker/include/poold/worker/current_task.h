// CurrentTask and ReportProgress: a running task's view of itself.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace poold::worker {

// An option of a task that is carried to its function, by its name in poold.v1.TaskOptions.
struct CarriedOption {
  std::string_view name;
  std::string_view text;
};

// The task that runs. The views are valid until the task's function returns.
struct TaskContext {
  // The function's name, as registered.
  std::string_view function;
  // The number of this attempt, from 1. Above 1: an earlier attempt died or failed, and this one runs the task again.
  std::uint32_t attempt = 1;
  // The item's place in its chunk, from 0; 0 outside a map.
  std::uint32_t item = 0;
  // The number of items in the chunk; 0 outside a map.
  std::uint32_t chunk_items = 0;
  // The pool's name.
  std::string_view pool;
  // The worker's id, as the daemon shows the worker; 0 in the zygote, and so in preload functions of every start
  // method.
  std::uint64_t worker_id = 0;
  // The options of the task that were given and are carried to the function.
  std::span<const CarriedOption> options = {};

  // Returns the text of one of `options`; empty: it was not given.
  // Example:
  //   const std::string_view traceparent = poold::worker::CurrentTask().Option("traceparent");
  std::string_view Option(std::string_view name) const {
    for (const CarriedOption& option : options) {
      if (option.name == name) return option.text;
    }
    return {};
  }
};

// Returns the task that runs now; in an initializer or a preload function, a context with that function's name;
// elsewhere an empty context. Valid until the function returns. Never blocks or fails. Any thread of the worker may
// call while the task runs.
// Example:
//   std::printf("item %u of %u\n", poold::worker::CurrentTask().item, poold::worker::CurrentTask().chunk_items);
inline const TaskContext& CurrentTask();

// Returns the number of this attempt, from 1; outside a task 1. Threads as CurrentTask.
inline std::uint32_t Attempt();

// Reports to the task's watchers that `fraction` of the work is done (0 to 1; negative: not known), with the first 200
// bytes of `text` (UTF-8). In a map, the report is the item's. Never fails; repeating is safe. Blocks only while the
// daemon has not made room for the report (a full ring).
// Performance: call as often as is natural. Watchers get the first report, then some 20 a second, and always the latest
//   before the outcome; a report that is passed over costs a fraction of a microsecond.
// Threads: any, while the task runs. Outside a task, and in a child that the task forked, the call has no effect.
// Example:
//   poold::worker::ReportProgress(double(row) / rows, "row " + std::to_string(row));
inline void ReportProgress(double fraction, std::string_view text = {});

// --- below: implementation ---

// Takes reports; the worker program implements it.
class ProgressSink {
 public:
  virtual void Report(double fraction, std::string_view text) = 0;

 protected:
  ~ProgressSink() = default;
};

// The objects that the worker program lends to the modules that it loads.
struct Host {
  // The running task. Never null.
  const TaskContext* task;
  // Null: nobody takes reports.
  ProgressSink* progress;
};

// The host of this shared object, set when the module is loaded; null before. Hidden, so that each shared object has
// one.
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
