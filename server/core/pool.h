// A pool: its spec, its processes, its queue, its counters.
//
// Role: the state; pool_life.cc and processes.cc move it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "core/handle.h"
#include "core/map_run.h"
#include "core/ready_queue.h"
#include "core/views.h"
#include "core/worker.h"

namespace poold::core {

struct PoolFunction {
  std::string name;
  std::shared_ptr<const std::string> result_type;
  bool known = false;  // some worker has it
  double average = 0;  // nanoseconds of one call; 0: not measured
};

enum class ZygoteState : std::uint8_t { kGone, kStarting, kReady, kStopping };

struct Pool {
  PoolId id{};
  PoolSpec spec;
  PoolState state = PoolState::kStarting;
  std::string failure;
  bool functions_known = false;
  std::vector<PoolFunction> functions;
  absl::flat_hash_map<std::string, std::uint32_t> function_numbers;

  ZygoteState zygote = ZygoteState::kGone;
  std::uint32_t generation = 0;
  std::uint32_t start_failures = 0;  // one after the other
  std::uint32_t start_round = 0;
  TimerId start_timer = kNoTimer;     // pause before the next try
  TimerId watchful_timer = kNoTimer;  // looks at work that waits behind something long

  std::vector<Worker*> workers;  // in the order of their starts
  std::vector<Worker*> idle;     // the most recently used one last
  ReadyQueue ready;
  NodeList delayed;               // tasks that wait for their time
  std::vector<MapRun*> maps;      // that have not ended
  std::uint64_t unfinished = 0;   // tasks and maps
  std::uint64_t sent = 0;         // tasks and chunks that are with workers
  std::uint64_t chunks_sent = 0;  // of these, chunks
  std::uint64_t busy = 0;         // workers that have something
  PoolStats stats;

  std::vector<Wait*> open_calls;
  std::vector<Wait*> join_calls;
  std::vector<Wait*> terminate_calls;
  struct Watcher {
    SubscriberId id = kNobody;
    bool output = false;
  };
  std::vector<Watcher> watchers;

  bool live() const {
    return state != PoolState::kClosed && state != PoolState::kTerminated && state != PoolState::kFailed;
  }
  bool has_processes() const { return !workers.empty() || zygote != ZygoteState::kGone; }
  bool dispatches() const {
    return state == PoolState::kRunning || state == PoolState::kStarting || state == PoolState::kClosing;
  }
  // The number of a function; makes one that is not known yet.
  std::uint32_t FunctionNumber(std::string_view name);
  // Those that its workers have.
  std::vector<std::string> FunctionNames() const;
  void NoteRun(std::uint32_t function, Nanos elapsed, std::uint64_t calls);
  void ListIdle(Worker* worker);
  void UnlistIdle(Worker* worker);
};

// The name among `names` that is nearest to `name`; empty if none is near.
std::string NearestName(std::string_view name, const std::vector<std::string>& names);

}  // namespace poold::core
