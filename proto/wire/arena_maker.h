// ArenaMaker: the arenas of one maker: finds a free slot for a payload, or makes another arena.
//
// Threads: not thread-safe, but any thread may write a reserved slot.
// Ownership: owns its mappings; drops an arena that the daemon has closed.
// Limits: a new arena for payloads of a size has about as many slots as there are of that size already: a process that
//   hands over one payload at a time has one slot.
// Performance: a slot costs one exchange; the first free slot is taken, since its memory is warm. A new arena costs as
//   much as new memory.
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
  // Whether readers may hold payloads (arena.h). With kHeeded the maker keeps a descriptor of each arena, to look
  // for holds.
  enum class Holds { kNone, kHeeded };

  // `max_bytes`: the most bytes of all its arenas.
  explicit ArenaMaker(std::uint64_t max_bytes, Holds holds = Holds::kNone) : max_bytes_(max_bytes), holds_(holds) {}

  // A slot for one payload.
  struct Reserved {
    // The arena's number in the daemon.
    std::uint64_t arena = 0;
    ArenaPlace place;
    ArenaShape shape;
    // The place for the payload. Valid as long as `mapping` is kept.
    char* memory = nullptr;
    std::shared_ptr<const ArenaMapping> mapping;
  };
  // Tells the daemon of a new arena and returns the number that the daemon gave to it. Nothing: the daemon does not
  // want the arena.
  using Announce = absl::FunctionRef<std::optional<std::uint64_t>(int fd, const ArenaShape& shape)>;
  // Reserves a slot for a payload. Nothing: there is no room, here or in the daemon.
  std::optional<Reserved> Reserve(std::uint64_t payload_bytes, Announce announce);
  // Frees a slot that the daemon was not told of, or did not take. Has no effect on a slot that the daemon has taken.
  // Any thread.
  static void Abandon(const Reserved& reserved);

 private:
  struct Arena {
    std::uint64_t number;
    std::shared_ptr<const ArenaMapping> mapping;
    // None: payloads of this maker are not held.
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
