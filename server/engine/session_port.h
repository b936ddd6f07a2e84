// A session as the cores know it: a subscriber of each, whose messages ask something of several.
//
// Role: brings a batch to the cores that it concerns, each in one event; looks for handles where they are not known to
// lie; counts the session as one of its client. Non-role: checks nothing of what is asked. Used by the thread that
// reads for the session. Ownership: the engine must outlive it; the cores share the subscriber from Enter to Leave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "core/core.h"
#include "engine/engine.h"
#include "wire/handle_shard.h"

namespace poold::engine {

// The requests of one message of a session, checked for form; after Apply those that were refused. A batch is used for
// one message after the other, and keeps its memory.
struct Batch {
  struct Refused {
    core::HandleId id;
    absl::Status why;
    // Of items of a map that lives on.
    std::optional<std::uint64_t> accepted_items = std::nullopt;
  };
  // Tasks with the same pool, function and options: `count` of them from tasks[begin] on. Views are the caller's.
  struct Tasks {
    core::TaskGroup group;
    std::size_t begin = 0;
    std::size_t count = 0;
    // The upload that stands for the arguments of the group's one task; empty for none.
    std::string upload_id;
    std::size_t shard = 0;  // the port's
  };
  struct Map {
    core::MapGroup group;
    std::size_t shard = 0;  // the port's
  };
  // Refused for its form, or for what it lacks; the core of its pool may know more of it.
  struct Doubtful {
    std::string pool;
    Refused refused;
    std::size_t shard = 0;  // the port's
  };
  // One request about neighbouring handles that are known already.
  struct HandleRequest {
    enum class What : std::uint8_t { kSubscribe, kCancel, kCancelRunning, kRelease, kConsumed } what;
    core::HandleId first;
    std::uint64_t count = 1;
    // Of kConsumed: items of the map `first`.
    std::uint64_t first_item = 0;
    std::uint64_t items = 0;
    // The port's: where they are looked for now, and in how many cores after that.
    std::size_t shard = 0;
    std::size_t others = 0;
  };
  // Arguments of a task that was refused, which came by an upload.
  struct Returned {
    std::string upload_id;
    core::Bytes bytes;
    absl::Status why;
  };

  // Each keeps the memory of the lists.
  void ClearAsked();
  void ClearRefused();

  std::vector<core::NewTask> tasks;
  std::vector<Tasks> groups;
  std::vector<Map> maps;
  // Maps of a form that is refused: told with what the core has taken of them so far.
  std::vector<Doubtful> refused_maps;
  // Tasks without arguments: perhaps these were taken before, on a stream that broke. Then the session is subscribed.
  std::vector<Doubtful> without_args;
  std::vector<HandleRequest> handle_requests;

  std::vector<Refused> refused;
  std::vector<Returned> returned;
};

// In which core the handles lie that came with one session. A hint: a handle that is not there is looked for elsewhere.
// Bounded. One thread's.
class HandleHomes {
 public:
  static constexpr std::size_t kMaxStretches = 4096;

  void Learn(const core::HandleId& id, std::size_t shard) {
    if (homes_.size() >= kMaxStretches) homes_.clear();
    homes_[KeyOf(id)] = static_cast<std::uint32_t>(shard);
  }
  std::optional<std::size_t> Of(const core::HandleId& id) const {
    const auto home = homes_.find(KeyOf(id));
    if (home == homes_.end()) return std::nullopt;
    return home->second;
  }

 private:
  static core::HandleId KeyOf(const core::HandleId& id) { return {id.high, id.low / wire::kHandleStretch}; }

  absl::flat_hash_map<core::HandleId, std::uint32_t> homes_;
};

class SessionPort {
 public:
  // Asked inside an event of a handle to release that the core does not know: true: it stood for something else that is
  // let go now. Must not enter a core.
  using DropOther = std::function<bool(const core::HandleId&)>;

  SessionPort(const Engine* engine, DropOther drop_other)
      : engine_(*engine), drop_other_(std::move(drop_other)), waits_(engine->size()) {}

  // `session` is subscribed in each core.
  void Enter(const std::shared_ptr<Subscriber>& session, const core::ClientOrigin& origin);
  // With the next batch the session becomes one of this client. Once.
  void Greet(core::ClientId client);
  // Each core that the batch concerns is entered once; one at least. `done` is called inside the last event: true: the
  // session is flushed after it, together with what the event brings. Then only what was refused is left of the batch.
  void Apply(const std::shared_ptr<Subscriber>& session, Batch* batch, absl::FunctionRef<bool()> done);
  // Nothing comes from the cores after it.
  void Leave();

 private:
  void Route(Batch* batch);
  void RouteRequests(Batch* batch);
  std::optional<std::size_t> Next() const;
  void Await(std::size_t shard) { waits_[shard] = true; }
  void Learn(const core::HandleId& first, std::uint64_t count, std::size_t shard);
  bool RefuseStrayTasks(Batch::Tasks* tasks, Batch* batch) const;
  void AddRequest(Batch* batch, const Batch::HandleRequest& asked);

  // Inside an event of a core.
  struct Visit {
    core::Core& core;
    core::Nanos now = 0;
    std::size_t shard = 0;
    core::SubscriberId me = core::kNobody;
  };
  void BePresent(const Visit& visit, const std::shared_ptr<Subscriber>& session);
  void ApplyTasks(const Visit& visit, Batch* batch);
  void ApplyMaps(const Visit& visit, Batch* batch);
  void ApplyRequests(const Visit& visit, Batch* batch);
  absl::Status Ask(const Visit& visit, const Batch::HandleRequest& asked, const core::HandleId& id) const;
  void LookElsewhere(Batch* batch, const Batch::HandleRequest& asked, const core::HandleId& id);

  const Engine& engine_;
  const DropOther drop_other_;
  core::ClientOrigin origin_;
  std::vector<core::SubscriberId> ids_;  // in each core
  core::ClientId client_{};
  bool greets_ = false;      // with the batch under way
  bool present_ = false;     // it counts as a session of its client
  std::vector<bool> waits_;  // of each core: it is to be entered
  HandleHomes homes_;        // with several cores
  std::vector<core::Refusal> refusals_;
};

}  // namespace poold::engine
