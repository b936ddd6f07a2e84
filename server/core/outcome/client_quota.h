// The facts about one client as far as its outcomes go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/node.h"
#include "core/timers.h"
#include "core/types.h"

namespace poold::core {

struct ClientQueue;
struct Pool;
class ReadyQueue;

// A line of a ready queue, all of one client, that waits for room for outcomes. This room hands it back to the
// scheduler, and never looks into it.
struct HeldLine {
  Pool* pool = nullptr;
  ReadyQueue* ready = nullptr;
  ClientQueue* queue = nullptr;
};

// The place of a map that runs, and of which outcomes are kept, among those of its client. This room hands back the
// handle.
struct KeepsAndRuns : Node {
  explicit KeepsAndRuns(Node* h) : Node(NodeKind::kList), handle(h) {}
  Node* const handle;
};

// A client that is present, or of which something waits, runs or is kept. A node (in KeptOutcomes) while some line of
// it is held up. Only KeptOutcomes and OutcomeRoom change it.
struct ClientQuota : Node {
  ClientQuota() : Node(NodeKind::kList) {}
  ClientId id{};
  // Of its latest session or call.
  ClientOrigin origin;
  // Its place in the order in which clients became known, from 1. Tells clients apart in sets that are sorted by time.
  std::uint64_t number = 0;
  // ClientQueues that refer to it. At 0, and not present, the client is forgotten.
  std::uint32_t queues = 0;
  // The client has a session, and so a floor.
  bool present = false;
  // Index in OutcomeRoom::present(); valid while `present`.
  std::size_t place = 0;
  // ClientPort::RoomIsShort(true) was the last that it was told.
  bool is_short = false;
  // ClientPort::ClientIsHeldUp(true) was the last that was told of it.
  bool told_held_up = false;

  // Bytes of its kept outcomes, set aside or not.
  std::uint64_t used = 0;
  // Its ended handles in the order of their ends: the front one goes first.
  NodeList kept;
  // When the front one of `kept` has been kept for outcome_ttl (TimerKind::kOutcomes).
  TimerId kept_timer = kNoTimer;
  // Its key in the order of clients that left something; kNever: it is not in that order.
  Nanos oldest_left = kNever;

  // Its ended handles that were to make way and somebody waits for, oldest first.
  NodeList aside;
  // Bytes of `aside`, counted in `used` too.
  std::uint64_t aside_bytes = 0;
  // Its key in the order of clients that left something aside; kNever: it is not in that order.
  Nanos oldest_aside = kNever;

  // Its maps that run and of which outcomes are kept: KeepsAndRuns.
  NodeList running;
  // It is among the clients that are not present and have such maps.
  bool runs_on = false;

  // Its lines that are held up. It is in a list of KeptOutcomes exactly while there are some.
  std::vector<HeldLine> held;
  // It may have room again, and its lines are about to be looked at.
  bool waking = false;
};

}  // namespace poold::core
