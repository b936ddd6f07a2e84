// How far a task is: the bytes of a kProgress record (outcome_ring.h), eight bytes of fraction and then the text.
//
// Trust: what is read is made harmless: see the fields.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace poold::wire {

inline constexpr std::size_t kMaxProgressTextBytes = 200;

struct ProgressNote {
  // From 0 to 1; -1: it cannot tell.
  double fraction = -1;
  // Valid UTF-8 of at most kMaxProgressTextBytes.
  std::string text;
  friend bool operator==(const ProgressNote&, const ProgressNote&) = default;
};

// Whatever is given, as the fields promise it: NaN and negative fractions are -1, larger ones than 1 are 1.
ProgressNote MakeProgressNote(double fraction, std::string_view text);

std::string WriteProgressNote(const ProgressNote& note);
// Nothing: these are not the bytes of one.
std::optional<ProgressNote> ReadProgressNote(std::string_view bytes);

}  // namespace poold::wire
