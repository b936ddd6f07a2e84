// Outbox: packs submissions into the requests of a session's stream.
//
// Role: fills one request after the other; tasks with the same pool, function and options share a group. Knows nothing
//   of streams.
// Thread safety: none; guarded by the session's lock.
// Ownership: owns its batches. Sent batches stay until Acknowledge and are used again, because a message that was used
//   before needs no new memory.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "poold/client/connection.h"
#include "poold/v1/session.pb.h"
#include "wire/arena_maker.h"

namespace poold::client::internal {

// One request and its size. `number` counts batches from 1.
struct Batch {
  v1::SessionRequest message;
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
  std::uint32_t items = 0;
  // The options of the last group of message.submit().
  TaskOptions last_options;
};

// The way of a task's arguments to the daemon: by an upload, or by a slot of an arena; where neither is set, inside the
// submission. A plain value.
struct ArgumentTransfer {
  // The id of an upload that waits in the daemon; empty: none.
  std::string upload_id;
  // The slot that holds the arguments. Not owned: a slot that is not submitted must be abandoned.
  std::optional<wire::ArenaMaker::Reserved> slot;
  // The size of the arguments.
  std::uint64_t bytes = 0;

  bool travels_inline() const { return upload_id.empty() && !slot; }
};

class Outbox {
 public:
  // Adds a task and returns the number of its batch.
  std::uint64_t AddTask(const TaskCall& call, const HandleId& id, const ArgumentTransfer& transfer);
  // Adds items of a map and returns the number of their batch. first_index 0 opens the map.
  std::uint64_t AddItems(const MapCall& call, const HandleId& id, std::uint64_t first_index, const MapBatch& items);
  // Asks for the outcome of a handle, and returns the number of the batch.
  std::uint64_t AddSubscription(const HandleId& id);
  // Asks for a cancel; `running` also stops a task that runs.
  void AddCancel(const HandleId& id, bool running = false);
  // Tells that this client needs the outcome no more. May wait for company.
  void AddRelease(const HandleId& id);
  // Tells that no submission will take this upload. Does not wait, because another upload may wait for its room.
  void AddUploadRelease(const HandleId& upload);
  // Tells that these items of a map are here and may be dropped. May wait for company.
  void AddConsumed(const HandleId& id, std::uint64_t first_index, std::uint64_t count);

  // Whether nothing waits to be sent.
  bool empty() const { return unsent_.empty(); }
  // Whether only a few releases and the like wait, which may leave with later requests.
  bool can_wait() const { return unsent_.size() <= 1 && urgent_ == 0 && patient_ < kPatience; }
  // Entries that must not wait, since the outbox was empty last.
  std::uint32_t urgent() const { return urgent_; }
  // Whether the next request is full.
  bool has_full() const { return unsent_.size() > 1; }
  // Bytes that wait to be sent or acknowledged.
  std::uint64_t bytes() const { return bytes_; }
  // Requests that were sent and not acknowledged.
  std::uint64_t unacknowledged() const { return sent_.size(); }
  // The number of the next new batch. Every number below was given to a batch.
  std::uint64_t next_number() const { return next_number_; }
  // The highest number that was sent.
  std::uint64_t last_sent() const { return last_sent_; }
  // The highest number that was acknowledged.
  std::uint64_t last_acknowledged() const { return last_acknowledged_; }

  // Returns the next request to write. The outbox keeps the request until it is acknowledged. REQUIRES: !empty().
  const v1::SessionRequest* Send();
  // The daemon has taken the oldest `count` sent requests.
  void Acknowledge(std::uint64_t count);
  // The stream is gone and the daemon is the same: requests that were sent and not acknowledged are sent again, first.
  void Rewind();
  // Drops the requests that were sent and not acknowledged.
  void ForgetSent();

 private:
  static constexpr std::uint32_t kPatience = 256;

  Batch& Open(std::uint64_t bytes);
  void Append(v1::IdRuns* runs, const HandleId& id);
  void Recycle(std::unique_ptr<Batch> batch);

  std::deque<std::unique_ptr<Batch>> unsent_;
  std::deque<std::unique_ptr<Batch>> sent_;
  std::vector<std::unique_ptr<Batch>> spare_;
  std::uint64_t bytes_ = 0;
  std::uint64_t next_number_ = 1;
  std::uint64_t last_sent_ = 0;
  std::uint64_t last_acknowledged_ = 0;
  std::uint32_t urgent_ = 0;
  std::uint32_t patient_ = 0;
};

}  // namespace poold::client::internal
