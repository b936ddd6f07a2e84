#include "engine/shard.h"

#include "wire/handle_shard.h"

namespace poold::engine {

core::HandleId Shard::NewHandle(core::Core& core) const {
  core::HandleId id = core.NewHandle();
  if (number_ == 0) return id;
  const auto mark = [this](const core::HandleId& one) {
    return core::HandleId{wire::MarkHigh(one.high), wire::MarkLow(one.low, number_)};
  };
  while (core.Knows(mark(id)) != core::Known::kNo) id = core.NewHandle();
  return mark(id);
}

void Shard::Unsubscribe(core::Core& core, core::Nanos now, core::SubscriberId id) {
  if (subscribers_.Find(id) == nullptr) return;
  core.OnSubscriberGone(now, id);
  core.dropped().Add(subscribers_.Find(id));  // perhaps the last owner, of much that waits for it
  subscribers_.Remove(id);
}

void Shard::Answer(core::SubscriberId to, engine::Answer answer) {
  To(to, [&](Subscriber& subscriber) { subscriber.OnAnswer(std::move(answer)); });
  subscribers_.Remove(to);
}

void Shard::SendOutcome(core::SubscriberId to, core::HandleId task, core::OutcomePtr outcome) {
  To(to, [&](Subscriber& subscriber) { subscriber.OnOutcome(task, std::move(outcome)); });
}

void Shard::SendSuccess(core::SubscriberId to, core::HandleId task, const core::CompactSuccess& success) {
  To(to, [&](Subscriber& subscriber) { subscriber.OnSuccess(task, success); });
}

void Shard::SendItems(core::SubscriberId to, core::HandleId map, core::ItemBlockPtr items) {
  To(to, [&](Subscriber& subscriber) { subscriber.OnItems(map, std::move(items)); });
}

void Shard::SendMapEnd(core::SubscriberId to, const core::MapView& map) {
  To(to, [&](Subscriber& subscriber) { subscriber.OnMapEnd(map); });
}

void Shard::SendOutput(core::SubscriberId to, const core::OutputEvent& output) {
  To(to, [&](Subscriber& subscriber) { subscriber.OnOutput(output); });
}

void Shard::SendProgress(core::SubscriberId to, const core::ProgressEvent& progress) {
  To(to, [&](Subscriber& subscriber) { subscriber.OnProgress(progress); });
}

void Shard::AnswerOpenPool(core::SubscriberId to, absl::StatusOr<core::PoolView> pool, bool created) {
  pools_changed_ = true;
  Answer(to, OpenPoolAnswer{std::move(pool), created});
}

void Shard::AnswerGet(core::SubscriberId to, absl::StatusOr<core::HandleView> handle) { Answer(to, std::move(handle)); }

void Shard::AnswerWait(core::SubscriberId to, absl::StatusOr<core::WaitAnswer> answer) {
  Answer(to, std::move(answer));
}

void Shard::AnswerClose(core::SubscriberId to, absl::StatusOr<std::uint64_t> cancelled_tasks) {
  pools_changed_ = true;
  Answer(to, std::move(cancelled_tasks));
}

void Shard::AnswerTerminate(core::SubscriberId to, absl::StatusOr<std::uint64_t> cancelled_tasks) {
  pools_changed_ = true;
  Answer(to, std::move(cancelled_tasks));
}

void Shard::AnswerReload(core::SubscriberId to, absl::StatusOr<core::PoolView> pool) {
  pools_changed_ = true;
  Answer(to, std::move(pool));
}

void Shard::AnswerJoin(core::SubscriberId to, absl::StatusOr<bool> done) {
  pools_changed_ = true;
  Answer(to, std::move(done));
}

void Shard::SendEvent(core::SubscriberId to, core::WatchEvent event) {
  To(to, [&](Subscriber& subscriber) { subscriber.OnEvent(std::move(event)); });
}

void Shard::EndWatch(core::SubscriberId to) {
  To(to, [](Subscriber& subscriber) { subscriber.OnEndWatch(); });
  subscribers_.Remove(to);
}

void Shard::RoomIsShort(core::ClientId client, bool is_short) {
  present_.ForEach(client, [&](core::SubscriberId session) {
    To(session, [is_short](Subscriber& subscriber) { subscriber.OnRoom(is_short); });
  });
}

void Shard::ClientIsHeldUp(const core::ClientView& client, bool held_up) { held_up_.Note(client, held_up); }

void Shard::AllPoolsGone() { pools_changed_ = pools_gone_ = true; }

void Shard::Flush(core::Nanos) {
  subscribers_.FlushDirty(&shared_.stopping_mu);
  if (held_up_.waits()) held_up_.Write(shared_.clock->Now(), *shared_.names);
  const bool changed = pools_changed_.load(std::memory_order_relaxed) && pools_changed_.exchange(false);
  if (changed && shared_.on_pools_changed) shared_.on_pools_changed();
  if (!pools_gone_.load(std::memory_order_relaxed) || !pools_gone_.exchange(false)) return;
  ++shared_.gone;
  if (shared_.on_pools_gone) shared_.on_pools_gone();
}

}  // namespace poold::engine
