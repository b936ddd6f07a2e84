#include "process/containment/orphan_sweep.h"

namespace poold::process {

Swept OrphanSweep::Go(bool kill) {
  if (!looked_) look_ = children_->FindOrphans();
  const Swept swept = children_->Sweep(look_, kill);
  // What an orphan leaves comes to us when it dies: then another look is due.
  looked_ = swept == Swept::kPutOff;
  return swept;
}

}  // namespace poold::process
