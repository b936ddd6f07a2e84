// ArenaTable: the daemon's arenas by number, and the return of those that are not used.
//
// Threads: thread-safe.
// Ownership: owns only arenas that were given to Keep.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "base/arena.h"

namespace poold::base {

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
