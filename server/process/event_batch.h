// Events of one round on their way into the core, which is entered once for all of them.
//
// Role: keeps them in the order in which they were added, and joins what belongs together: results of neighbouring
// items of a chunk become one block. Non-role: checks nothing; who adds has checked.
// Threads: guarded by the round of the process thread (event_loop.h). Deliver is called under the core's mutex too.
// Ownership: results are copied, unless they come as core::Bytes; small ones of a round share one buffer.
// Units: times are in ns.
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

// The attempt that a result belongs to, and the kind of the result.
struct ResultOf {
  core::WorkerId worker{};
  core::AttemptToken token{};
  std::uint32_t attempt = 1;
  core::Encoding encoding = core::Encoding::kUnspecified;
  // The protobuf message's name; null for none. Looked at during the call only.
  const std::shared_ptr<const std::string>* type_name = nullptr;
  core::Nanos elapsed = 0;  // that the function ran
};

class EventBatch {
 public:
  // A hint before results are added: about so many bytes of small ones will come.
  void ExpectBytes(std::size_t bytes);

  // A task succeeded. The first form copies the result, the second one keeps its owner.
  void AddResult(const ResultOf& of, std::string_view result);
  void AddResult(const ResultOf& of, core::Bytes result);
  // A task failed.
  void AddFailure(const ResultOf& of, core::Failure failure);
  // The next item of a chunk succeeded; `item` is relative to the chunk. Items of a chunk are added in their order.
  void AddItem(const ResultOf& of, std::uint32_t item, std::string_view result);
  // The next ones, from `first` on: the bytes of each, and their results, packed. `of` tells what all took together.
  void AddItems(const ResultOf& of, std::uint32_t first, std::span<const std::uint32_t> bytes,
                std::string_view results);
  // The next item of a chunk failed, just now.
  void AddItemFailure(const ResultOf& of, std::uint32_t item, core::Failure failure, core::Nanos now);
  // A task wrote this. Told after the items of its chunk that were added before.
  void AddOutput(core::WorkerId worker, core::AttemptToken token, core::OutputStream stream, std::string_view text);
  // How far a task or an item of a chunk is.
  void AddProgress(core::WorkerId worker, core::AttemptToken token, std::uint32_t item, wire::ProgressNote note);

  // Of processes: as the events of core::Core with these names.
  void AddZygoteReady(core::PoolId pool, std::uint32_t generation);
  void AddZygoteLost(core::PoolId pool, std::uint32_t generation, std::string why, core::LossCause cause);
  void AddWorkerReady(core::WorkerId worker, std::int64_t pid, std::vector<core::FunctionInfo> functions,
                      bool uses_page);
  void AddWorkerUsage(core::WorkerId worker, std::uint64_t rss_bytes);
  void AddWorkerLost(core::WorkerId worker, core::WorkerLoss loss);
  // The core's timer is due.
  void AddTick() { tick_ = true; }

  // Throws all events away.
  void Discard();

  bool empty() const { return events_.empty() && !block_ && !tick_; }
  // Tells the core all events in their order, a tick last, and is empty again. REQUIRES: the core's mutex is held.
  // Calls `forget(worker)` before each OnWorkerLost.
  template <typename Forget>
  void Deliver(core::Core& core, core::Nanos now, Forget&& forget) {
    CloseBlock();
    for (Event& event : events_) {
      if (event.kind == Kind::kWorkerLost) forget(event.worker);
      DeliverOne(core, now, event);
    }
    if (tick_) core.OnTick(now);
    Clear();
  }

 private:
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
  // What most events need. Whatever else an event of its kind has lies in the list of that kind.
  struct Event {
    Kind kind = Kind::kResult;
    core::Encoding encoding = core::Encoding::kUnspecified;
    core::OutputStream stream = core::OutputStream::kStdout;
    bool uses_page = false;
    core::PoolId pool{};
    std::uint32_t generation = 0;
    std::uint32_t index = 0;  // into the list of its kind, below
    core::WorkerId worker{};
    core::AttemptToken token{};
    core::Nanos elapsed = 0;
    core::Bytes bytes;
    std::shared_ptr<const std::string> type_name;
  };
  // Of events of kind kProgress, kZygoteLost and kWorkerReady.
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
  // The chunk whose items come in now. Becomes an event when something else comes.
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
  // Makes an event of the open block, if there is one: what is added next comes behind its items.
  void CloseBlock();
  void DeliverOne(core::Core& core, core::Nanos now, Event& event);
  void Clear();

  std::vector<Event> events_;
  std::vector<core::Failure> failures_;
  std::vector<core::ItemBlock> blocks_;
  std::vector<ZygoteLoss> zygote_losses_;
  std::vector<Progress> progress_;
  std::vector<std::uint64_t> usages_;
  std::vector<Ready> ready_;
  std::vector<core::WorkerLoss> losses_;
  std::optional<Block> block_;
  bool tick_ = false;

  // Small results lie here; never grown beyond its capacity, so that views stay good.
  std::shared_ptr<std::string> shared_;
  std::size_t expected_bytes_ = 0;
};

}  // namespace poold::process
