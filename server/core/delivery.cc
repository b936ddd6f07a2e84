#include "core/delivery.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/read/view_of.h"

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

bool Delivery::IsSubscribed(const Handle& handle, const Subscriber* stream) {
  if (handle.group->subscriber == stream) return true;
  return handle.extras != nullptr && handle.extras->subscriptions.Holds(stream);
}

template <typename Visit>
void Delivery::ForEachStream(const Handle& handle, Visit&& visit) {
  const Subscriber* first = handle.group->subscriber;
  if (first != nullptr && !first->gone) visit(first->id);
  handle.extras->subscriptions.ForEach([&](const Subscription& one) { visit(one.to->id); });
}

void Delivery::Subscribe(Handle& handle, Subscriber* stream, std::uint64_t first_index) {
  if (!IsSubscribed(handle, stream)) {
    streams_.Add(handle.Extras().subscriptions, {stream, first_index});
  } else if (!handle.ended()) {
    return;
  }
  TellWhatThereIs(handle, {stream, first_index});
}

void Delivery::TellWhatThereIs(const Handle& handle, const Subscription& to) {
  if (!handle.is_map()) {
    if (handle.ended()) SendEnd(to.to->id, AsTask(handle));
    return;
  }
  const MapRun& map = AsMap(handle);
  for (const ItemBlockPtr& block : map.outcomes.InOrder()) SendBlock(to, map, block);
  if (map.ended()) port_->SendMapEnd(to.to->id, ViewOf(map));
}

void Delivery::SendBlock(const Subscription& to, const MapRun& map, const ItemBlockPtr& block) {
  const std::uint64_t end = block->first_index + block->result_bytes.size();
  if (to.to->gone || end <= to.first_index) return;
  if (block->first_index >= to.first_index) return port_->SendItems(to.to->id, map.id, block);
  port_->SendItems(to.to->id, map.id, std::make_shared<const ItemBlock>(CutBlock(*block, to.first_index, end)));
}

void Delivery::SendBlock(const MapRun& map, const ItemBlockPtr& block) {
  if (map.extras == nullptr) return;
  map.extras->subscriptions.ForEach([&](const Subscription& one) { SendBlock(one, map, block); });
}

void Delivery::SendEnd(SubscriberId to, const Task& task) const {
  if (task.plain()) {
    port_->SendSuccess(to, task.id, SuccessOf(task));
  } else {
    port_->SendOutcome(to, task.id, task.outcome);
  }
}

void Delivery::SendEnd(const Handle& handle) {
  if (!handle.is_map()) {
    const Subscriber* first = handle.group->subscriber;
    if (first != nullptr && !first->gone) SendEnd(first->id, AsTask(handle));
  }
  if (handle.extras != nullptr) {
    handle.extras->subscriptions.ForEach([&](const Subscription& one) {
      if (handle.is_map()) {
        port_->SendMapEnd(one.to->id, ViewOf(AsMap(handle)));
      } else {
        SendEnd(one.to->id, AsTask(handle));
      }
    });
  }
  Changed(handle);
  if (handle.extras != nullptr && !handle.extras->watchers.empty()) watches_.HandleEnded(handle.extras->watchers);
}

void Delivery::HandleGone(Handle& handle) {
  if (handle.extras != nullptr) streams_.Clear(handle.extras->subscriptions);
}

// ---- What runs ----

void Delivery::AppendTail(std::string& tail, std::string_view data) const {
  const std::size_t most = tail_bytes_;
  if (data.size() >= most) {
    tail.assign(data.substr(data.size() - most));
    return;
  }
  if (tail.size() + data.size() > most) tail.erase(0, tail.size() + data.size() - most);
  tail.append(data);
}

void Delivery::Output(Handle& handle, Chunk* chunk, OutputStream stream, const Bytes& data) {
  HandleExtras& extras = handle.Extras();
  const bool to_stdout = stream == OutputStream::kStdout;
  if (chunk != nullptr) {
    chunk->spoke = true;
    if (chunk->tails == nullptr) chunk->tails = std::make_unique<ItemTails>();
    AppendTail(to_stdout ? chunk->tails->stdout_tail : chunk->tails->stderr_tail, data.view());
  } else {
    AppendTail(to_stdout ? extras.stdout_tail : extras.stderr_tail, data.view());
  }
  const OutputEvent event{handle.id, stream, data};
  if (handle.group->options->stream_output) {
    ForEachStream(handle, [&](SubscriberId to) { port_->SendOutput(to, event); });
  }
  watches_.TellOutput(handle.group->pool->watchers, extras.watchers, event);
}

void Delivery::Progress(Handle& handle, std::uint64_t item, double fraction, std::string text) {
  CutText(text);
  const double known = std::isnan(fraction) || fraction < 0 ? -1 : std::min(fraction, 1.0);
  HandleExtras& extras = handle.Extras();
  extras.progress = std::make_unique<ProgressView>(ProgressView{item, known, std::move(text)});
  const ProgressEvent event{handle.id, *extras.progress};
  if (handle.group->options->stream_output) {
    ForEachStream(handle, [&](SubscriberId to) { port_->SendProgress(to, event); });
  }
  watches_.Tell(handle.group->pool->watchers, &extras.watchers, [&] { return event; });
}

// ---- Watchers ----

void Delivery::TellWatchers(const Handle& handle) const {
  const HandleWatchers* own = handle.extras == nullptr ? nullptr : &handle.extras->watchers;
  if (handle.group->pool->watchers.empty() && (own == nullptr || own->empty())) return;
  watches_.Tell(handle.group->pool->watchers, own, [&] { return EventOf(handle); });
}

void Delivery::WatchPool(Pool& pool, PoolView view, SubscriberId watcher, bool output) {
  port_->SendEvent(watcher, std::move(view));
  if (!pool.live()) return port_->EndWatch(watcher);
  ForEachUnfinished(pool, [&](const Handle& handle) { port_->SendEvent(watcher, EventOf(handle)); });
  watches_.WatchPool(pool.watchers, watcher, output);
}

void Delivery::WatchHandles(std::span<Handle* const> handles, SubscriberId watcher, bool output) {
  std::vector<HandleWatchers*> watched;
  for (Handle* handle : handles) {
    port_->SendEvent(watcher, EventOf(*handle));
    if (!handle->ended()) watched.push_back(&handle->Extras().watchers);
  }
  watches_.WatchHandles(std::move(watched), watcher, output);
}

void Delivery::Gone(SubscriberId id) {
  streams_.Gone(id);
  watches_.WatcherGone(id);
}

}  // namespace poold::core
