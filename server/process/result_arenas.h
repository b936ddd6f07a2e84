// The arenas in which one worker hands over large results.
//
// Role: knows them by the order in which they came; takes results out of them as they lie or, where there is no room to
// keep the arena, as copies. Non-role: reads no socket and no ring.
// Threads: the worker's. Does not own the spool. Trust: what a worker says of them is checked.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "base/arena.h"
#include "base/payload_draft.h"
#include "base/spool.h"
#include "wire/outcome_ring.h"
#include "wire/unique_fd.h"

namespace poold::process {

class ResultArenas {
 public:
  // The descriptor that came next and was not asked for yet; nothing: there is none. One that is not open was lost on
  // its way in a shortage of descriptors.
  using NextFile = absl::FunctionRef<std::optional<wire::UniqueFd>()>;
  // REQUIRES: the results of one worker, in the order of its records. INVALID_ARGUMENT: no honest worker says so.
  // RESOURCE_EXHAUSTED: there is no room for it, anywhere.
  absl::StatusOr<base::Kept> Take(const base::Spool& spool, const wire::ResultPlace& place, NextFile next_file);

  // Of those that are here.
  std::uint64_t bytes() const;

 private:
  // Null: it could not be mapped.
  absl::StatusOr<std::shared_ptr<base::Arena>> Find(const base::Spool& spool, const wire::ResultPlace& place,
                                                    NextFile next_file);

  // Null: it could not be mapped.
  std::map<std::uint32_t, std::shared_ptr<base::Arena>> arenas_;
  std::uint32_t came_ = 0;
};

}  // namespace poold::process
