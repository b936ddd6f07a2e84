// What is known of one client as far as its outcomes go.
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

// Tasks of one client that wait for room: its line in a ready queue of a pool. This room hands it back, and never looks
// into it.
struct HeldLine {
  Pool* pool = nullptr;
  ReadyQueue* ready = nullptr;
  ClientQueue* queue = nullptr;
};

// A client that is present, or of which something waits, runs or is kept. A node while some line of it is held up. Only
// KeptOutcomes and OutcomeRoom change it.
struct ClientQuota : Node {
  ClientQuota() : Node(NodeKind::kList) {}
  ClientId id{};
  ClientOrigin origin;        // of its latest session or call
  std::uint64_t number = 0;   // in the order in which clients became known
  std::uint32_t queues = 0;   // ClientQueues that refer to it
  bool present = false;       // it has a session
  std::size_t place = 0;      // among those that are present
  bool is_short = false;      // it was told that its room is short
  bool told_held_up = false;  // it was told of as held up

  std::uint64_t used = 0;         // bytes of its kept outcomes
  NodeList kept;                  // its ended handles; the first one goes first
  TimerId kept_timer = kNoTimer;  // when the first one has been kept for long enough
  Nanos oldest_left = kNever;     // its key among those that left something; kNever: it is not there

  NodeList aside;  // its ended handles that were to go, and somebody waits for
  std::uint64_t aside_bytes = 0;
  Nanos oldest_aside = kNever;  // its key among those that left something aside; kNever: it is not there

  std::vector<HeldLine> held;  // its lines that are held up
  bool waking = false;         // it may have room again, and its lines are about to be looked at
};

}  // namespace poold::core
