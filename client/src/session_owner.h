// What the handles of a session hold: the session lives as long as one of them, or the connection, does.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "session.h"

namespace poold::client::internal {

// Thread-safe. Ends the session when it goes. In a child of its process the session stays as it is: it is the parent's.
class SessionOwner : public HandleOwner, public std::enable_shared_from_this<SessionOwner> {
 public:
  explicit SessionOwner(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  ~SessionOwner() override;

  Session& session() { return *session_; }

  bool Wait(std::span<HandleCell* const> cells, WaitMode mode, Deadline deadline) override {
    return here() && session_->Wait(cells, mode, deadline);
  }
  void Watch(std::span<HandleCell* const> cells, std::span<WaitNode> nodes) override {
    if (here()) session_->Watch(cells, nodes);
  }
  void Unwatch(std::span<HandleCell* const> cells, std::span<WaitNode> nodes) override {
    if (here()) session_->Unwatch(cells, nodes);
  }
  std::optional<std::uint32_t> Collect(Waiter& waiter, Deadline deadline) override {
    return here() ? session_->Collect(waiter, deadline) : std::nullopt;
  }
  bool WaitForBlock(MapCell& map, std::uint64_t blocks, Deadline deadline) override {
    return here() && session_->WaitForBlock(map, blocks, deadline);
  }
  void Walked(MapCell& map, const ItemCursor& cursor) override {
    if (here()) session_->Walked(map, cursor);
  }
  Mutex& mutex() override { return session_->mutex(); }
  absl::StatusOr<bool> Cancel(HandleCell& cell, bool running) override;
  void CancelSoon(HandleCell& cell, bool running) override {
    if (here()) session_->CancelSoon(cell, running);
  }
  absl::StatusOr<v1::GetResponse> Ask(HandleCell& cell) override;
  absl::StatusOr<Downloaded> Download(const HandleId& id, std::uint64_t index, const v1::Payload& told) override;
  std::optional<ResultInArena> InArena(const v1::Payload& told) override {
    return here() ? session_->stub().InArena(told) : std::nullopt;
  }
  std::shared_ptr<const HeldResult> HoldInArena(const v1::Payload& told) override {
    return here() ? session_->stub().HoldInArena(told) : nullptr;
  }
  void OnDone(HandleCell& cell, std::function<void(HandleCell*)> callback) override {
    if (here()) session_->OnDone(cell, std::move(callback));
  }
  void OnProgress(HandleCell& cell, ProgressCallback callback) override {
    if (here()) session_->OnProgress(cell, std::move(callback));
  }
  std::string instance_id() override { return here() ? session_->instance_id() : ""; }
  void Dropped(HandleCell* cell) override {
    if (here()) session_->Dropped(cell);
  }

 private:
  std::shared_ptr<Session> session_;  // constant
};

}  // namespace poold::client::internal
