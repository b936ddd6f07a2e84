// Clients that take note of nothing. A fake derives from them, and overrides the calls that its tests look at.
#pragma once

#include "core/ports.h"

namespace poold::core::testing {

class SilentClients : public ClientPort {
 public:
  void SendOutcome(SubscriberId, HandleId, OutcomePtr) override {}
  void SendItems(SubscriberId, HandleId, ItemBlockPtr) override {}
  void SendMapEnd(SubscriberId, const MapView&) override {}
  void SendOutput(SubscriberId, const OutputEvent&) override {}
  void SendProgress(SubscriberId, const ProgressEvent&) override {}
  void AnswerOpenPool(SubscriberId, absl::StatusOr<PoolView>, bool) override {}
  void AnswerGet(SubscriberId, absl::StatusOr<HandleView>) override {}
  void AnswerWait(SubscriberId, absl::StatusOr<WaitAnswer>) override {}
  void AnswerClose(SubscriberId, absl::StatusOr<std::uint64_t>) override {}
  void AnswerTerminate(SubscriberId, absl::StatusOr<std::uint64_t>) override {}
  void AnswerReload(SubscriberId, absl::StatusOr<PoolView>) override {}
  void AnswerJoin(SubscriberId, absl::StatusOr<bool>) override {}
  void SendEvent(SubscriberId, WatchEvent) override {}
  void EndWatch(SubscriberId) override {}
  void RoomIsShort(ClientId, bool) override {}
  void AllPoolsGone() override {}
};

}  // namespace poold::core::testing
