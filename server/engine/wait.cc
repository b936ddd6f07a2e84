#include "engine/wait.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace poold::engine {

WaitForSome::WaitForSome(const Engine* engine, std::span<const core::HandleId> ids, Order order)
    : order_(std::move(order)) {
  const std::size_t pieces = std::max<std::size_t>(1, (ids.size() + core::kSlice - 1) / core::kSlice);
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::span<const core::HandleId> piece =
        ids.subspan(i * core::kSlice, std::min(core::kSlice, ids.size() - i * core::kSlice));
    for (HandleGroup& group : engine->Locate(piece)) parts_.push_back({.handles = std::move(group)});
  }
  missing_ = parts_.size();
}

void WaitForSome::Begin(core::Nanos wait) {
  for (std::size_t i = 0; i < parts_.size(); ++i) Ask(i, wait);
}

void WaitForSome::Ask(std::size_t place, core::Nanos wait) {
  Part& part = parts_[place];
  part.asked = AskShard(
      *part.handles.shard,
      [&](core::Core& core, core::Nanos now, core::SubscriberId me) {
        core.OnWait(now, me, part.handles.ids, order_.mode, wait, order_.from);
      },
      [self = shared_from_this(), place](Answer answer) {
        self->Take(place, std::get<absl::StatusOr<core::WaitAnswer>>(std::move(answer)));
      });
}

void WaitForSome::Take(std::size_t place, absl::StatusOr<core::WaitAnswer> answer) {
  if (!answer.ok()) {
    order_.then(answer.status());
    return order_.post([self = shared_from_this()] { self->Drop(); });
  }
  bool hurry = false;
  {
    absl::MutexLock lock(&mu_);
    hurry = answer->first && !std::exchange(hurried_, true);
    parts_[place].answer = *std::move(answer);
    if (--missing_ > 0 && !hurry) return;
    hurry = missing_ > 0;
  }
  if (!hurry) return Reply();
  order_.post([self = shared_from_this()] { self->Hurry(); });
}

void WaitForSome::Hurry() {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].asked.Drop()) Ask(i, 0);
  }
}

void WaitForSome::Drop() {
  for (const Part& part : parts_) part.asked.Drop();
}

// All have answered: nobody changes them any more.
void WaitForSome::Reply() {
  Done done;
  for (const Part& part : parts_) done.insert(part.answer->done.begin(), part.answer->done.end());
  order_.then(std::move(done));
}

}  // namespace poold::engine
