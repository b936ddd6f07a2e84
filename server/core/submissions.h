// Tasks and maps come in: which are refused, which are known already, and which are new.
//
// A submission whose answer the client did not see comes again: also when its pool was closed meanwhile. So an id that
// is known is answered before the pool is asked.
// Role: checks a submission against what its pool has and may hold, and makes tasks, maps and groups of it. Non-role:
// does not look whether something can run now: its callers do.
// Ownership: none; whatever is named in the constructor outlives it.
// Errors: a refused submission has changed nothing. Thread safety: none; used under the core's mutex.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/core.h"
#include "core/delivery.h"
#include "core/endings.h"
#include "core/map_course.h"
#include "core/pool.h"
#include "core/scheduler/scheduler.h"
#include "core/task/handle_store.h"

namespace poold::core {

class Submissions {
 public:
  // The pool that takes a submission, or why none does.
  using Taker = absl::StatusOr<std::shared_ptr<Pool>>;

  Submissions(const Limits* limits, const Nanos* now, HandleStore* store, Scheduler* scheduler, Delivery* delivery,
              Endings* endings, MapCourse* maps)
      : limits_(*limits),
        now_(*now),
        store_(*store),
        scheduler_(*scheduler),
        delivery_(*delivery),
        endings_(*endings),
        maps_(*maps) {}

  // Takes each task, or appends a refusal for it. True: more may be able to run in the pool. Safe to repeat.
  bool Submit(const Taker& pool, const TaskGroup& asked, std::span<NewTask> tasks, std::vector<Refusal>* refused);
  // As Core::OnMap. `*grown`: the pool in which more may be able to run; unchanged: none.
  absl::StatusOr<std::uint64_t> SubmitMap(const Taker& pool, const MapGroup& asked, std::shared_ptr<Pool>* grown);

 private:
  // The new group has one reference, which is the caller's.
  absl::StatusOr<Group*> MakeGroup(const Taker& pool, ClientId client, const ClientOrigin& origin,
                                   std::string_view function, std::shared_ptr<const TaskOptions> options);
  Group* GroupFor(Group* group, const Payload& args);
  // QUEUE_FULL if the pool's queue has no room for so many tasks and bytes; TOO_LARGE if one task never fits.
  absl::Status CheckRoom(const Pool& pool, std::uint64_t tasks, std::uint64_t bytes) const;
  absl::Status SubmitOne(Group& group, NewTask& asked);
  absl::Status SubmitKnown(const TaskGroup& asked, Subscriber* stream, const NewTask& again);
  absl::Status CheckColumn(const ItemColumn& column) const;
  absl::StatusOr<MapRun*> OpenMap(const Taker& pool, const MapGroup& asked);
  absl::Status AppendItems(MapRun& map, const MapGroup& asked);

  const Limits& limits_;
  const Nanos& now_;
  HandleStore& store_;
  Scheduler& scheduler_;
  Delivery& delivery_;
  Endings& endings_;
  MapCourse& maps_;
};

}  // namespace poold::core
