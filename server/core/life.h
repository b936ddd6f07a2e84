// Life cycles: the states of a thing, which may follow which, and the one function that makes a transition.
//
// Role: order of states. Non-role: does nothing that a transition brings with it; its callers do.
// Errors: a transition that is not in the table aborts, since only a bug would make it. Thread safety: none; used under
// the core's mutex.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace poold::core {

// One row of a table of transitions.
template <typename State>
struct Transition {
  State from;
  State to;
};

// Says which transition was tried, and aborts.
[[noreturn]] void RefuseTransition(int from, int to);

template <const auto& kTable>
class LifeCycle;

// A state that only its LifeCycle changes. Everybody reads it as the state itself.
template <typename State>
class Life {
 public:
  explicit constexpr Life(State first) : state_(first) {}
  constexpr operator State() const { return state_; }

 private:
  template <const auto& kTable>
  friend class LifeCycle;
  State state_;
};

// `kTable`: an array of Transition<State>, at most 32, each once. The values of State are below 16.
template <const auto& kTable>
class LifeCycle {
 public:
  // Makes the transition, or aborts.
  template <typename State>
  void Move(Life<State>& life, State to) {
    const std::uint8_t place = kPlaces[Index(life.state_, to)];
    if (place == kNone) RefuseTransition(static_cast<int>(life.state_), static_cast<int>(to));
    made_ |= 1u << place;
    life.state_ = to;
  }

  // Transitions that were made so far: a bit for each, by its place in the table.
  std::uint32_t made() const { return made_; }

 private:
  static constexpr std::uint8_t kNone = 0xff;
  template <typename State>
  static constexpr std::size_t Index(State from, State to) {
    return static_cast<std::size_t>(from) << 4 | static_cast<std::size_t>(to);
  }
  // Of each pair of states, its place in the table: found at once, since tasks have one.
  static constexpr std::array<std::uint8_t, 256> kPlaces = [] {
    std::array<std::uint8_t, 256> places{};
    places.fill(kNone);
    std::uint8_t place = 0;
    for (const auto& [from, to] : kTable) places[Index(from, to)] = place++;
    return places;
  }();

  std::uint32_t made_ = 0;
};

}  // namespace poold::core
