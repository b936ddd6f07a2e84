// The arenas that are here, by number, and when to give back those that nobody uses.
//
// Thread-safe. Owns none of them but those that were left to it.
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
  // A number that no other arena has, here or in another daemon's life, and that nobody can guess.
  static std::uint64_t NewNumber();
  void Add(const std::shared_ptr<Arena>& arena);
  // Null: there is none, or none any more.
  std::shared_ptr<Arena> Find(std::uint64_t number);

  // Its maker is gone. What it filled may be spoken of yet, on another connection: keeps it while that may be.
  void Keep(std::shared_ptr<Arena> arena);

  // Closes those in which nothing lies: their room is wanted. How many that were.
  std::size_t CloseUnused();
  // Closes those that nobody has touched since the last call, if nothing lies there, and lets go of those that it
  // keeps. To be called now and then.
  void CloseForgotten();
  // The same once a turn, whoever comes and however many do: what lies still for one to two turns is forgotten. Returns
  // the nanoseconds until the next turn.
  std::int64_t Tend(std::int64_t now);

 private:
  void LetGo(const std::shared_ptr<Arena>& arena);
  // Those that live; forgets the others.
  std::vector<std::shared_ptr<Arena>> Living();

  static constexpr std::int64_t kTurn = 30'000'000'000;

  absl::Mutex mu_;
  std::int64_t next_turn_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<std::uint64_t, std::weak_ptr<Arena>> arenas_ ABSL_GUARDED_BY(mu_);
  std::vector<std::shared_ptr<Arena>> kept_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poold::base
