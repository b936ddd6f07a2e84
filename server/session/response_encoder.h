// ResponseEncoder: the answers that wait for the client of one session, and how they are packed into messages.
//
// Role: keeps pointers to outcomes that the core keeps anyway, and copies of small ones; packs as much as has
// accumulated into the next message. What a task wrote comes before its outcome; refusals and the state of the room
// wait for nothing. Non-role: knows no transport, sends nothing.
// Bounds: outcomes by what clients submitted and the core keeps; output by dropping the oldest; progress by keeping
// only the latest of each handle; refusals by the session, which reads nothing more while `waiting` is large.
// Everything that waits is counted as unsent answers; a session over its quota whose client does not read is to be
// ended.
// Threads: the Add... functions and `waiting` by any thread, those of core answers under the core's mutex; Fill by one
// thread at a time. Ownership: shares outcomes with the core until they are packed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "api/item_outcomes.h"
#include "api/service_options.h"
#include "base/quota.h"
#include "core/ports.h"
#include "google/protobuf/repeated_field.h"
#include "poold/v1/session.pb.h"

namespace poold::session {

// A submission or subscription that was refused. The id is as the client sent it: perhaps not 16 bytes.
struct RefusedHandle {
  std::string id;
  absl::Status why;
  // Of items of a map that lives on: how many of its items were taken; none: it is no such map.
  std::optional<std::uint64_t> accepted_items = std::nullopt;
};

class ResponseEncoder {
 public:
  // `short_rooms`: the number of shards in which the client's room for outcomes is short. All must outlive it.
  ResponseEncoder(const api::ServiceOptions& options, const base::Clock& clock, const engine::ClientNames& names,
                  const std::atomic<std::uint32_t>& short_rooms)
      : options_(options),
        clock_(clock),
        names_(names),
        short_rooms_(short_rooms),
        unsent_(options.memory->unsent),
        max_inline_bytes_(options.max_inline_result_bytes) {}

  // Adds the outcome of a task that ended now.
  void AddOutcome(core::HandleId task, core::OutcomePtr outcome);
  // As AddOutcome, of a compact success. Small results are packed at once; larger ones, too, while the reader keeps up.
  void AddSuccess(core::HandleId task, const core::CompactSuccess& success);
  // Adds outcomes of neighbouring items of a map.
  void AddItems(core::HandleId map, core::ItemBlockPtr items);
  // Adds the end of a map, behind the outcomes of its items.
  void AddMapEnd(const core::MapView& map);
  // Adds output; the oldest that waits is dropped above max_waiting_output_bytes.
  void AddOutput(const core::OutputEvent& output);
  // Adds a report, in place of the one that waits of the same handle.
  void AddProgress(const core::ProgressEvent& progress);
  // Adds refusals. Taken requests are not acknowledged before they are sent.
  void AddRefused(std::vector<RefusedHandle> refused);
  // The answer to the hello.
  void AddGreeting(const v1::ServerInfo& server);
  // The client reads shared memory: results of tasks that lie in an arena are told by their place, others above so many
  // bytes by their size. Before this call all are told as the options say. Call before AddGreeting.
  void ShareMemory(std::uint64_t max_inline_bytes) {
    max_inline_bytes_.store(max_inline_bytes, std::memory_order_relaxed);
    shares_memory_.store(true, std::memory_order_relaxed);
  }
  // The next message says whether the room for outcomes is short, as it is when the message is packed.
  void TellRoom();
  // Acknowledges so many requests of the stream with the next message; with `send_now` there is one.
  void SetTaken(std::uint64_t requests, bool send_now);

  // Clears the message and packs the next one. False: there is nothing that must be sent now.
  bool Fill(v1::SessionResponse* message);

  // The number of things that wait: outcomes, blocks of items, ends, outputs, reports and refusals.
  std::size_t waiting() const {
    return waiting_.load(std::memory_order_relaxed) + pending_packed_.load(std::memory_order_relaxed);
  }
  // The number of taken requests that the client was told of.
  std::uint64_t acknowledged() const { return acknowledged_.load(std::memory_order_relaxed); }
  // There was no memory in the quota of unsent answers for what waits.
  bool over_quota() const { return over_quota_.load(std::memory_order_relaxed); }
  // Bytes of output that were dropped since the session began.
  std::uint64_t dropped_output_bytes() const { return dropped_output_bytes_.load(std::memory_order_relaxed); }

 private:
  // Tasks that ended together in the same way: the ids from `id` on.
  struct TaskPart {
    core::HandleId id;
    std::uint32_t count = 1;
    core::OutcomePtr outcome;

    // Whether the task `next` with the outcome `its` may be added to this run.
    bool GoesOn(core::HandleId next, const core::OutcomePtr& its) const;
  };
  // A block of outcomes of a map's items, or the map's end: one of the two is null.
  struct MapPart {
    core::HandleId id;
    // Null: this is the end.
    core::ItemBlockPtr items;
    // The map at its end; null: this is a block.
    std::unique_ptr<core::MapView> end;
  };
  // The things that wait, by their kinds; each list in the order in which they came.
  struct Parts {
    std::deque<core::OutputEvent> outputs;
    // Bytes of `outputs`.
    std::size_t output_bytes = 0;
    // Outputs that made way for others. They are destroyed by Fill, not under the core's mutex.
    std::vector<core::OutputEvent> dropped_outputs;
    std::vector<core::ProgressEvent> progress;
    // Groups of tasks whose results were packed when they came.
    google::protobuf::RepeatedPtrField<v1::OutcomeGroup> packed;
    // Bytes of results in `packed`.
    std::size_t packed_bytes = 0;
    std::vector<TaskPart> tasks;
    std::vector<MapPart> maps;
    std::vector<RefusedHandle> refused;
    std::unique_ptr<v1::ServerInfo> greeting;
    // The client is to be told the state of its room.
    bool room = false;
    bool empty() const {
      return outputs.empty() && progress.empty() && packed.empty() && tasks.empty() && maps.empty() &&
             refused.empty() && greeting == nullptr && !room;
    }
  };

  // Counts bytes that came, and takes them from the quota of unsent answers; few are not counted.
  void Count(std::size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The packed group to which this task is added.
  v1::OutcomeGroup* PackFor(core::HandleId task, core::Encoding encoding) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Moves what waits into `active_` when that is empty; refusals and the state of the room always.
  void TakePending() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Each of these packs what fits of one kind. The first two answer false when some of their kind is left.
  bool FillOutputs(api::MessageRoom* room, v1::SessionResponse* message);
  bool FillProgress(api::MessageRoom* room, v1::SessionResponse* message);
  void FillPacked(api::MessageRoom* room, v1::SessionResponse* message);
  void FillTasks(const api::WallTime& wall, api::MessageRoom* room, v1::SessionResponse* message);
  void FillMaps(const api::WallTime& wall, api::MessageRoom* room, v1::SessionResponse* message);
  void FillRefused(api::MessageRoom* room, v1::SessionResponse* message);
  // Whether the outcome goes into a packed group of successes.
  bool Packs(const core::Outcome& outcome) const;
  // The place of a result in an arena, if the client can read it there.
  std::optional<v1::ArenaSlot> PlaceOf(const core::Bytes& result) const;
  void WriteOther(const core::Outcome& outcome, const api::WallTime& wall, api::MessageRoom* room,
                  v1::Outcome* out) const;

  const api::ServiceOptions& options_;
  const base::Clock& clock_;
  const engine::ClientNames& names_;
  const std::atomic<std::uint32_t>& short_rooms_;

  absl::Mutex mu_;
  // The things that came since Fill took the last ones.
  Parts pending_ ABSL_GUARDED_BY(mu_);
  // The place of each handle's report in `pending_.progress`.
  absl::flat_hash_map<core::HandleId, std::size_t> progress_places_ ABSL_GUARDED_BY(mu_);
  // Memory for what waits, and for what was taken of it last.
  base::Reservation unsent_ ABSL_GUARDED_BY(mu_);
  // Bytes that count of `pending_`, and of `active_` when it was taken.
  std::size_t pending_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  std::size_t active_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  // The number of taken requests, and whether the client is to be told of it in a message of its own.
  std::uint64_t taken_ ABSL_GUARDED_BY(mu_) = 0;
  bool tell_taken_ ABSL_GUARDED_BY(mu_) = false;
  // Results of more bytes are told by their size.
  std::atomic<std::uint64_t> max_inline_bytes_;
  std::atomic<bool> shares_memory_ = false;
  // All things that wait but the tasks that `pending_packed_` counts.
  std::atomic<std::size_t> waiting_ = 0;
  // Tasks in pending_.packed. Written with `mu_` held.
  std::atomic<std::size_t> pending_packed_ = 0;
  std::atomic<std::uint64_t> acknowledged_ = 0;
  std::atomic<std::uint64_t> dropped_output_bytes_ = 0;
  std::atomic<bool> over_quota_ = false;

  // Used by the thread that fills, as all that follows: the things that are being packed.
  Parts active_;
  // The log says that output was dropped: once for each session.
  bool told_dropped_ = false;
  // The next thing of each list in `active_`.
  std::size_t next_progress_ = 0;
  int next_packed_ = 0;
  std::size_t next_task_ = 0;
  std::size_t next_map_ = 0;
  std::size_t next_refused_ = 0;
  // The block of items that is packed in part; none: no such block.
  std::optional<api::ItemReader> reader_;
};

}  // namespace poold::session
