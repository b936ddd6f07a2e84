// What one turn of the process thread brought in from all workers, in order, on its way into the core.
//
// Not thread-safe. Small results of a turn share one buffer. Deliver is called under the core's mutex.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.h"
#include "wire/progress_note.h"

namespace poold::process {

// Whose result it is, and of which kind.
struct ResultOf {
  core::WorkerId worker{};
  core::AttemptToken token{};
  std::uint32_t attempt = 1;
  core::Encoding encoding = core::Encoding::kUnspecified;
  // The protobuf message's name; null for none.
  const std::shared_ptr<const std::string>* type_name = nullptr;
  core::Nanos elapsed = 0;
};

class EventBatch {
 public:
  // Before a turn's results: about so many bytes of small ones will come.
  void ExpectBytes(std::size_t bytes);

  void AddResult(const ResultOf& of, std::string_view result);
  void AddResult(const ResultOf& of, core::Bytes result);
  void AddFailure(const ResultOf& of, core::Failure failure);
  // The next item of a chunk; `item` is relative to the chunk.
  void AddItem(const ResultOf& of, std::uint32_t item, std::string_view result);
  // The next ones, from `first` on: the bytes of each, and their results, packed. `of` tells what all took together.
  void AddItems(const ResultOf& of, std::uint32_t first, std::span<const std::uint32_t> bytes,
                std::string_view results);
  void AddItemFailure(const ResultOf& of, std::uint32_t item, core::Failure failure, core::Nanos now);
  void AddOutput(core::WorkerId worker, core::AttemptToken token, core::OutputStream stream, std::string_view text);

  void AddProgress(core::WorkerId worker, core::AttemptToken token, std::uint32_t item, wire::ProgressNote note);

  void AddZygoteReady(core::PoolId pool, std::uint32_t generation);
  void AddZygoteLost(core::PoolId pool, std::uint32_t generation, std::string why, core::LossCause cause);
  void AddWorkerReady(core::WorkerId worker, std::int64_t pid, std::vector<core::FunctionInfo> functions,
                      bool uses_page);
  void AddWorkerUsage(core::WorkerId worker, std::uint64_t rss_bytes);
  void AddWorkerLost(core::WorkerId worker, core::WorkerLoss loss);
  // The core's timer is due.
  void AddTick() { tick_ = true; }

  // Throws it all away.
  void Discard();

  bool empty() const { return events_.empty() && !block_ && !tick_; }
  // Tells the core everything and is empty again. Calls `forget` before each OnWorkerLost.
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
  struct Event {
    Kind kind = Kind::kResult;
    core::Encoding encoding = core::Encoding::kUnspecified;
    core::OutputStream stream = core::OutputStream::kStdout;
    bool uses_page = false;
    core::PoolId pool{};
    std::uint32_t generation = 0;
    std::uint32_t index = 0;  // into the list of its kind
    core::WorkerId worker{};
    core::AttemptToken token{};
    core::Nanos elapsed = 0;
    core::Bytes bytes;
    std::shared_ptr<const std::string> type_name;
  };
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
  // The chunk whose items come in now.
  struct Block {
    Block() {}  // clang 14 cannot make one inside an optional of this class otherwise
    core::WorkerId worker{};
    core::AttemptToken token{};
    core::Nanos elapsed = 0;
    core::ItemBlock items;
  };

  core::Bytes Keep(std::string_view bytes);
  Event& Append(Kind kind, core::WorkerId worker, core::AttemptToken token);
  core::ItemBlock& BlockOf(const ResultOf& of, std::uint32_t item, bool has_encoding);
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
