// HeldUpLog: the log lines about clients that are held up because the quota of outcomes is used up.
//
// Role: logs a client at once when it is held up, and again when it has not been held up for kOverFor. A client that is
// held up again in between is logged once. Threads: thread-safe. Note is called inside events and writes nothing; Write
// is called outside.
#pragma once

#include <atomic>
#include <map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/ports.h"
#include "engine/client_names.h"

namespace poold::engine {

class HeldUpLog {
 public:
  static constexpr core::Nanos kOverFor = 10 * core::kSecond;

  // Notes that a client is held up, or no longer.
  void Note(const core::ClientView& client, bool held_up);
  // Whether Write has, or may soon have, something to do.
  bool waits() const { return waits_.load(std::memory_order_relaxed); }
  // Writes the lines that are due.
  void Write(core::Nanos now, const ClientNames& names);

 private:
  struct Notice {
    core::ClientView client;
    bool held_up = false;
  };
  struct Told {
    // The moment in ns at which the client was let go; kNever: the client is held up.
    core::Nanos over_since = core::kNever;
    // The client at that moment.
    core::ClientView then;
  };
  std::vector<Notice> TakeDue(core::Nanos now);

  std::atomic<bool> waits_ = false;
  absl::Mutex mu_;
  std::vector<Notice> notices_ ABSL_GUARDED_BY(mu_);
  std::map<core::ClientId, Told> told_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poold::engine
