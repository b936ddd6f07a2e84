// A function under which workers keep dying is held back for a while by its circuit breaker.
//
// Life: the breaker is closed. After kDeathsToTrip deaths without a call that came back it trips: it is open for
// kFirstBreakerPause, and calls of the function wait. Then one call (a task, or one item of a map) is the probe. If the
// probe comes back the breaker closes at once; if its worker dies too, the breaker stays open for twice as long, up to
// kLongestBreakerPause; if the probe ends in any other way, another call may be the probe. Deaths that we caused (time
// limit, cancel, terminate) do not count, nor do those that others caused: an operator who kills workers does not mean
// the function.
//
// Calls that wait at an open breaker lie in lists of its own, one for each line of a ready queue that they came from. A
// call is moved there when it comes to the front of its line, in constant time; all go back at once, in constant time
// for each line.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "core/node.h"
#include "core/scheduler/ready_queue.h"
#include "core/types.h"

namespace poold::core {

inline constexpr std::uint32_t kDeathsToTrip = 5;
inline constexpr Nanos kFirstBreakerPause = kSecond;
inline constexpr Nanos kLongestBreakerPause = 60 * kSecond;

struct CircuitBreaker {
  struct Line {
    ReadyQueue* ready = nullptr;
    ClientQueue* queue = nullptr;
    NodeList waiting;
  };
  // The priority, negative (higher ones first); the client; whether it waits for an unused worker.
  using LineKey = std::tuple<int, ClientId, bool>;

  bool open = false;
  Nanos span = kFirstBreakerPause;
  Nanos until = 0;               // when one may try
  std::uint64_t probe = 0;       // token of the attempt that tries; 0: none does
  const Node* called = nullptr;  // back in its line, to be the next one that tries
  LineKey last_called{};
  std::map<LineKey, Line> lines;  // none of them empty
  std::uint16_t epoch = 1;        // of this standing: Handle::held of those that wait here
};

}  // namespace poold::core
