// A sweep through the daemon's children: orphans that are dead are reaped and, if wanted, the living are killed.
//
// A sweep may take several calls, since it is not certain who is an orphan before what is being born has a name. But a
// sweep waits for no pending child that began after it had looked: so it gets its turn also where there is always one
// under way.
// Threads: of the thread that made it. Ownership: `children` must outlive it.
#pragma once

#include "process/containment/child_registry.h"

namespace poold::process {

class OrphanSweep {
 public:
  explicit OrphanSweep(ChildRegistry* children) : children_(children) {}

  // To be called until it is clean. Without `kill` that is when the orphans have died by themselves.
  Swept Go(bool kill);
  // Somebody died: what it saw when it looked is old.
  void Restart() { looked_ = false; }

 private:
  ChildRegistry* const children_;
  bool looked_ = false;
  ChildRegistry::Look look_;
};

}  // namespace poold::process
