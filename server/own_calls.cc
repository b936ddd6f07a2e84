#include "own_calls.h"

namespace poold {

void OwnCalls::SendOutcome(core::SubscriberId to, core::HandleId task, core::OutcomePtr outcome) {
  clients_.SendOutcome(to, task, std::move(outcome));
}

void OwnCalls::SendSuccess(core::SubscriberId to, core::HandleId task, const core::PlainSuccess& success) {
  clients_.SendSuccess(to, task, success);
}

void OwnCalls::SendItems(core::SubscriberId to, core::HandleId map, core::ItemBlockPtr items) {
  clients_.SendItems(to, map, std::move(items));
}

void OwnCalls::SendMapEnd(core::SubscriberId to, const core::MapView& map) { clients_.SendMapEnd(to, map); }

void OwnCalls::SendOutput(core::SubscriberId to, const core::OutputEvent& output) { clients_.SendOutput(to, output); }

void OwnCalls::SendProgress(core::SubscriberId to, const core::ProgressEvent& progress) {
  clients_.SendProgress(to, progress);
}

void OwnCalls::AnswerOpenPool(core::SubscriberId to, absl::StatusOr<core::PoolView> pool, bool created) {
  pools_changed_ = true;
  if (IsOwn(to)) {
    ++answered_;
  } else {
    clients_.AnswerOpenPool(to, std::move(pool), created);
  }
}

void OwnCalls::AnswerGet(core::SubscriberId to, absl::StatusOr<core::HandleView> handle) {
  clients_.AnswerGet(to, std::move(handle));
}

void OwnCalls::AnswerWait(core::SubscriberId to, absl::StatusOr<core::WaitAnswer> answer) {
  clients_.AnswerWait(to, std::move(answer));
}

void OwnCalls::AnswerTerminate(core::SubscriberId to, absl::StatusOr<std::uint64_t> cancelled_tasks) {
  pools_changed_ = true;
  clients_.AnswerTerminate(to, std::move(cancelled_tasks));
}

void OwnCalls::AnswerReload(core::SubscriberId to, absl::StatusOr<core::PoolView> pool) {
  pools_changed_ = true;
  clients_.AnswerReload(to, std::move(pool));
}

void OwnCalls::AnswerJoin(core::SubscriberId to, absl::StatusOr<bool> done) {
  pools_changed_ = true;
  clients_.AnswerJoin(to, std::move(done));
}

void OwnCalls::SendEvent(core::SubscriberId to, core::WatchEvent event) { clients_.SendEvent(to, std::move(event)); }

void OwnCalls::EndWatch(core::SubscriberId to) { clients_.EndWatch(to); }

void OwnCalls::RoomIsShort(core::ClientId client, bool is_short) { clients_.RoomIsShort(client, is_short); }

void OwnCalls::ClientIsHeldUp(const core::ClientView& client, bool held_up) {
  clients_.ClientIsHeldUp(client, held_up);
}

void OwnCalls::AllPoolsGone() {
  pools_changed_ = true;
  clients_.AllPoolsGone();
}

void OwnCalls::Flush(core::Nanos) {
  if (pools_changed_.load(std::memory_order_relaxed) && pools_changed_.exchange(false)) wake_();
}

}  // namespace poold
