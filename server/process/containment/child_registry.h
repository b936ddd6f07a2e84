// ChildRegistry: the children of this process, of all its threads, and which of them it made.
//
// Any other child is an orphan that the kernel gave to this process, or a pending child: one that is being made and has
// no pid yet. Threads: thread-safe. Each child belongs to the thread that made it, and only that one reaps it; any
// thread reaps orphans
//   (OrphanSweep).
// Ownership: lives as long as the process's dispatchers; pending children and sweeps refer to it.
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

// The children of all threads of `pid`, in the order of birth or adoption; none if the process cannot be read.
std::vector<pid_t> ChildrenOf(pid_t pid);
// The parent of a process; -1: there is no such process.
pid_t ParentOf(pid_t pid);
// Whether the process exists and is no zombie.
bool IsAlive(pid_t pid);

// The result of a sweep.
enum class Swept : std::uint8_t {
  // There was no orphan: processes that earlier dead ones had left are gone.
  kClean,
  // There were orphans; others may follow, so another sweep is due.
  kSome,
  // There may be orphans, which is certain only when a pending child has ended.
  kPutOff,
};

class ChildRegistry {
 public:
  // Children that exist already count as foreign, and are never touched.
  ChildRegistry();

  // Reaps a child that was added, and forgets it in the same step, because its number may go to another child. Nothing:
  // it lives.
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
    // Pending children that had begun, and orphans that were reaped, until then.
    std::uint64_t pending = 0;
    std::uint64_t orphans_ended = 0;
  };
  // Notes the present orphans.
  Look FindOrphans();
  // Reaps, and with `kill` kills, the orphans that were certainly no pending children when they were noted. Returns the
  // state of those that `look` found.
  Swept Sweep(const Look& look, bool kill);

  absl::Mutex mu_;
  std::set<pid_t> known_ ABSL_GUARDED_BY(mu_);
  // Orphans, and the number of pending children that had begun when the orphan was noted. An orphan is reaped only
  // together with its entry, so each number stays that of the same process.
  std::map<pid_t, std::uint64_t> orphans_ ABSL_GUARDED_BY(mu_);
  std::uint64_t orphans_ended_ ABSL_GUARDED_BY(mu_) = 0;
  std::set<std::uint64_t> pending_ ABSL_GUARDED_BY(mu_);  // under way
  std::uint64_t pending_begun_ ABSL_GUARDED_BY(mu_) = 0;
};

// PendingChild: a child that is being made. Made before the child can exist, and kept until the child was added or will
// not come. As long as it lives a new orphan may be this child, so no orphan is touched.
//
// Threads: one at a time. Ownership: `children` must outlive it.
class PendingChild {
 public:
  explicit PendingChild(ChildRegistry* children) : children_(children), number_(children->BeginPending()) {}
  PendingChild(PendingChild&& other) noexcept;
  PendingChild& operator=(PendingChild&& other) noexcept;
  ~PendingChild();

  // Adds the child with this pid. False: the process is no child of ours, or was added already.
  bool Add(pid_t pid) { return children_->Add(pid); }
  // Tells that posix_spawn failed. A child that it made and reaped by itself is forgotten.
  void Failed() { children_->ForgetOrphansSince(number_); }

 private:
  ChildRegistry* children_;
  std::uint64_t number_;
};

// OrphanSweep: a sweep through the daemon's children, which reaps dead orphans and kills living ones, if that is
// wanted.
//
// A sweep may take several calls, because orphans are told from pending children only when these have a pid. A sweep
// does not wait for pending children that began after its first look, so it ends also where there is always one under
// way. Threads: of the thread that made it. Ownership: `children` must outlive it.
class OrphanSweep {
 public:
  explicit OrphanSweep(ChildRegistry* children) : children_(children) {}

  // Goes on with the sweep. Call until the result is kClean. Without `kill`, orphans end by themselves.
  Swept Go(bool kill);
  // Begins anew, because a process died since the first look.
  void Restart() { looked_ = false; }

 private:
  ChildRegistry* const children_;
  bool looked_ = false;
  ChildRegistry::Look look_;
};

}  // namespace poold::process
