// The arenas in which one worker hands over large results.
//
// Role: knows arenas by the order in which they came; takes results out of them as they lie or, where there is no room
// to keep the arena, as copies. Non-role: reads no socket and no ring.
// Threads: guarded by its WorkerResults, so by the round of the process thread. Ownership: does not own the spool;
// shares arenas with the results that lie there. Trust: what a worker says of its arenas is checked.
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
  // The descriptor that came next and was not asked for yet; nothing: there is none. One that is not open was lost on
  // its way in a shortage of descriptors.
  using NextFile = absl::FunctionRef<std::optional<wire::UniqueFd>()>;
  // The result that lies at `place`. REQUIRES: the results of one worker, in the order of its records.
  // INVALID_ARGUMENT: no honest worker says so. RESOURCE_EXHAUSTED: there is no room for the result, anywhere.
  absl::StatusOr<base::Kept> Take(const base::Spool& spool, const wire::ResultPlace& place, NextFile next_file);

  // The size of all arenas that are mapped here.
  std::uint64_t bytes() const;

 private:
  // The arena of the place, adopted now if it is new. Null: it could not be mapped.
  absl::StatusOr<std::shared_ptr<base::Arena>> Find(const base::Spool& spool, const wire::ResultPlace& place,
                                                    NextFile next_file);

  // Null: it could not be mapped.
  std::map<std::uint32_t, std::shared_ptr<base::Arena>> arenas_;
  std::uint32_t came_ = 0;  // arenas so far, so the number of the next one
};

}  // namespace poold::process
