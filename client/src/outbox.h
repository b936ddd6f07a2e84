// What is to be sent on the stream: packs submissions into requests.
//
// Role: one request after the other is filled; tasks with the same pool, function and options share a group. Knows
// nothing of streams. Thread safety: none; guarded by the session's lock. Ownership: owns its batches; those that were
// sent are given back by Acknowledge, and used again, since a message that was used before needs no new memory.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "argument_transfer.h"
#include "poold/client/connection.h"
#include "poold/v1/session.pb.h"

namespace poold::client::internal {

struct Batch {
  v1::SessionRequest message;
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
  std::uint32_t items = 0;
  // The options that the last group of message.submit() was made with.
  TaskOptions last_options;
};

class Outbox {
 public:
  // Each returns the number of the batch that carries it.
  std::uint64_t AddTask(const TaskCall& call, const HandleId& id, const ArgumentTransfer& transfer);
  // `first`: this group opens the map.
  std::uint64_t AddItems(const MapCall& call, const HandleId& id, std::uint64_t first_index, const MapBatch& items);
  std::uint64_t AddSubscription(const HandleId& id);
  // `running`: what runs is stopped too.
  void AddCancel(const HandleId& id, bool running = false);
  void AddRelease(const HandleId& id);
  // That no submission will take this upload.
  void AddUploadRelease(const HandleId& upload);
  void AddConsumed(const HandleId& id, std::uint64_t first_index, std::uint64_t count);

  bool empty() const { return unsent_.empty(); }
  // Only releases and the like, few of them: they can wait for company.
  bool can_wait() const { return unsent_.size() <= 1 && urgent_ == 0 && patient_ < kPatience; }
  // Of those that cannot wait, how many have been added since there was nothing to send.
  std::uint32_t urgent() const { return urgent_; }
  // The next request takes nothing more.
  bool has_full() const { return unsent_.size() > 1; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t unacknowledged() const { return sent_.size(); }
  // The number of the batch that everything added now belongs to, or that comes next.
  std::uint64_t next_number() const { return next_number_; }
  std::uint64_t last_sent() const { return last_sent_; }
  std::uint64_t last_acknowledged() const { return last_acknowledged_; }

  // The next request to write. It stays here, as sent, until it is acknowledged. REQUIRES: !empty().
  const v1::SessionRequest* Send();
  // The oldest `count` sent ones have arrived.
  void Acknowledge(std::uint64_t count);
  // The stream is gone, the daemon is the same: what was sent and not acknowledged is to be sent again, first.
  void Rewind();
  // What was sent and not acknowledged is given up.
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
