// The life of a handle as its client knows it: the states, which may follow which, and the one function that makes a
// transition. The function aborts on a transition that is not in the tables: only a bug would make it.
//
// Role: order of states. Non-role: does nothing that a transition brings with it; the session does.
// Thread safety: any thread reads; the holder of the owner's lock changes. A change is published with release.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace poold::client::internal {

// The states up to kWaitingToCancel are pending ones; one of the others is the end.
enum class Phase : std::uint8_t {
  // In this client alone: new, or waiting for room in the daemon or for an upload.
  kWaiting,
  // In a batch: under way to the daemon, or there.
  kSent,
  // As kSent, and a cancel was asked for: if the daemon refuses the task for want of room, the task ends here.
  kCancelling,
  // As kWaiting, after kCancelling: a cancel follows as soon as the task is sent again.
  kWaitingToCancel,
  // The result came inline (of a map: all items succeeded).
  kSucceeded,
  // detail->outcome has the end (of a map: the map is over).
  kEnded,
  // As kEnded: CANCELLED, and the daemon has never taken the task.
  kNeverSent,
  // detail->refusal has the reason: refused, or not known.
  kRefused,
  // As kRefused: the daemon was restarted and does not know the handle.
  kLost,
};

// The holders of a handle's state.
enum class Holder : std::uint8_t {
  // Handles of the user.
  kHandles,
  // Nobody: the last handle was dropped, and the session has seen that.
  kNobody,
};

// The input of a map.
enum class MapInput : std::uint8_t {
  // Items may be added.
  kOpen,
  // All items were added.
  kComplete,
  // The daemon takes no more items. Those that the daemon did not take end with MapHandleState::why_cut_short.
  kCutShort,
};

template <typename State>
struct Transition {
  State from;
  State to;
};

// The daemon's word ends a handle in whatever pending state the handle is.
inline constexpr Transition<Phase> kPhaseTransitions[] = {
    {Phase::kWaiting, Phase::kSent},
    {Phase::kWaiting, Phase::kSucceeded},
    {Phase::kWaiting, Phase::kEnded},
    {Phase::kWaiting, Phase::kNeverSent},  // cancelled
    {Phase::kWaiting, Phase::kRefused},    // by this client, or the upload came to nothing
    {Phase::kWaiting, Phase::kLost},       // resumed by a text of another instance
    {Phase::kSent, Phase::kWaiting},       // refused for now, or the upload is gone
    {Phase::kSent, Phase::kCancelling},    // cancelled
    {Phase::kSent, Phase::kSucceeded},
    {Phase::kSent, Phase::kEnded},
    {Phase::kSent, Phase::kRefused},
    {Phase::kSent, Phase::kLost},                   // the daemon was restarted
    {Phase::kCancelling, Phase::kWaitingToCancel},  // the upload is gone, or items came behind refused ones
    {Phase::kCancelling, Phase::kSucceeded},
    {Phase::kCancelling, Phase::kEnded},
    {Phase::kCancelling, Phase::kNeverSent},  // refused for want of room
    {Phase::kCancelling, Phase::kRefused},
    {Phase::kCancelling, Phase::kLost},
    {Phase::kWaitingToCancel, Phase::kCancelling},  // sent again
    {Phase::kWaitingToCancel, Phase::kSucceeded},   // an earlier stream had brought the task already
    {Phase::kWaitingToCancel, Phase::kEnded},
    {Phase::kWaitingToCancel, Phase::kNeverSent},  // cancelled once more
    {Phase::kWaitingToCancel, Phase::kRefused},
};

inline constexpr Transition<Holder> kHolderTransitions[] = {
    {Holder::kHandles, Holder::kNobody}, {Holder::kNobody, Holder::kHandles},  // resumed, or handed to a callback
};

inline constexpr Transition<MapInput> kMapInputTransitions[] = {
    {MapInput::kOpen, MapInput::kComplete},
    {MapInput::kOpen, MapInput::kCutShort},
    {MapInput::kComplete, MapInput::kCutShort},
};

// The table of a kind of state.
constexpr const auto& TransitionsOf(Phase) { return kPhaseTransitions; }
constexpr const auto& TransitionsOf(Holder) { return kHolderTransitions; }
constexpr const auto& TransitionsOf(MapInput) { return kMapInputTransitions; }

// More than any kind has states.
inline constexpr std::size_t kMostStates = 16;

// The states that follow each state, one bit for each.
template <typename State>
constexpr std::array<std::uint16_t, kMostStates> FollowersOf() {
  std::array<std::uint16_t, kMostStates> followers{};
  for (const Transition<State>& one : TransitionsOf(State{})) {
    followers[static_cast<std::size_t>(one.from)] |= 1u << static_cast<unsigned>(one.to);
  }
  return followers;
}

// Ends the process.
[[noreturn]] void RefuseTransition(int from, int to);

// A state that only Move changes.
template <typename State>
class Life {
 public:
  explicit constexpr Life(State first) : state_(first) {}

  // The state. REQUIRES: the owner's lock is held, or the caller needs nothing that the state speaks of.
  State now() const { return state_.load(std::memory_order_relaxed); }
  // The state; everything that was written before the transition to the state can be read.
  State published() const { return state_.load(std::memory_order_acquire); }
  // Makes the transition, or aborts. REQUIRES: the owner's lock is held.
  void Move(State to) {
    static constexpr auto kFollowers = FollowersOf<State>();
    const State from = now();
    const std::uint16_t bit = 1u << static_cast<unsigned>(to);
    if ((kFollowers[static_cast<std::size_t>(from)] & bit) == 0)
      RefuseTransition(static_cast<int>(from), static_cast<int>(to));
    std::atomic<std::uint16_t>& made = made_[static_cast<std::size_t>(from)];
    if ((made.load(std::memory_order_relaxed) & bit) == 0) made.fetch_or(bit, std::memory_order_relaxed);
    state_.store(to, std::memory_order_release);
  }
  // Begins another life. REQUIRES: nobody else sees the state.
  void Restart(State first) { state_.store(first, std::memory_order_relaxed); }

  // Whether this process has made the transition, for tests.
  static bool WasMade(State from, State to) {
    return (made_[static_cast<std::size_t>(from)].load(std::memory_order_relaxed) >> static_cast<unsigned>(to) & 1) !=
           0;
  }

 private:
  static inline std::array<std::atomic<std::uint16_t>, kMostStates> made_{};

  std::atomic<State> state_;
};

}  // namespace poold::client::internal
