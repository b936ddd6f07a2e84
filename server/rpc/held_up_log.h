// Tells the log which clients are held up for want of room: at once when it begins, and when it has been over for a
// while. One that is held up again and again in between is told once.
//
// Thread-safe. Note is called inside of events and writes nothing; Write is called outside.
#pragma once

#include <atomic>
#include <map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/ports.h"
#include "rpc/client_names.h"

namespace poold::rpc {

class HeldUpLog {
 public:
  static constexpr core::Nanos kOverFor = 10 * core::kSecond;

  void Note(const core::ClientView& client, bool held_up);
  // Write has, or may soon have, something to do.
  bool waits() const { return waits_.load(std::memory_order_relaxed); }
  void Write(core::Nanos now, const ClientNames& names);

 private:
  struct Notice {
    core::ClientView client;
    bool held_up = false;
  };
  struct Told {
    core::Nanos over_since = core::kNever;  // kNever: it is held up
    core::ClientView then;                  // when it was over
  };
  std::vector<Notice> TakeDue(core::Nanos now);

  std::atomic<bool> waits_ = false;
  absl::Mutex mu_;
  std::vector<Notice> notices_ ABSL_GUARDED_BY(mu_);
  std::map<core::ClientId, Told> told_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poold::rpc
