// A function under which workers keep dying is fenced for a while.
//
// Life: after kDeathsToFence deaths without a call that came back the fence stands for kFirstFence. Then one task (or
// one item of a map) may try. If its call comes back the fence falls at once; if its worker dies too, the fence stands
// again, for twice as long, up to kLongestFence; if the try ends in any other way, another one may try. Deaths that we
// caused (time limit, cancel, terminate) do not count, nor those that others did: an operator who kills workers does not
// mean the function.
//
// What waits at the fence lies in lists of its own, one for each line that it came from: it is moved there when it
// comes to the front of its line, in constant time, and goes back all at once, in constant time for each line.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "core/node.h"
#include "core/ready_queue.h"
#include "core/types.h"

namespace poold::core {

inline constexpr std::uint32_t kDeathsToFence = 5;
inline constexpr Nanos kFirstFence = kSecond;
inline constexpr Nanos kLongestFence = 60 * kSecond;

struct Fence {
  struct Line {
    ReadyQueue* ready = nullptr;
    ClientQueue* queue = nullptr;
    NodeList waiting;
  };
  // The priority, negative (higher ones first); the client; whether it waits for an unused worker.
  using LineKey = std::tuple<int, ClientId, bool>;

  bool stands = false;
  Nanos span = kFirstFence;
  Nanos until = 0;               // when one may try
  std::uint64_t trial = 0;       // token of the attempt that tries; 0: none does
  const Node* called = nullptr;  // back in its line, to be the next one that tries
  LineKey last_called{};
  std::map<LineKey, Line> lines;  // none of them empty
  std::uint16_t era = 1;          // of this standing: Handle::held of those that wait here
};

}  // namespace poold::core
