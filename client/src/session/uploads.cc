// Arguments that take a way of their own because they are large. Those of a task that waits for room in the daemon are
// kept here; an upload that the daemon refused to take, or dropped since, is made again, on a thread of its own. The
// daemon is told of uploads that no submission will take: its room for them is small.
#include <utility>

#include "error.h"
#include "poold/client/internal/argument_pieces.h"
#include "session/session.h"

namespace poold::client::internal {
namespace {

// What is not copied at first goes into an arena then.
static_assert(kLargeTextBytes == wire::kMinArenaPayloadBytes);

}  // namespace

// Behind tasks that wait for room it would only wait in the daemon, which drops it after a while.
bool Session::WaitsForRoom(const TaskCall& call) {
  if (!call.options->wait_when_full) return false;
  MutexLock lock(&mu_);
  return !handles_.FindPool(call.pool)->backlog.empty();
}

// Before its task is submitted, in the thread of who submits. Inline: not needed, or not now.
absl::StatusOr<ArgumentTransfer> Session::HandOverFirst(const TaskCall& call) {
  if (call.args.size() < wire::kMinArenaPayloadBytes || WaitsForRoom(call))
    return ArgumentTransfer{.bytes = call.args.size()};
  if (auto transfer = HandOverHere(call, wire::Pieces({&call.args, 1}))) return *std::move(transfer);
  return UploadFirst(call);
}

// In shared memory. What may be sent again for want of room goes as it would go then.
std::optional<ArgumentTransfer> Session::HandOverHere(const TaskCall& call, const wire::Pieces& args) {
  if (args.size() < wire::kMinArenaPayloadBytes || call.options->wait_when_full) return std::nullopt;
  ArgumentTransfer transfer{.bytes = args.size()};
  transfer.slot = stub_->Place(args);
  if (!transfer.slot && args.size() >= kHandOverBytes) transfer.upload_id = stub_->HandOver(args);
  if (transfer.travels_inline()) return std::nullopt;
  return transfer;
}

// REQUIRES: HandOverHere came to nothing.
absl::StatusOr<ArgumentTransfer> Session::UploadFirst(const TaskCall& call) {
  ArgumentTransfer transfer{.bytes = call.args.size()};
  if (call.args.size() <= kInlineArgsBytes) return transfer;
  auto upload = call.options->wait_when_full ? stub_->Upload(call.args) : stub_->SendUp(call.args);
  if (!upload.ok()) return upload.status();
  transfer.upload_id = *std::move(upload);
  return transfer;
}

void Session::UploadAgain(HandleState* cell) {
  // The thread has them meanwhile: the task may be cancelled, and the cell gone.
  std::string args = std::exchange(cell->detail->resubmission->args.data, {});
  uploads_.Post([self = shared_from_this(), id = cell->id, args = std::move(args)]() mutable {
    if (!self->WantsUpload(id)) return;
    absl::StatusOr<std::string> upload = self->stub_->Upload(args);
    self->Uploaded(id, std::move(args), std::move(upload));
  });
}

bool Session::WantsUpload(const HandleId& id) {
  MutexLock lock(&mu_);
  return !stopping_ && handles_.Find(id) != nullptr;
}

void Session::Uploaded(const HandleId& id, std::string args, absl::StatusOr<std::string> upload) {
  Write write;
  {
    MutexLock lock(&mu_);
    HandleState* cell = handles_.Find(id);
    if (cell != nullptr && cell->detail && cell->detail->resubmission) {
      cell->detail->resubmission->args.data = std::move(args);
      SubmitUploaded(cell, std::move(upload));
    } else if (upload.ok()) {
      DropUpload(*upload);
    }
    WakeLeader();
    write = WriteOrNudge();
  }
  Begin(std::move(write));
}

void Session::SubmitUploaded(HandleState* cell, absl::StatusOr<std::string> upload) {
  PoolEntry& pool = *cell->pool;
  if (upload.ok()) {
    cell->detail->upload_id = *std::move(upload);
    Resubmit(cell);
    pool.tried_batch = cell->batch;
  } else if (!TryLater(cell, upload.status())) {
    Refuse(cell, upload.status());
    // Those behind it wait for nothing else.
    if (!pool.backlog.empty()) ResubmitSome(pool);
  }
}

void Session::DropUpload(HandleState* cell) {
  if (cell->detail) DropUpload(std::exchange(cell->detail->upload_id, {}));
}

void Session::DropUpload(std::string_view upload_id) {
  if (const auto id = HandleId::FromBytes(upload_id)) outbox_.AddUploadRelease(*id);
}

// There is another moment at which something is to be done.
void Session::WakeLeader() {
  if (shut_) return;
  stream_ != nullptr ? stream_->Wake() : grpc_events_.Wake();
}

}  // namespace poold::client::internal
