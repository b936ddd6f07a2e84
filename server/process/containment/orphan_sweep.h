// A sweep through the daemon's children: strangers that are dead are reaped and, if wanted, the living are killed.
//
// It may take several calls, since it is not certain who is a stranger before what is being born has a name. But it
// waits for no birth that began after it had looked: so it gets its turn also where there is always one under way.
// Threads: of the thread that made it. Ownership: `family` must outlive it.
#pragma once

#include "process/containment/family.h"

namespace poold::process {

class OrphanSweep {
 public:
  explicit OrphanSweep(Family* family) : family_(family) {}

  // To be called until it is clean. Without `kill` that is when the strangers have died by themselves.
  Swept Go(bool kill);
  // Somebody died: what it saw when it looked is old.
  void Restart() { looked_ = false; }

 private:
  Family* const family_;
  bool looked_ = false;
  Family::Look look_;
};

}  // namespace poold::process
