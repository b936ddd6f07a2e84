// The children of this process, of all its threads, and which of them it made. Any other child is an orphan that the
// kernel gave to this process, or a child that is pending: it is being made and has no pid yet.
//
// Thread-safe. Each child belongs to the thread that made it, and only that one reaps it; orphans are anybody's (OrphanSweep).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "process/death.h"

namespace poold::process {

// Children of all threads of `pid`; of an unreadable process none. The order is that of birth or adoption.
std::vector<pid_t> ChildrenOf(pid_t pid);
// Its parent; -1 if there is no such process.
pid_t ParentOf(pid_t pid);
// True: the process exists and is no zombie.
bool IsAlive(pid_t pid);

enum class Swept : std::uint8_t {
  kClean,   // when it looked there was no orphan: what the dead of before had left is gone
  kSome,    // there were some
  kPutOff,  // there may be some: a pending child must end first
};

class ChildRegistry {
 public:
  // Children that are there already are not ours to touch.
  ChildRegistry();

  // Of a child that was added; nothing while it lives. It is reaped and forgotten in one: in between its number could
  // be given to another child.
  std::optional<Death> Reap(pid_t pid);

 private:
  friend class PendingChild;
  friend class OrphanSweep;

  // Pending children are numbered as they begin.
  std::uint64_t BeginPending();
  void EndPending(std::uint64_t pending_child);
  bool Add(pid_t pid);
  void ForgetOrphansSince(std::uint64_t pending_child);

  struct Look {
    std::uint64_t pending = 0;        // begun until then
    std::uint64_t orphans_ended = 0;  // reaped until then
  };
  // Takes down who is an orphan now.
  Look FindOrphans();
  // Reaps, and kills if wanted, the orphans that are certainly none of those that were being born when they were
  // taken down. How it stands with those that `look` found.
  Swept Sweep(const Look& look, bool kill);

  absl::Mutex mu_;
  std::set<pid_t> known_ ABSL_GUARDED_BY(mu_);
  // Children that are not known, and how many pending children had begun when they were taken down. Nobody reaps them
  // without taking them out of here, so each number stays that of the same process.
  std::map<pid_t, std::uint64_t> orphans_ ABSL_GUARDED_BY(mu_);
  std::uint64_t orphans_ended_ ABSL_GUARDED_BY(mu_) = 0;
  std::set<std::uint64_t> pending_ ABSL_GUARDED_BY(mu_);  // under way
  std::uint64_t pending_begun_ ABSL_GUARDED_BY(mu_) = 0;
};

// A child that is being made: to be there before the child can be, and until it was added or will not come. Until
// then an orphan that is seen may be this child, and nobody touches it.
//
// Threads: one at a time. Ownership: `children` must outlive it.
class PendingChild {
 public:
  explicit PendingChild(ChildRegistry* children) : children_(children), number_(children->BeginPending()) {}
  PendingChild(PendingChild&& other) noexcept;
  PendingChild& operator=(PendingChild&& other) noexcept;
  ~PendingChild();

  // This is the child. False: it is none of ours, or somebody has it already.
  bool Add(pid_t pid) { return children_->Add(pid); }
  // posix_spawn failed. There may have been a child, which it has reaped behind our back.
  void Failed() { children_->ForgetOrphansSince(number_); }

 private:
  ChildRegistry* children_;
  std::uint64_t number_;
};

// A sweep through the daemon's children: orphans that are dead are reaped and, if wanted, the living are killed.
//
// A sweep may take several calls, since it is not certain who is an orphan before what is being born has a name. But a
// sweep waits for no pending child that began after it had looked: so it gets its turn also where there is always one
// under way.
// Threads: of the thread that made it. Ownership: `children` must outlive it.
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
