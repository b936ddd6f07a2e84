// What tasks say of how far they are.
#include <algorithm>
#include <cmath>

#include "core/state.h"

namespace poold::core {
namespace {

// A line for people; what is longer is cut.
constexpr std::size_t kMostText = 1024;

void CutText(std::string& text) {
  if (text.size() <= kMostText) return;
  std::size_t end = kMostText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // between two characters
  text.resize(end);
}

}  // namespace

void Core::State::TakeProgress(WorkerId worker, AttemptToken token, std::uint32_t item, double fraction,
                               std::string text) {
  Handle* handle = FindAttempt(worker, token);
  std::uint64_t index = 0;
  if (const Chunk* chunk = handle == nullptr ? FindChunk(worker, token) : nullptr) {
    if (item >= chunk->count) return;
    handle = chunk->map;
    index = chunk->begin + item;
  }
  if (handle == nullptr) return;
  CutText(text);
  const double known = std::isnan(fraction) || fraction < 0 ? -1 : std::min(fraction, 1.0);
  HandleExtras& extras = Extras(*handle);
  extras.progress = std::make_unique<ProgressView>(ProgressView{index, known, std::move(text)});
  const ProgressEvent event{handle->id, *extras.progress};
  if (handle->group->options->stream_output) {
    ForEachStream(*handle, [&](SubscriberId to) { client_port->SendProgress(to, event); });
  }
  watches.Tell(handle->group->pool->watchers, &extras.watchers, [&] { return event; });
}

}  // namespace poold::core
