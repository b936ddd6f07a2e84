// Why something waits, in a sentence for people.
//
// Role: functions over what others own, which they do not change. Lives for one question.
#pragma once

#include <cstdint>
#include <string>

#include "core/handles.h"
#include "core/outcome/outcome_room.h"
#include "core/pool.h"
#include "core/read/task_waits.h"
#include "core/scheduler/scheduler.h"
#include "core/subscribe/waits.h"

namespace poold::core {

class Explainer {
 public:
  // `now`: the moment of the question. All outlive it.
  Explainer(const Scheduler& scheduler, const OutcomeRoom& room, const Waits& waits, FindWorkerRef find_worker,
            Nanos now)
      : scheduler_(scheduler), room_(room), waits_(waits), find_worker_(find_worker), now_(now) {}

  // The sentence; empty: the handle runs, or has ended. `*ahead`: handles that come before it in its queue.
  std::string WhyWaits(const Handle& handle, std::uint64_t* ahead) const;

 private:
  std::string WhyWaits(const Task& task, std::uint64_t* ahead) const;
  std::string WhyWaits(const MapRun& map, std::uint64_t* ahead) const;
  std::uint64_t CountAhead(const Handle& handle) const;
  std::string WhyPoolIsSlow(const Pool& pool) const;
  std::string WhyStartsFail(const Pool& pool) const;
  std::string WhyBreakerHolds(const Handle& handle) const;
  std::string WhyQueued(const Handle& handle, std::uint64_t* ahead) const;

  const Scheduler& scheduler_;
  const OutcomeRoom& room_;
  const Waits& waits_;
  const FindWorkerRef find_worker_;
  const Nanos now_;
};

}  // namespace poold::core
