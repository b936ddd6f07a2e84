// Maps that may get more items, by their clients.
//
// Without its client a map that is not complete would never end. So when a client has been absent for owner_grace,
// those maps that were there when it left are to be closed: NextLost. Role: knows which they are, and has one timer for
// each client (TimerKind::kMapOrphan). Non-role: closes none. Invariants (Check): a client is known while it has such a
// map; its maps are in the order in which they were opened. Thread safety: none; used under the core's mutex.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "core/node.h"
#include "core/timers.h"
#include "core/types.h"

namespace poold::core {

struct MapRun;  // this room hands it back, and never looks into it

// The place of a map among those of its client, while it may get more items. Only OpenMaps changes it.
struct OpenMap : Node {
  explicit OpenMap(MapRun* m) : Node(NodeKind::kList), map(m) {}
  MapRun* const map;
  std::uint64_t number = 0;  // in the order in which maps were opened
};

class OpenMaps {
 public:
  // One client's. Only OpenMaps changes it.
  struct Client {
    ClientId id{};
    NodeList maps;
    TimerId timer = kNoTimer;  // it is absent, and has not been so for long enough
    std::uint64_t last = 0;    // number of the last map that was there when it left
  };

  // `grace`: how long a client may be absent.
  OpenMaps(Nanos grace, Timers* timers) : grace_(grace), timers_(*timers) {}

  // REQUIRES, of the first: it is not known.
  void Add(ClientId client, OpenMap* map);
  // The map takes no more items. Nothing happens if it is not known.
  void Remove(ClientId client, OpenMap* map);
  void NotePresence(Nanos now, ClientId client, bool present);
  // Its timer has fired: a map that was there when it left; null if there is none.
  MapRun* NextLost(ClientId client) const;
  // The timer fires once more, now.
  void GoOnLater(Nanos now, ClientId client);

  // The first invariant that does not hold; empty if all do.
  std::string Check() const;

 private:
  const Nanos grace_;
  Timers& timers_;
  absl::flat_hash_map<ClientId, std::unique_ptr<Client>> clients_;
  std::uint64_t last_ = 0;
};

}  // namespace poold::core
