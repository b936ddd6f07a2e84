// HalfRead: memory for messages that have not wholly come, and the choice of the connection that is cut when others
// need that memory.
//
// Role: counts memory in the part `half_read` of the budget before it is taken, for each connection and for all
// together. When there is
//   no room it cuts connections that have stalled before all others; among them those of the peer that holds most; of
//   these the one that holds most. So connections that stop half-way gain nothing, and a client that sends each message
//   at one go loses nothing. A connection that is cut holds nothing from then on: its memory is free a moment later.
//   Non-role: closes no connection itself.
// Threads: thread-safe. Ownership: each receiver of messages owns a Holder.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "base/quota.h"
#include "core/types.h"
#include "transport/peer.h"

namespace poold::transport {

class HalfRead {
 public:
  // A connection that brings fewer bytes in this time has stalled.
  static constexpr std::uint64_t kProgressBytes = 256 << 10;
  static constexpr core::Nanos kStalledFrom = 2 * core::kSecond;

  enum class Need {
    kCanWait,  // only stalled connections are cut
    kNow,      // a connection is cut, maybe the asking one
  };

  // The memory that one connection holds. Used by its owner, one thread at a time.
  class Holder {
   public:
    // `cut` makes the connection end soon; `held`: the bytes that it held. Called once at most, by any thread, not
    // during or after the destructor. It must not call a Holder. `fd`: where bytes wait in this descriptor, the daemon
    // is late and the client has not stalled; -1: the owner does not always read all bytes.
    Holder(std::shared_ptr<HalfRead> room, const Peer& peer, int fd, std::function<void(std::uint64_t held)> cut);
    ~Holder();
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

    // Counts bytes that came, of any message.
    void Came(std::uint64_t bytes, core::Nanos now);
    // Changes the bytes that the connection holds in all. Less is always possible. False: nothing was taken, or the
    // connection was cut; with kNow only the latter.
    bool Hold(std::uint64_t bytes, Need need, core::Nanos now);
    std::uint64_t held() const { return held_; }
    bool is_cut() const { return is_cut_; }

   private:
    friend class HalfRead;
    using PeerKey = std::tuple<std::string, uid_t, pid_t>;

    bool HasStalled(core::Nanos now) const;

    const std::shared_ptr<HalfRead> room_;
    const PeerKey peer_;
    const int fd_;
    const std::function<void(std::uint64_t held)> cut_;
    // Bytes that came since `progress_at_`.
    std::uint64_t came_ = 0;
    // Written under the room's mutex, as the three that follow; read by any thread.
    std::atomic<std::uint64_t> held_ = 0;
    std::atomic<bool> is_cut_ = false;
    // The connection waits for room, and would go on if there were some: it has not stalled.
    std::atomic<bool> waits_ = false;
    std::atomic<core::Nanos> progress_at_ = 0;
  };

  explicit HalfRead(std::shared_ptr<base::Quota> quota) : quota_(std::move(quota)) {}

 private:
  bool Resize(Holder* holder, std::uint64_t bytes, Need need, core::Nanos now);
  bool Take(Holder* holder, std::uint64_t more, Need need, core::Nanos now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The holder that is cut next. Null: none.
  Holder* WhoGoes(Need need, core::Nanos now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Cut(Holder* holder) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void GiveBack(Holder* holder, std::uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::shared_ptr<base::Quota> quota_;
  absl::Mutex mu_;
  // The holders that hold memory.
  absl::flat_hash_set<Holder*> holders_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poold::transport
