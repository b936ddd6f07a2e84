// The arenas of one maker: finds a free slot for a payload, makes another arena where there is none.
//
// Not thread-safe, but what was reserved may be written by any thread. Owns its mappings; an arena that the daemon has
// closed is let go.
// Memory: an arena for payloads of a size has about as many slots as there are of that size already: who hands over one
// at a time has one.
// Holds: a maker whose payloads may be held (arena_hold.h) keeps a descriptor of each arena, to look for them.
// Performance: a slot that was free before costs one exchange; the one freed last among the first is taken first, since
// its memory is warm. A new arena costs what new memory costs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "wire/arena.h"
#include "wire/unique_fd.h"

namespace poold::wire {

class ArenaMaker {
 public:
  // Whether readers may hold what lies there.
  enum class Holds { kNone, kHeeded };

  // It holds at most so many bytes.
  explicit ArenaMaker(std::uint64_t max_bytes, Holds holds = Holds::kNone) : max_bytes_(max_bytes), holds_(holds) {}

  struct Reserved {
    // As the daemon knows it.
    std::uint64_t arena = 0;
    ArenaPlace place;
    ArenaShape shape;
    // Where the payload is to be written. Valid as long as `mapping` is kept.
    char* memory = nullptr;
    std::shared_ptr<const ArenaMapping> mapping;
  };
  // Tells the daemon of a new arena: the number by which it is known from then on. Nothing: the daemon does not want
  // it.
  using Announce = absl::FunctionRef<std::optional<std::uint64_t>(int fd, const ArenaShape& shape)>;
  // Nothing: no room, here or in the daemon.
  std::optional<Reserved> Reserve(std::uint64_t payload_bytes, Announce announce);
  // It was not told to the daemon, or the daemon did not take it: the slot is free again. Harmless if it was taken.
  static void Abandon(const Reserved& reserved);

 private:
  struct Arena {
    std::uint64_t number;
    std::shared_ptr<const ArenaMapping> mapping;
    // None: nobody holds anything there.
    UniqueFd fd;

    bool held() const;
    bool held(std::uint32_t slot) const;
  };
  void DropClosed();
  std::optional<Reserved> ReserveIn(const Arena& arena, std::uint64_t payload_bytes);
  ArenaShape NextShape(std::uint64_t payload_bytes) const;
  bool MakeRoomFor(std::uint64_t bytes);

  const std::uint64_t max_bytes_;
  const Holds holds_;
  std::uint64_t bytes_ = 0;
  std::vector<Arena> arenas_;
};

}  // namespace poold::wire
