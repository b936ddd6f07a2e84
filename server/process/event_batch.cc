#include "process/event_batch.h"

#include <algorithm>
#include <utility>

namespace poold::process {
namespace {

// A small result that is kept keeps at most so much alive.
constexpr std::size_t kSharedBytes = 16 * 1024;
// Above it a result has memory of its own.
constexpr std::size_t kSmallBytes = 2 * 1024;

}  // namespace

void EventBatch::ExpectBytes(std::size_t bytes) { expected_bytes_ = std::min(bytes, kSharedBytes); }

core::Bytes EventBatch::Keep(std::string_view bytes) {
  if (bytes.size() <= core::Bytes::kFew) return core::Bytes::Few(bytes);
  if (bytes.size() > kSmallBytes) return core::Bytes(std::string(bytes));
  if (shared_ == nullptr || shared_->capacity() - shared_->size() < bytes.size()) {
    shared_ = std::make_shared<std::string>();
    shared_->reserve(std::max(expected_bytes_, bytes.size()));
  }
  const std::size_t begin = shared_->size();
  shared_->append(bytes);
  return core::Bytes(shared_, std::string_view(*shared_).substr(begin));
}

EventBatch::Event& EventBatch::Append(Kind kind, core::WorkerId worker, core::AttemptToken token) {
  Event& event = events_.emplace_back();
  event.kind = kind;
  event.worker = worker;
  event.token = token;
  return event;
}

void EventBatch::AddResult(const ResultOf& of, std::string_view result) { AddResult(of, Keep(result)); }

void EventBatch::AddResult(const ResultOf& of, core::Bytes result) {
  CloseBlock();
  Event& event = Append(Kind::kResult, of.worker, of.token);
  event.encoding = of.encoding;
  event.elapsed = of.elapsed;
  if (of.type_name != nullptr) event.type_name = *of.type_name;
  event.bytes = std::move(result);
}

void EventBatch::AddFailure(const ResultOf& of, core::Failure failure) {
  CloseBlock();
  Event& event = Append(Kind::kFailure, of.worker, of.token);
  event.elapsed = of.elapsed;
  event.index = static_cast<std::uint32_t>(failures_.size());
  failures_.push_back(std::move(failure));
}

core::ItemBlock& EventBatch::BlockOf(const ResultOf& of, std::uint32_t item, bool has_encoding) {
  const bool same = block_ && block_->token == of.token && block_->worker == of.worker &&
                    (!has_encoding || block_->items.encoding == of.encoding ||
                     block_->items.encoding == core::Encoding::kUnspecified);
  if (!same) {
    CloseBlock();
    block_.emplace();
    block_->worker = of.worker;
    block_->token = of.token;
    block_->items.first_index = item;
  }
  if (has_encoding && block_->items.encoding == core::Encoding::kUnspecified) {
    block_->items.encoding = of.encoding;
    if (of.type_name != nullptr) block_->items.type_name = *of.type_name;
  }
  block_->elapsed += of.elapsed;
  return block_->items;
}

void EventBatch::AddItem(const ResultOf& of, std::uint32_t item, std::string_view result) {
  core::ItemBlock& items = BlockOf(of, item, true);
  items.result_bytes.push_back(static_cast<std::uint32_t>(result.size()));
  items.results.append(result);
}

void EventBatch::AddItems(const ResultOf& of, std::uint32_t first, std::span<const std::uint32_t> bytes,
                          std::string_view results) {
  core::ItemBlock& items = BlockOf(of, first, true);
  items.result_bytes.insert(items.result_bytes.end(), bytes.begin(), bytes.end());
  items.results.append(results);
}

void EventBatch::AddItemFailure(const ResultOf& of, std::uint32_t item, core::Failure failure, core::Nanos now) {
  core::ItemBlock& items = BlockOf(of, item, false);
  auto outcome = std::make_shared<core::Outcome>();
  outcome->state = core::TaskState::kFailed;
  outcome->attempt = of.attempt;
  outcome->started_at = now - of.elapsed;
  outcome->ended_at = now;
  outcome->detail = std::make_unique<core::OutcomeDetail>();
  outcome->detail->failure = std::move(failure);
  items.result_bytes.push_back(0);
  items.others.emplace_back(item, std::move(outcome));
}

void EventBatch::CloseBlock() {
  if (!block_) return;
  Event& event = Append(Kind::kItems, block_->worker, block_->token);
  event.elapsed = block_->elapsed;
  event.index = static_cast<std::uint32_t>(blocks_.size());
  blocks_.push_back(std::move(block_->items));
  block_.reset();
}

void EventBatch::AddOutput(core::WorkerId worker, core::AttemptToken token, core::OutputStream stream,
                           std::string_view text) {
  // The items of the same chunk that are done come first: what follows was written by the one behind them. Those of
  // another worker may wait: output comes before its outcome, and theirs is not told yet.
  if (block_ && block_->token == token && block_->worker == worker) CloseBlock();
  Event& event = Append(Kind::kOutput, worker, token);
  event.stream = stream;
  event.bytes = core::Bytes(std::string(text));
}

void EventBatch::AddProgress(core::WorkerId worker, core::AttemptToken token, std::uint32_t item,
                             wire::ProgressNote note) {
  // Before the items of the block that is open, as output.
  Append(Kind::kProgress, worker, token).index = static_cast<std::uint32_t>(progress_.size());
  progress_.push_back({item, std::move(note)});
}

void EventBatch::AddZygoteReady(core::PoolId pool, std::uint32_t generation) {
  CloseBlock();
  Event& event = Append(Kind::kZygoteReady, {}, {});
  event.pool = pool;
  event.generation = generation;
}

void EventBatch::AddZygoteLost(core::PoolId pool, std::uint32_t generation, std::string why, core::LossCause cause) {
  CloseBlock();
  Event& event = Append(Kind::kZygoteLost, {}, {});
  event.pool = pool;
  event.generation = generation;
  event.index = static_cast<std::uint32_t>(zygote_losses_.size());
  zygote_losses_.push_back({std::move(why), cause});
}

void EventBatch::AddWorkerReady(core::WorkerId worker, std::int64_t pid, std::vector<core::FunctionInfo> functions,
                                bool uses_page) {
  CloseBlock();
  Event& event = Append(Kind::kWorkerReady, worker, {});
  event.uses_page = uses_page;
  event.index = static_cast<std::uint32_t>(ready_.size());
  ready_.push_back({pid, std::move(functions)});
}

void EventBatch::AddWorkerUsage(core::WorkerId worker, std::uint64_t rss_bytes) {
  CloseBlock();
  Append(Kind::kWorkerUsage, worker, {}).index = static_cast<std::uint32_t>(usages_.size());
  usages_.push_back(rss_bytes);
}

void EventBatch::AddWorkerLost(core::WorkerId worker, core::WorkerLoss loss) {
  CloseBlock();
  Append(Kind::kWorkerLost, worker, {}).index = static_cast<std::uint32_t>(losses_.size());
  losses_.push_back(std::move(loss));
}

void EventBatch::DeliverOne(core::Core& core, core::Nanos now, Event& event) {
  switch (event.kind) {
    case Kind::kResult: {
      core::TaskResult result;
      result.result = {event.encoding, std::move(event.type_name), std::move(event.bytes)};
      result.elapsed = event.elapsed;
      core.OnTaskResult(now, event.worker, event.token, std::move(result));
      return;
    }
    case Kind::kFailure: {
      core::TaskResult result;
      result.failure = std::move(failures_[event.index]);
      result.elapsed = event.elapsed;
      core.OnTaskResult(now, event.worker, event.token, std::move(result));
      return;
    }
    case Kind::kItems:
      core.OnItemResults(now, event.worker, event.token, std::move(blocks_[event.index]), event.elapsed);
      return;
    case Kind::kOutput:
      core.OnOutput(now, event.worker, event.token, event.stream, std::move(event.bytes));
      return;
    case Kind::kProgress: {
      Progress& progress = progress_[event.index];
      core.OnProgress(now, event.worker, event.token, progress.item, progress.note.fraction,
                      std::move(progress.note.text));
      return;
    }
    case Kind::kZygoteReady:
      core.OnZygoteReady(now, event.pool, event.generation);
      return;
    case Kind::kZygoteLost: {
      ZygoteLoss& loss = zygote_losses_[event.index];
      core.OnZygoteLost(now, event.pool, event.generation, std::move(loss.why), loss.cause);
      return;
    }
    case Kind::kWorkerReady: {
      Ready& ready = ready_[event.index];
      core.OnWorkerReady(now, event.worker, ready.pid, std::move(ready.functions), event.uses_page);
      return;
    }
    case Kind::kWorkerUsage:
      core.OnWorkerUsage(now, event.worker, usages_[event.index]);
      return;
    case Kind::kWorkerLost:
      core.OnWorkerLost(now, event.worker, std::move(losses_[event.index]));
      return;
  }
}

void EventBatch::Discard() {
  block_.reset();
  Clear();
}

void EventBatch::Clear() {
  events_.clear();
  failures_.clear();
  blocks_.clear();
  zygote_losses_.clear();
  progress_.clear();
  usages_.clear();
  ready_.clear();
  losses_.clear();
  shared_.reset();
  tick_ = false;
}

}  // namespace poold::process
