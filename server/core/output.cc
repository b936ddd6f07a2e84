// What tasks write.
#include "core/state.h"

namespace poold::core {

void Core::State::AppendTail(std::string& tail, std::string_view data) const {
  const std::size_t most = limits.output_tail_bytes;
  if (data.size() >= most) {
    tail.assign(data.substr(data.size() - most));
    return;
  }
  if (tail.size() + data.size() > most) tail.erase(0, tail.size() + data.size() - most);
  tail.append(data);
}

void Core::State::TakeOutput(WorkerId worker, AttemptToken token, OutputStream stream, const Bytes& data) {
  Handle* handle = FindAttempt(worker, token);
  Chunk* chunk = handle == nullptr ? FindChunk(worker, token) : nullptr;
  if (chunk != nullptr) handle = chunk->map;
  if (handle == nullptr) return;
  HandleExtras& extras = Extras(*handle);
  const bool to_stdout = stream == OutputStream::kStdout;
  if (chunk != nullptr) {
    chunk->spoke = true;
    if (chunk->tails == nullptr) chunk->tails = std::make_unique<ItemTails>();
    AppendTail(to_stdout ? chunk->tails->stdout_tail : chunk->tails->stderr_tail, data.view());
  } else {
    AppendTail(to_stdout ? extras.stdout_tail : extras.stderr_tail, data.view());
  }
  const OutputEvent event{handle->id, stream, data};
  if (handle->group->options->stream_output) {
    ForEachStream(*handle, [&](SubscriberId to) { client_port->SendOutput(to, event); });
  }
  watches.TellOutput(handle->group->pool->watchers, extras.watchers, event);
}

}  // namespace poold::core
