// SessionOwner: shared by all handles and the connection of a session; the last one ends the session.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "session/session.h"

namespace poold::client::internal {

// Role: forwards to the session in the process that made it, and does nothing in a forked child. Thread-safe. Errors:
//   in a child, FAILED_PRECONDITION (FORKED) where the method answers a status; otherwise nothing happens.
class SessionOwner : public HandleOwner, public std::enable_shared_from_this<SessionOwner> {
 public:
  explicit SessionOwner(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  // Stops the session. In a child the session stays as it is, because it is the parent's.
  ~SessionOwner() override;

  Session& session() { return *session_; }

  bool Wait(std::span<HandleState* const> cells, WaitMode mode, Deadline deadline) override {
    return here() && session_->Wait(cells, mode, deadline);
  }
  void Watch(std::span<HandleState* const> cells, std::span<WaitNode> nodes) override {
    if (here()) session_->Watch(cells, nodes);
  }
  void Unwatch(std::span<HandleState* const> cells, std::span<WaitNode> nodes) override {
    if (here()) session_->Unwatch(cells, nodes);
  }
  std::optional<std::uint32_t> Collect(Waiter& waiter, Deadline deadline) override {
    return here() ? session_->Collect(waiter, deadline) : std::nullopt;
  }
  bool WaitForBlock(MapHandleState& map, std::uint64_t blocks, Deadline deadline) override {
    return here() && session_->WaitForBlock(map, blocks, deadline);
  }
  void Walked(MapHandleState& map, const ItemCursor& cursor) override {
    if (here()) session_->Walked(map, cursor);
  }
  Mutex& mutex() override { return session_->mutex(); }
  absl::StatusOr<bool> Cancel(HandleState& cell, bool running) override;
  void CancelSoon(HandleState& cell, bool running) override {
    if (here()) session_->CancelSoon(cell, running);
  }
  absl::StatusOr<v1::GetResponse> Ask(HandleState& cell) override;
  absl::StatusOr<Downloaded> Download(const HandleId& id, std::uint64_t index, const v1::Payload& told) override;
  std::optional<ResultInArena> InArena(const v1::Payload& told) override {
    return here() ? session_->stub().InArena(told) : std::nullopt;
  }
  std::shared_ptr<const HeldResult> HoldInArena(const v1::Payload& told) override {
    return here() ? session_->stub().HoldInArena(told) : nullptr;
  }
  void OnDone(HandleState& cell, std::function<void(HandleState*)> callback) override {
    if (here()) session_->OnDone(cell, std::move(callback));
  }
  void OnProgress(HandleState& cell, ProgressCallback callback) override {
    if (here()) session_->OnProgress(cell, std::move(callback));
  }
  std::string instance_id() override { return here() ? session_->instance_id() : ""; }
  void Dropped(HandleState* cell) override {
    if (here()) session_->Dropped(cell);
  }

 private:
  std::shared_ptr<Session> session_;  // constant
};

}  // namespace poold::client::internal
