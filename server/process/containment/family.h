// The daemon's children: which of them it made. Another one is an orphan that came to it.
//
// Threads: the process thread only.
#pragma once

#include <sys/types.h>

#include <set>
#include <vector>

namespace poold::process {

// Children of all threads of `pid`; of an unreadable process none. The order is that of birth or adoption.
std::vector<pid_t> ChildrenOf(pid_t pid);
// Its parent; -1 if there is no such process.
pid_t ParentOf(pid_t pid);
// It is there and not only a zombie.
bool IsAlive(pid_t pid);

class Family {
 public:
  // Children that are there already are not ours to touch.
  Family();

  void Add(pid_t pid) { known_.insert(pid); }
  void Remove(pid_t pid) { known_.erase(pid); }
  bool Knows(pid_t pid) const { return known_.contains(pid); }

  // A worker that is being cloned is a child that we do not know yet.
  void CloneBegins() { ++clones_; }
  void CloneEnds() { --clones_; }

  // Reaps the dead among the children that nobody knows and, with `kill`, kills the living ones. True: none is left
  // alive. While a clone is under way it does nothing and is false.
  bool SweepOrphans(bool kill);

 private:
  std::set<pid_t> known_;
  int clones_ = 0;
};

}  // namespace poold::process
