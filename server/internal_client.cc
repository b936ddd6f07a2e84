#include "internal_client.h"

namespace poold {

void InternalClient::SendOutcome(core::SubscriberId to, core::HandleId task, core::OutcomePtr outcome) {
  clients_.SendOutcome(to, task, std::move(outcome));
}

void InternalClient::SendSuccess(core::SubscriberId to, core::HandleId task, const core::CompactSuccess& success) {
  clients_.SendSuccess(to, task, success);
}

void InternalClient::SendItems(core::SubscriberId to, core::HandleId map, core::ItemBlockPtr items) {
  clients_.SendItems(to, map, std::move(items));
}

void InternalClient::SendMapEnd(core::SubscriberId to, const core::MapView& map) { clients_.SendMapEnd(to, map); }

void InternalClient::SendOutput(core::SubscriberId to, const core::OutputEvent& output) {
  clients_.SendOutput(to, output);
}

void InternalClient::SendProgress(core::SubscriberId to, const core::ProgressEvent& progress) {
  clients_.SendProgress(to, progress);
}

void InternalClient::AnswerOpenPool(core::SubscriberId to, absl::StatusOr<core::PoolView> pool, bool created) {
  pools_changed_ = true;
  if (IsOwn(to)) {
    ++answered_;
  } else {
    clients_.AnswerOpenPool(to, std::move(pool), created);
  }
}

void InternalClient::AnswerGet(core::SubscriberId to, absl::StatusOr<core::HandleView> handle) {
  clients_.AnswerGet(to, std::move(handle));
}

void InternalClient::AnswerWait(core::SubscriberId to, absl::StatusOr<core::WaitAnswer> answer) {
  clients_.AnswerWait(to, std::move(answer));
}

void InternalClient::AnswerTerminate(core::SubscriberId to, absl::StatusOr<std::uint64_t> cancelled_tasks) {
  pools_changed_ = true;
  clients_.AnswerTerminate(to, std::move(cancelled_tasks));
}

void InternalClient::AnswerReload(core::SubscriberId to, absl::StatusOr<core::PoolView> pool) {
  pools_changed_ = true;
  clients_.AnswerReload(to, std::move(pool));
}

void InternalClient::AnswerJoin(core::SubscriberId to, absl::StatusOr<bool> done) {
  pools_changed_ = true;
  clients_.AnswerJoin(to, std::move(done));
}

void InternalClient::SendEvent(core::SubscriberId to, core::WatchEvent event) {
  clients_.SendEvent(to, std::move(event));
}

void InternalClient::EndWatch(core::SubscriberId to) { clients_.EndWatch(to); }

void InternalClient::RoomIsShort(core::ClientId client, bool is_short) { clients_.RoomIsShort(client, is_short); }

void InternalClient::ClientIsHeldUp(const core::ClientView& client, bool held_up) {
  clients_.ClientIsHeldUp(client, held_up);
}

void InternalClient::AllPoolsGone() {
  pools_changed_ = true;
  clients_.AllPoolsGone();
}

void InternalClient::Flush(core::Nanos) {
  if (pools_changed_.load(std::memory_order_relaxed) && pools_changed_.exchange(false)) wake_();
}

}  // namespace poold
