// SessionPort: a session as the cores know it: a subscriber of each core, whose messages concern several.
//
// Role: brings a batch to the cores that it concerns, each in one event; searches the cores for handles whose place is
// not known; counts the session as one of its client. Non-role: checks no request.
// Threads: the thread that reads for the session. Ownership: the engine must outlive it; the cores share the subscriber
// from Enter to Leave. Errors: refusals are left in the batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "core/core.h"
#include "engine/engine.h"

namespace poold::engine {

// The requests of one message of a session, checked for form; after Apply those that were refused. A batch is used for
// one message after the other, and keeps its memory.
struct Batch {
  struct Refused {
    core::HandleId id;
    absl::Status why;
    // The number of items that were taken of a map that lives on.
    std::optional<std::uint64_t> accepted_items = std::nullopt;
  };
  // Tasks with the same pool, function and options: `count` of them from tasks[begin] on. Views are the caller's.
  struct Tasks {
    core::TaskGroup group;
    std::size_t begin = 0;
    std::size_t count = 0;
    // The upload that stands for the arguments of the group's one task; empty for none.
    std::string upload_id;
    // Used by the port alone: the shard in which the pool lies.
    std::size_t shard = 0;
  };
  struct Map {
    core::MapGroup group;
    // As in Tasks.
    std::size_t shard = 0;
    // Used by the port alone: the map was given to its core.
    bool is_applied = false;
  };
  // A request that was refused for its form or for lack of arguments, of which the core of its pool may know more.
  struct Doubtful {
    std::string pool;
    Refused refused;
    // As in Tasks.
    std::size_t shard = 0;
  };
  // One request about neighbouring handles that are known already.
  struct HandleRequest {
    enum class What : std::uint8_t { kSubscribe, kCancel, kCancelRunning, kRelease, kConsumed } what;
    core::HandleId first;
    std::uint64_t count = 1;
    // For kConsumed: the items of the map `first`.
    std::uint64_t first_item = 0;
    std::uint64_t items = 0;
    // Used by the port alone: the shard that is searched now, and the number of shards to be searched after it.
    std::size_t shard = 0;
    std::size_t others = 0;
  };
  // The arguments of a refused task that came by an upload.
  struct Returned {
    std::string upload_id;
    core::Bytes bytes;
    absl::Status why;
  };

  // Clear the requests, and the refusals. Both keep the memory of the lists.
  void ClearAsked();
  void ClearRefused();

  // The tasks of all groups, one behind the other.
  std::vector<core::NewTask> tasks;
  std::vector<Tasks> groups;
  // Items of maps, in the order of the message.
  std::vector<Map> maps;
  // Maps that are refused for their form. The refusal tells how many of their items the core has taken.
  std::vector<Doubtful> refused_maps;
  // Tasks without arguments. Where the core took them before, on a stream that broke, the session is subscribed to
  // them.
  std::vector<Doubtful> without_args;
  // Requests about handles, in the order of the message.
  std::vector<HandleRequest> handle_requests;

  // Filled by Apply: what was refused.
  std::vector<Refused> refused;
  // Filled by Apply: arguments that go back to the store of uploads.
  std::vector<Returned> returned;
};

class SessionPort {
 public:
  // Called inside an event for a handle to release that the core does not know. True: the handle stood for something
  // else, which was dropped. Must not enter a core.
  using DropOther = std::function<bool(const core::HandleId&)>;

  SessionPort(const Engine* engine, DropOther drop_other)
      : engine_(*engine), drop_other_(std::move(drop_other)), waits_(engine->size()) {}

  // Subscribes `session` in each core.
  void Enter(const std::shared_ptr<Subscriber>& session, const core::ClientOrigin& origin);
  // Makes the session one of this client, with the next batch. Call once.
  void Greet(core::ClientId client);
  // Enters each core that the batch concerns once for each kSlice of its handles, and at least one core: others get in
  // between, and what follows in the batch waits. Calls `done` inside the last event; where that returns true, the
  // session is flushed after the event. Leaves only refusals in the batch.
  void Apply(const std::shared_ptr<Subscriber>& session, Batch* batch, absl::FunctionRef<bool()> done);
  // Unsubscribes the session. The cores send nothing to it after this call.
  void Leave();

 private:
  // Finds the shard of each request, and claims new ids that lie in none yet.
  ClaimedIds Route(Batch* batch);
  void RouteRequests(Batch* batch);
  // A shard that is still to be entered; none: the batch is done.
  std::optional<std::size_t> Next() const;
  // Has the shard entered, or entered again.
  void Await(std::size_t shard) { waits_[shard] = true; }
  // Refuses all tasks of a group whose ids name another shard than the pool's. True: it was refused.
  bool RefuseStrayTasks(Batch::Tasks* tasks, Batch* batch) const;
  ClaimedIds ClaimIds(Batch* batch) const;
  static void RefuseTaken(std::span<const absl::Status> why, Batch::Tasks* tasks, Batch* batch);
  void AddRequest(Batch* batch, const Batch::HandleRequest& asked);

  // Inside an event of a core.
  struct Visit {
    core::Core& core;
    core::Nanos now = 0;
    std::size_t shard = 0;
    core::SubscriberId me = core::kNobody;
  };
  // Counts the session as one of its client in this core, once.
  void BePresent(const Visit& visit, const std::shared_ptr<Subscriber>& session);
  // Each applies what is for this core, as far as the slice goes, and takes it from the slice. False: something is
  // left.
  bool ApplyDoubtful(const Visit& visit, Batch* batch, std::size_t* slice);
  bool ApplyTasks(const Visit& visit, Batch* batch, std::size_t* slice);
  bool ApplyMaps(const Visit& visit, Batch* batch, std::size_t* slice);
  bool ApplyRequests(const Visit& visit, Batch* batch, std::size_t* slice);
  // Does one request about one handle.
  absl::Status Ask(const Visit& visit, const Batch::HandleRequest& asked, const core::HandleId& id) const;
  // The core does not know the handle: the next one is asked.
  void LookElsewhere(Batch* batch, const Batch::HandleRequest& asked, const core::HandleId& id);

  const Engine& engine_;
  const DropOther drop_other_;
  core::ClientOrigin origin_;
  // The session's subscriber in each core.
  std::vector<core::SubscriberId> ids_;
  core::ClientId client_{};
  // Whether the batch under way still greets each core; empty if it does not greet.
  std::vector<bool> greets_;
  // Whether the session counts as one of its client.
  bool present_ = false;
  // Whether each core is still to be entered for the batch under way.
  std::vector<bool> waits_;
  // Memory for the refusals of one group, used again.
  std::vector<core::Refusal> refusals_;
};

}  // namespace poold::engine
