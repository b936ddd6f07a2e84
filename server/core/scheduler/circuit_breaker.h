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
// Thread safety: none; used under the core's mutex.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "absl/functional/function_ref.h"
#include "core/node.h"
#include "core/scheduler/ready_queue.h"
#include "core/timers.h"
#include "core/types.h"

namespace poold::core {

struct Handle;
struct Pool;
struct PoolFunction;

inline constexpr std::uint32_t kDeathsToTrip = 5;
inline constexpr Nanos kFirstBreakerPause = kSecond;
inline constexpr Nanos kLongestBreakerPause = 60 * kSecond;

// Of one function. Only CircuitBreakers changes it.
struct CircuitBreaker {
  // The calls that wait here and came from one line of a ready queue.
  struct Line {
    ReadyQueue* ready = nullptr;
    ClientQueue* queue = nullptr;
    NodeList waiting;
  };
  // The priority, negative (higher ones first); the client; whether it waits for an unused worker.
  using LineKey = std::tuple<int, ClientId, bool>;

  bool open = false;
  Nanos span = kFirstBreakerPause;
  // The moment from which a call may be the probe.
  Nanos until = 0;
  // Token of the attempt that is the probe; 0: none is.
  std::uint64_t probe = 0;
  // The handle that went back to its line to be the next probe; null: none did.
  const Node* called = nullptr;
  LineKey last_called{};
  // The calls that wait; no line is empty.
  std::map<LineKey, Line> lines;
  // Grows with each closing; never 0. Handle::held of the calls that wait here.
  std::uint16_t epoch = 1;
};

// Role: counts deaths, opens and closes breakers, holds the calls that wait at them, and calls one of these for a
// probe. Non-role: sends nothing, and takes nothing back that was sent. Invariants (Check): Pool::breakers_open is the
// number of those that are open; at one that is closed nobody waits and nobody tries; no line is empty.
class CircuitBreakers {
 public:
  // Whether there is room for the outcome of the first one of a line; where there is none, the line is held up.
  using HasRoom = absl::FunctionRef<bool(const Handle&)>;

  explicit CircuitBreakers(Timers* timers) : timers_(timers) {}

  // The open breaker at which this handle has to wait; null if none is open.
  static CircuitBreaker* Of(const Handle& handle);
  // Whether the handle waits at its breaker.
  static bool IsHeld(const Handle& handle);
  // Whether this attempt of the handle is the probe.
  static bool IsProbe(const Handle& handle, std::uint64_t token);

  // The handle, next in its line, has to wait: it goes to its breaker. REQUIRES: the breaker is open.
  static void Hold(Handle& handle);
  // Takes it out of its line, or of the list of its breaker. REQUIRES: it waits in one of them.
  static void LeaveLine(Handle& handle);
  // One of those that wait at each open breaker of the pool goes back to its line, if it is time and nobody tries: the
  // most urgent one, in turns between clients.
  void CallForProbes(Pool& pool, Nanos now, HasRoom has_room);
  // A line of the pool was held up: if a call in it was to be the probe, another one may be.
  void LineIsHeldUp(Pool& pool, const ClientQueue* queue);
  // Since the last CallForProbes a line was held up that had a call which was to be tried.
  bool probes_uncalled() const { return probes_uncalled_; }

  // An attempt is sent, or is no longer with its worker.
  static void NoteSent(const Handle& handle, std::uint64_t token);
  static void NoteLeft(const Handle& handle, std::uint64_t token);
  // Calls of this function came back from workers: its breaker closes.
  void CallsCameBack(Pool& pool, std::uint32_t function, Nanos now);
  // A worker died under this function. `probe`: under the attempt that tried. REQUIRES: what died is in no list.
  void NoteDeath(Pool& pool, std::uint32_t function, bool probe, KilledBy killed_by, Nanos now);
  // Closes all breakers of the pool: what waited there is in the ready queues again.
  void Close(Pool& pool, Nanos now);
  // As Close, and no death is counted any more.
  void ForgetDeaths(Pool& pool, Nanos now);
  // Sets the timer of the pool (TimerKind::kPoolBreakers). Call when it has fired.
  void Arm(Pool& pool, Nanos now);

  // The first invariant of this pool that does not hold; empty if all do.
  static std::string Check(const Pool& pool);

 private:
  using Lines = std::map<CircuitBreaker::LineKey, CircuitBreaker::Line>;

  static Lines::iterator LineToCall(CircuitBreaker& breaker, HasRoom has_room);
  static void CallForProbe(PoolFunction& function, Nanos now, HasRoom has_room);
  void CloseOne(Pool& pool, PoolFunction& function, Nanos now);

  Timers* const timers_;
  bool probes_uncalled_ = false;
};

}  // namespace poold::core
