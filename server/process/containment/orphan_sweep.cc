#include "process/containment/orphan_sweep.h"

namespace poold::process {

Swept OrphanSweep::Go(bool kill) {
  if (!looked_) look_ = family_->LookForStrangers();
  const Swept swept = family_->Settle(look_, kill);
  // What a stranger leaves comes to us when it dies: then another look is due.
  looked_ = swept == Swept::kPutOff;
  return swept;
}

}  // namespace poold::process
