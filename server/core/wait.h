// A call that waits for its answer.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/core.h"
#include "core/handle.h"

namespace poold::core {

struct Wait {
  enum class Kind : std::uint8_t { kGet, kWait, kOpen, kJoin, kTerminate, kReload };
  struct Entry {
    HandleId id;
    Handle* handle = nullptr;  // null when it is gone
    bool done = false;
  };

  Kind kind{};
  SubscriberId call = kNobody;
  TimerId timer = kNoTimer;
  // Of kGet and kWait.
  WaitMode mode = WaitMode::kAllCompleted;
  std::vector<Entry> entries;
  std::size_t left = 0;
  // Who waits is the task (or chunk) that this worker ran then; none: nobody of ours.
  WorkerId from{};
  AttemptToken from_attempt{};
  // Of the others.
  std::shared_ptr<Pool> pool;
  bool created = false;
  std::uint64_t cancelled = 0;
};

}  // namespace poold::core
