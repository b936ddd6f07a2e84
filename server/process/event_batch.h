// EventBatch: the events of one round on their way into the core, which is entered once for all of them.
//
// Role: keeps events in the order in which they were added, and joins the results of neighbouring items of a chunk into
// one block. Non-role: checks nothing; the caller has checked. Threads: guarded by the round of the process thread
// (event_loop.h). Deliver is called under the core's mutex too. Ownership: results are copied, unless they come as
// core::Bytes; small ones of a round share one buffer. Units: times are in ns.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.h"
#include "wire/outcome_ring.h"

namespace poold::process {

// The attempt that a result belongs to, and the form of the result.
struct ResultOf {
  core::WorkerId worker{};
  core::AttemptToken token{};
  // The number of the attempt, from 1.
  std::uint32_t attempt = 1;
  core::Encoding encoding = core::Encoding::kUnspecified;
  // The protobuf message's name; null for none. Looked at during the call only.
  const std::shared_ptr<const std::string>* type_name = nullptr;
  // The ns for which the function ran.
  core::Nanos elapsed = 0;
};

class EventBatch {
 public:
  // Announces about so many bytes of small results, so that their buffer has the right size.
  void ExpectBytes(std::size_t bytes);

  // Adds the success of a task. The first form copies the result, the second one keeps the result's owner.
  void AddResult(const ResultOf& of, std::string_view result);
  void AddResult(const ResultOf& of, core::Bytes result);
  // Adds the failure of a task.
  void AddFailure(const ResultOf& of, core::Failure failure);
  // Adds the success of a chunk's next item; `item` is relative to the chunk. Items are added in their order.
  void AddItem(const ResultOf& of, std::uint32_t item, std::string_view result);
  // Adds the successes of a chunk's next items, from `first` on: the length of each result in bytes, and all results
  // one behind the other. `of.elapsed` is the time of all of them together.
  void AddItems(const ResultOf& of, std::uint32_t first, std::span<const std::uint32_t> bytes,
                std::string_view results);
  // Adds the failure of a chunk's next item, which happened at `now`.
  void AddItemFailure(const ResultOf& of, std::uint32_t item, core::Failure failure, core::Nanos now);
  // Adds output of a task, behind the items of its chunk that were added before.
  void AddOutput(core::WorkerId worker, core::AttemptToken token, core::OutputStream stream, std::string_view text);
  // Adds a report of progress of a task or of an item of a chunk.
  void AddProgress(core::WorkerId worker, core::AttemptToken token, std::uint32_t item, wire::ProgressNote note);

  // Add events of processes, with the meaning of the functions of core::Core with these names.
  void AddZygoteReady(core::PoolId pool, std::uint32_t generation);
  void AddZygoteLost(core::PoolId pool, std::uint32_t generation, std::string why, core::LossCause cause);
  void AddWorkerReady(core::WorkerId worker, std::int64_t pid, std::vector<core::FunctionInfo> functions,
                      bool uses_page);
  void AddWorkerUsage(core::WorkerId worker, std::uint64_t rss_bytes);
  void AddWorkerLost(core::WorkerId worker, core::WorkerLoss loss);
  // Adds a tick: the core's timer is due.
  void AddTick() { tick_ = true; }

  // Forgets all events.
  void Discard();

  bool empty() const { return events_.empty() && !block_ && !tick_; }
  // Gives the core all events in their order, a tick last. Calls `forget(worker)` before each OnWorkerLost. The caller
  // calls Clear when the mutex was left. REQUIRES: the core's mutex is held.
  template <typename Forget>
  void Deliver(core::Core& core, core::Nanos now, Forget&& forget) {
    CloseBlock();
    for (Event& event : events_) {
      if (event.kind == Kind::kWorkerLost) forget(event.worker);
      DeliverOne(core, now, event);
    }
    if (tick_) core.OnTick(now);
  }
  // What is left of the events goes: it is empty again.
  void Clear();

 private:
  // The function of core::Core that an event calls: OnTaskResult for the first two, OnItemResults for kItems.
  enum class Kind : std::uint8_t {
    kResult,
    kFailure,
    kItems,
    kOutput,
    kProgress,
    kZygoteReady,
    kZygoteLost,
    kWorkerReady,
    kWorkerUsage,
    kWorkerLost,
  };
  // The members that most kinds of events have. A member that only one kind has lies in the list of that kind, at
  // `index`.
  struct Event {
    Kind kind = Kind::kResult;
    // Of `bytes`, with kResult.
    core::Encoding encoding = core::Encoding::kUnspecified;
    // With kOutput.
    core::OutputStream stream = core::OutputStream::kStdout;
    // With kWorkerReady.
    bool uses_page = false;
    // With kZygoteReady and kZygoteLost, as `generation`.
    core::PoolId pool{};
    std::uint32_t generation = 0;
    // Place in the list of the event's kind.
    std::uint32_t index = 0;
    // With all kinds but those of zygotes; `token` with those of attempts.
    core::WorkerId worker{};
    core::AttemptToken token{};
    // With kResult, kFailure and kItems.
    core::Nanos elapsed = 0;
    // The result of kResult, or the text of kOutput.
    core::Bytes bytes;
    std::shared_ptr<const std::string> type_name;
  };
  // The further members of events of kind kProgress, kZygoteLost and kWorkerReady.
  struct Progress {
    std::uint32_t item = 0;
    wire::ProgressNote note;
  };
  struct ZygoteLoss {
    std::string why;
    core::LossCause cause{};
  };
  struct Ready {
    std::int64_t pid = 0;
    std::vector<core::FunctionInfo> functions;
  };
  // The chunk whose items come in now. Becomes an event as soon as an event of another kind or chunk is added.
  struct Block {
    Block() {}  // clang 14 cannot make one inside an optional of this class otherwise
    core::WorkerId worker{};
    core::AttemptToken token{};
    core::Nanos elapsed = 0;
    core::ItemBlock items;
  };

  // A copy of the bytes, in the shared buffer if they are few.
  core::Bytes Keep(std::string_view bytes);
  Event& Append(Kind kind, core::WorkerId worker, core::AttemptToken token);
  // The open block, if the item belongs there; else a new one.
  core::ItemBlock& BlockOf(const ResultOf& of, std::uint32_t item, bool has_encoding);
  // Makes an event of the open block, if there is one, so that the next event comes behind its items.
  void CloseBlock();
  void DeliverOne(core::Core& core, core::Nanos now, Event& event);

  // In the order in which they were added.
  std::vector<Event> events_;
  std::vector<core::Failure> failures_;
  std::vector<core::ItemBlock> blocks_;
  std::vector<ZygoteLoss> zygote_losses_;
  std::vector<Progress> progress_;
  std::vector<std::uint64_t> usages_;
  std::vector<Ready> ready_;
  std::vector<core::WorkerLoss> losses_;
  // None: the last event was no item of a chunk.
  std::optional<Block> block_;
  // AddTick was called.
  bool tick_ = false;

  // The buffer of small results. Never grows beyond its capacity, so that views stay valid.
  std::shared_ptr<std::string> shared_;
  // The size that the next buffer of small results gets.
  std::size_t expected_bytes_ = 0;
};

}  // namespace poold::process
