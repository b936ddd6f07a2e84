// The log lines about clients that are held up because the room for outcomes is full.
//
// A client is logged at once when it is held up, and again when it has not been held up for kOverFor. A client that is
// held up again in between is logged once.
// Thread-safe. Note is called inside events and writes nothing; Write is called outside.
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

}  // namespace poold::engine
