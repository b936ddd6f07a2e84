// The owners of a pool, and whether any of them is there.
//
// An owner whose sessions have ended may come back within the grace. An owner that has been away for longer is
// forgotten when another one comes, so that a pool with ever new owners does not remember them all.
// Role: owners and their absence. Non-role: sets no timer, ends no pool. Thread safety: none; used under the core's
// mutex.
// Invariant (Check): each owner is named once, and none by a pool that is opened for nobody in particular.
#pragma once

#include <string>
#include <vector>

#include "core/types.h"

namespace poold::core {

class PoolOwners {
 public:
  // What became of the owners.
  enum class Change : std::uint8_t {
    // Nothing that matters.
    kNone,
    // One of the owners is there.
    kPresent,
    // The last owner that was there has gone.
    kLost,
  };

  // Somebody opens the pool; zero: nobody in particular, and the pool is never lost. `grace`: how long an owner may be
  // away before he is forgotten.
  // Answers the owners that are forgotten; `owner` may be among them, and is one from now on.
  std::vector<ClientId> Add(Nanos now, ClientId owner, Nanos grace);
  // This client has come, or has gone.
  Change NotePresence(Nanos now, ClientId client, bool present);
  // The pool was opened for nobody in particular.
  bool for_nobody() const { return for_nobody_; }
  // All owners, present or not.
  std::vector<ClientId> ids() const;
  // The first invariant that does not hold; empty if all do.
  std::string Check() const;

 private:
  struct Owner {
    ClientId id{};
    bool present = true;
    // When the owner's last session has gone; valid unless `present`.
    Nanos absent_since = 0;
  };
  std::vector<Owner> owners_;
  bool for_nobody_ = false;
};

}  // namespace poold::core
