// ProgressNote: a task's report of its progress, as the bytes of a kProgress record (outcome_ring.h): eight bytes of
// fraction, then the text.
//
// Trust: reading makes every value safe, as the members say.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace poold::wire {

inline constexpr std::size_t kMaxProgressTextBytes = 200;

// A plain value.
struct ProgressNote {
  // From 0 to 1; -1: the task cannot tell.
  double fraction = -1;
  // Valid UTF-8 of at most kMaxProgressTextBytes bytes.
  std::string text;
  friend bool operator==(const ProgressNote&, const ProgressNote&) = default;
};

// A note from any values: NaN and negative fractions become -1, fractions above 1 become 1; the text is cut and
// repaired.
ProgressNote MakeProgressNote(double fraction, std::string_view text);

// The bytes of the record.
std::string WriteProgressNote(const ProgressNote& note);
// Nothing: the bytes are no note.
std::optional<ProgressNote> ReadProgressNote(std::string_view bytes);

}  // namespace poold::wire
