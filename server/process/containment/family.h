// The children of this process, of all its threads: which of them it made. Another one is a stranger: an orphan that
// came to it, or a child that is being born and has no name yet.
//
// Thread-safe. Each child belongs to the thread that made it, and only that one reaps it; strangers are anybody's
// (orphan_sweep.h).
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
// It is there and not only a zombie.
bool IsAlive(pid_t pid);

enum class Swept : std::uint8_t {
  kClean,   // when it looked there was no stranger: what the dead of before had left is gone
  kSome,    // there were some
  kPutOff,  // there may be some: a birth that was under way must end first
};

class Family {
 public:
  // Children that are there already are not ours to touch.
  Family();

  // Of a child that was added; nothing while it lives. It is reaped and forgotten in one: in between its number could
  // be given to another child.
  std::optional<Death> Reap(pid_t pid);

 private:
  friend class Birth;
  friend class OrphanSweep;

  // Births are numbered as they begin.
  std::uint64_t BeginBirth();
  void EndBirth(std::uint64_t birth);
  bool Add(pid_t pid);
  void ForgetStrangersSince(std::uint64_t birth);

  struct Look {
    std::uint64_t births = 0;           // begun until then
    std::uint64_t strangers_ended = 0;  // reaped until then
  };
  // Takes down who is a stranger now.
  Look LookForStrangers();
  // Reaps, and kills if wanted, the strangers that are certainly none of those that were being born when they were
  // taken down. How it stands with those that `look` found.
  Swept Settle(const Look& look, bool kill);

  absl::Mutex mu_;
  std::set<pid_t> known_ ABSL_GUARDED_BY(mu_);
  // Children that are not known, and how many births had begun when they were taken down. Nobody reaps them without
  // taking them out of here, so each number stays that of the same process.
  std::map<pid_t, std::uint64_t> strangers_ ABSL_GUARDED_BY(mu_);
  std::uint64_t strangers_ended_ ABSL_GUARDED_BY(mu_) = 0;
  std::set<std::uint64_t> births_ ABSL_GUARDED_BY(mu_);  // under way
  std::uint64_t births_begun_ ABSL_GUARDED_BY(mu_) = 0;
};

// A child that is being made: to be there before the child can be, and until it was added or will not come. So long a
// stranger that is seen may be this child, and nobody touches it.
//
// Threads: one at a time. Ownership: `family` must outlive it.
class Birth {
 public:
  explicit Birth(Family* family) : family_(family), number_(family->BeginBirth()) {}
  Birth(Birth&& other) noexcept;
  Birth& operator=(Birth&& other) noexcept;
  ~Birth();

  // This is the child. False: it is none of ours, or somebody has it already.
  bool Add(pid_t pid) { return family_->Add(pid); }
  // posix_spawn failed. There may have been a child, which it has reaped behind our back.
  void Failed() { family_->ForgetStrangersSince(number_); }

 private:
  Family* family_;
  std::uint64_t number_;
};

}  // namespace poold::process
