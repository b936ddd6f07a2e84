#include "wire/progress_note.h"

#include <algorithm>
#include <cstring>

#include "wire/readable.h"

namespace poold::wire {

ProgressNote MakeProgressNote(double fraction, std::string_view text) {
  // Also NaN, which is not >= 0.
  const double known = fraction >= 0 ? std::min(fraction, 1.0) : -1;
  return {known, Readable(text, kMaxProgressTextBytes)};
}

std::string WriteProgressNote(const ProgressNote& note) {
  std::string bytes(sizeof note.fraction, '\0');
  std::memcpy(bytes.data(), &note.fraction, sizeof note.fraction);
  return bytes + note.text;
}

std::optional<ProgressNote> ReadProgressNote(std::string_view bytes) {
  double fraction;
  if (bytes.size() < sizeof fraction || bytes.size() > sizeof fraction + kMaxProgressTextBytes) return std::nullopt;
  std::memcpy(&fraction, bytes.data(), sizeof fraction);
  return MakeProgressNote(fraction, bytes.substr(sizeof fraction));
}

}  // namespace poold::wire
