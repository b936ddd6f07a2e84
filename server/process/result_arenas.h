// ResultArenas: the arenas in which one worker hands over large results.
//
// Role: knows arenas by the order in which they came; takes results out of them as they lie or, where there is no room
// to keep the arena, as copies. Non-role: reads no socket and no ring.
// Threads: guarded by its WorkerResults, so by the round of the process thread.
// Ownership: does not own the spool; shares arenas with the results that lie there.
// Trust: a worker's claims about its arenas are checked.
// Errors: see Take.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "base/arena.h"
#include "base/spool.h"
#include "wire/outcome_ring.h"
#include "wire/unique_fd.h"

namespace poold::process {

class ResultArenas {
 public:
  // Returns the next descriptor that has come; nothing: there is none. A descriptor that is not open was lost on its
  // way in a shortage.
  using NextFile = absl::FunctionRef<std::optional<wire::UniqueFd>()>;
  // Takes the result that lies at `place`. REQUIRES: called for the results of one worker, in the order of its records.
  // INVALID_ARGUMENT: no honest worker names this place. RESOURCE_EXHAUSTED: neither memory nor disk has room for the
  // result.
  absl::StatusOr<base::Kept> Take(const base::Spool& spool, const wire::ResultPlace& place, NextFile next_file);

  // The size of all arenas that are mapped here.
  std::uint64_t bytes() const;

 private:
  // The arena of the place, adopted now if it is new. Null: it could not be mapped.
  absl::StatusOr<std::shared_ptr<base::Arena>> Find(const base::Spool& spool, const wire::ResultPlace& place,
                                                    NextFile next_file);

  // Null: it could not be mapped.
  std::map<std::uint32_t, std::shared_ptr<base::Arena>> arenas_;
  // The number of arenas that have come, which is the number of the next one.
  std::uint32_t came_ = 0;
};

}  // namespace poold::process
