// Arena: the daemon's view of a payload arena that another process made (wire/arena.h).
//
// Threads: thread-safe.
// Ownership: owned by the representative of its maker (a connection, a worker) and by every payload in the arena. The
//   arena counts with its whole size in the quota of payloads in memory from the beginning, because the maker may fill
//   the arena.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/payload_file.h"
#include "base/quota.h"
#include "wire/arena.h"
#include "wire/unique_fd.h"

namespace poold::base {

class Arena : public std::enable_shared_from_this<Arena> {
 public:
  // `room` and `files` are reservations for the arena's memory and its descriptor.
  Arena(std::uint64_t number, wire::UniqueFd fd, wire::ArenaMapping mapping, Reservation room, Reservation files);
  // Closes the arena and gives its memory back, though others have the arena mapped, unless its maker has filled a slot
  // that the daemon has not taken.
  ~Arena();

  // The arena's name for makers and readers. Never used again.
  std::uint64_t number() const { return number_; }
  int fd() const { return fd_.get(); }
  const wire::ArenaMapping& mapping() const { return mapping_; }

  // Takes the payload in that slot; its bytes stay until the last owner of the result is gone. NOT_FOUND: the slot has
  // another payload by now. INVALID_ARGUMENT: there is no such slot.
  absl::StatusOr<std::shared_ptr<const PayloadFile>> Take(wire::ArenaPlace place, std::uint64_t bytes);

  // Tells the maker to use no more slots. Gives memory and room back as soon as the arena is unused: now, when its last
  // payload is gone, or in a later call.
  void Close();
  // Whether no payload lies in the arena and no client holds a slot.
  bool unused() const;
  // Whether the arena was closed and its memory was given back.
  bool empty() const { return empty_.load(std::memory_order_acquire); }
  // Whether a payload was taken or freed since the last call; true for the first.
  bool TakeTouched() { return touched_.exchange(false, std::memory_order_relaxed); }

  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

 private:
  friend class PayloadFile;
  void Free(wire::ArenaPlace place);
  void EmptyIfUnused();

  const std::uint64_t number_;
  const wire::UniqueFd fd_;
  const wire::ArenaMapping mapping_;
  std::atomic<bool> touched_ = true;
  std::atomic<bool> empty_ = false;

  absl::Mutex mu_;
  Reservation room_ ABSL_GUARDED_BY(mu_);
  const Reservation files_;
};

// ArenaTable: the daemon's arenas by number, and the closing of those that are not used.
//
// Threads: thread-safe. Ownership: owns only arenas that were given to Keep.
class ArenaTable {
 public:
  // Draws a number that no other arena has, in this daemon or in another daemon's life, and that cannot be guessed.
  static std::uint64_t NewNumber();
  void Add(const std::shared_ptr<Arena>& arena);
  // Null: there is no such arena, or no longer.
  std::shared_ptr<Arena> Find(std::uint64_t number);

  // Keeps an arena whose maker is gone, as long as a submission on another connection may still name its payloads.
  void Keep(std::shared_ptr<Arena> arena);

  // Closes arenas without payloads, because their room is wanted. Returns how many gave their memory back.
  std::size_t CloseUnused();
  // Closes arenas that were not touched since the last call and have no payloads, and drops such arenas from Keep. Call
  // once in a while.
  void CloseForgotten();
  // Runs CloseForgotten once every 30 s, however many threads call: an arena that is idle for 30 to 60 s is closed.
  // Returns the ns until the next run.
  std::int64_t Tend(std::int64_t now);

 private:
  void LetGo(const std::shared_ptr<Arena>& arena);
  // The arenas that live; forgets the others.
  std::vector<std::shared_ptr<Arena>> Living();

  // In ns.
  static constexpr std::int64_t kTurn = 30'000'000'000;

  absl::Mutex mu_;
  std::int64_t next_turn_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<std::uint64_t, std::weak_ptr<Arena>> arenas_ ABSL_GUARDED_BY(mu_);
  std::vector<std::shared_ptr<Arena>> kept_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poold::base
