// The answers that wait for the client of one session, and how they are packed into messages.
//
// Role: keeps pointers to outcomes that the core keeps anyway, and copies of small ones; packs as much as has
// accumulated into the next message. Non-role: knows no transport. Bounded: outcomes by what clients submitted and the
// core keeps; output by dropping the oldest; progress by keeping only the latest of each handle; refusals by the
// session, which reads nothing more while `waiting` is large. Everything that waits is counted as unsent answers; a
// session over its quota whose client does not read is to be ended. Thread safety: the Add... functions and `waiting`
// by any thread; Fill by one thread at a time.
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
  // Of items of a map that lives on.
  std::optional<std::uint64_t> accepted_items = std::nullopt;
};

class ResponseEncoder {
 public:
  // All must outlive it.
  // `short_rooms`: in how many shards the room of its client is short.
  ResponseEncoder(const api::ServiceOptions& options, const base::Clock& clock, const engine::ClientNames& names,
                  const std::atomic<std::uint32_t>& short_rooms)
      : options_(options),
        clock_(clock),
        names_(names),
        short_rooms_(short_rooms),
        unsent_(options.memory->unsent),
        max_inline_bytes_(options.max_inline_result_bytes) {}

  void AddOutcome(core::HandleId task, core::OutcomePtr outcome);
  // As AddOutcome. Small ones are packed at once, larger ones too while the reader keeps up.
  void AddSuccess(core::HandleId task, const core::CompactSuccess& success);
  void AddItems(core::HandleId map, core::ItemBlockPtr items);
  void AddMapEnd(const core::MapView& map);
  void AddOutput(const core::OutputEvent& output);
  // In place of what waits of the same handle.
  void AddProgress(const core::ProgressEvent& progress);
  void AddRefused(std::vector<RefusedHandle> refused);
  // The answer to the hello.
  void AddGreeting(const v1::ServerInfo& server);
  // The client reads shared memory: results of tasks that lie in an arena are told by their place, others above so many
  // bytes by their size. Before it was called all are told as the options say.
  void ShareMemory(std::uint64_t max_inline_bytes) {
    max_inline_bytes_.store(max_inline_bytes, std::memory_order_relaxed);
    shares_memory_.store(true, std::memory_order_relaxed);
  }
  // Whether the room for outcomes is short, as it is when the message is packed.
  void TellRoom();
  // So many requests of the stream were taken. Goes with the next message; `send_now` asks for one.
  void SetTaken(std::uint64_t requests, bool send_now);

  // True: `message`, which it clears first, holds what must be sent now. False: nothing.
  bool Fill(v1::SessionResponse* message);

  // Everything that waits, in things.
  std::size_t waiting() const {
    return waiting_.load(std::memory_order_relaxed) + pending_packed_.load(std::memory_order_relaxed);
  }
  // How many taken requests the client was told of.
  std::uint64_t acknowledged() const { return acknowledged_.load(std::memory_order_relaxed); }
  // There was no memory for what waits.
  bool over_quota() const { return over_quota_.load(std::memory_order_relaxed); }
  std::uint64_t dropped_output_bytes() const { return dropped_output_bytes_.load(std::memory_order_relaxed); }

 private:
  // Tasks that ended together in the same way: the ids from `id` on.
  struct TaskPart {
    core::HandleId id;
    std::uint32_t count = 1;
    core::OutcomePtr outcome;

    bool GoesOn(core::HandleId next, const core::OutcomePtr& its) const;
  };
  struct MapPart {
    core::HandleId id;
    core::ItemBlockPtr items;            // or
    std::unique_ptr<core::MapView> end;  // the last of this map
  };
  struct Parts {
    std::deque<core::OutputEvent> outputs;
    std::size_t output_bytes = 0;
    // Made way for others; not destroyed under the core's mutex.
    std::vector<core::OutputEvent> dropped_outputs;
    std::vector<core::ProgressEvent> progress;
    google::protobuf::RepeatedPtrField<v1::OutcomeGroup> packed;
    std::size_t packed_bytes = 0;
    std::vector<TaskPart> tasks;
    std::vector<MapPart> maps;
    std::vector<RefusedHandle> refused;
    std::unique_ptr<v1::ServerInfo> greeting;
    bool room = false;
    bool empty() const {
      return outputs.empty() && progress.empty() && packed.empty() && tasks.empty() && maps.empty() &&
             refused.empty() && greeting == nullptr && !room;
    }
  };

  void Count(std::size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  v1::OutcomeGroup* PackFor(core::HandleId task, core::Encoding encoding) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TakePending() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool FillOutputs(api::MessageRoom* room, v1::SessionResponse* message);
  bool FillProgress(api::MessageRoom* room, v1::SessionResponse* message);
  void FillPacked(api::MessageRoom* room, v1::SessionResponse* message);
  void FillTasks(const api::WallTime& wall, api::MessageRoom* room, v1::SessionResponse* message);
  void FillMaps(const api::WallTime& wall, api::MessageRoom* room, v1::SessionResponse* message);
  void FillRefused(api::MessageRoom* room, v1::SessionResponse* message);
  bool Packs(const core::Outcome& outcome) const;
  // Where the result lies, if the client can read it there.
  std::optional<v1::ArenaSlot> PlaceOf(const core::Bytes& result) const;
  void WriteOther(const core::Outcome& outcome, const api::WallTime& wall, api::MessageRoom* room,
                  v1::Outcome* out) const;

  const api::ServiceOptions& options_;
  const base::Clock& clock_;
  const engine::ClientNames& names_;
  const std::atomic<std::uint32_t>& short_rooms_;

  absl::Mutex mu_;
  Parts pending_ ABSL_GUARDED_BY(mu_);
  // Where in pending_.progress each handle has its place.
  absl::flat_hash_map<core::HandleId, std::size_t> progress_places_ ABSL_GUARDED_BY(mu_);
  base::Reservation unsent_ ABSL_GUARDED_BY(mu_);  // for what waits, and what was taken of it last
  std::size_t pending_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  std::size_t active_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  std::uint64_t taken_ ABSL_GUARDED_BY(mu_) = 0;
  bool tell_taken_ ABSL_GUARDED_BY(mu_) = false;
  std::atomic<std::uint64_t> max_inline_bytes_;
  std::atomic<bool> shares_memory_ = false;
  std::atomic<std::size_t> waiting_ = 0;         // without
  std::atomic<std::size_t> pending_packed_ = 0;  // tasks in pending_.packed; written with mu_ held
  std::atomic<std::uint64_t> acknowledged_ = 0;
  std::atomic<std::uint64_t> dropped_output_bytes_ = 0;
  std::atomic<bool> over_quota_ = false;

  // Of the one who fills.
  Parts active_;
  bool told_dropped_ = false;
  std::size_t next_progress_ = 0;
  int next_packed_ = 0;
  std::size_t next_task_ = 0;
  std::size_t next_map_ = 0;
  std::size_t next_refused_ = 0;
  std::optional<api::ItemReader> reader_;
};

}  // namespace poold::session
