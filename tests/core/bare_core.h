// A core with ports that do nothing but remember what a driver needs: for what measures the core alone.
//
// Not thread-safe. Its clock moves only when somebody moves it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/core.h"
#include "silent_clients.h"

namespace poold::core::testing {

// What a worker was given.
struct Sent {
  WorkerId worker{};
  AttemptToken token{};
  std::uint32_t attempt = 1;
  std::uint32_t items = 0;  // of a chunk
};

class BareWorkers : public WorkerPort {
 public:
  void StartZygote(PoolId pool, std::uint32_t generation, const PoolSpec&) override { zygote = {pool, generation}; }
  void StopZygote(PoolId, std::uint32_t) override {}
  void StartWorker(PoolId, std::uint32_t, WorkerId worker) override { started.push_back(worker); }
  void Dispatch(WorkerId worker, std::vector<Assignment> work) override {
    for (const Assignment& one : work) sent.push_back({worker, one.token, one.attempt, CountItems(one)});
  }
  std::uint32_t TakeBack(WorkerId, AttemptToken, std::uint32_t) override { return 0; }
  void StopWorker(WorkerId) override {}
  void KillWorker(WorkerId, Nanos) override {}

  std::pair<PoolId, std::uint32_t> zygote;
  std::vector<WorkerId> started;
  std::vector<Sent> sent;  // and not answered

 private:
  static std::uint32_t CountItems(const Assignment& work) {
    std::size_t items = 0;
    for (const ItemSlice& slice : work.items) items += slice.count;
    return static_cast<std::uint32_t>(items);
  }
};

class BareClients : public SilentClients {
 public:
  void SendOutcome(SubscriberId, HandleId task, OutcomePtr) override { ended.push_back(task); }
  void SendSuccess(SubscriberId, HandleId task, const CompactSuccess&) override { ended.push_back(task); }
  void SendItems(SubscriberId, HandleId, ItemBlockPtr items) override { blocks.push_back(std::move(items)); }
  void SendMapEnd(SubscriberId, const MapView& map) override { ended.push_back(map.id); }

  std::vector<HandleId> ended;       // and not released
  std::vector<ItemBlockPtr> blocks;  // and not consumed
};

// One pool, "p", with workers that are ready and the function "f".
class BareCore {
 public:
  static constexpr std::uint64_t kArgsBytes = 8;
  static constexpr std::uint64_t kTaskIds = 7;

  explicit BareCore(std::uint32_t worker_count = 2) : core(Roomy(), &workers, &clients, 1) {
    core.OnClientPresent(now, client);
    OpenPool("p", worker_count);
  }

  // Another pool, whose workers are ready and have the function "f".
  void OpenPool(std::string name, std::uint32_t worker_count) {
    PoolSpec spec;
    spec.name = std::move(name);
    spec.workers = worker_count;
    workers.started.clear();
    core.OnOpenPool(now, kNobody, spec);
    core.OnZygoteReady(now, workers.zygote.first, workers.zygote.second);
    for (const WorkerId worker : std::vector(workers.started)) {
      core.OnWorkerReady(now, worker, 1, {{"f", nullptr}}, true);
    }
  }

  // Tasks with the ids {kTaskIds, first ...}, in one batch.
  void Submit(std::uint64_t first, std::uint64_t count) {
    const Bytes message(std::string(count * kArgsBytes, 'x'));
    std::vector<NewTask> tasks(count);
    for (std::uint64_t i = 0; i < count; ++i) {
      tasks[i].id = {kTaskIds, first + i};
      tasks[i].args = {Encoding::kRaw, nullptr, message.Slice(i * kArgsBytes, kArgsBytes)};
    }
    std::vector<Refusal> refused;
    core.OnSubmit(now, {client, kSubscriber, "p", "f", options}, tasks, &refused);
    if (!refused.empty()) std::abort();
  }
  // Items of `map` from `first` on, in one column.
  void AddItems(std::uint64_t first, std::uint64_t count, bool complete) {
    auto column = std::make_shared<ItemColumn>();
    column->lengths.assign(count, kArgsBytes);
    column->data = Bytes(std::string(count * kArgsBytes, 'x'));
    MapGroup group;
    group.client = client;
    group.subscriber = kSubscriber;
    group.pool = "p";
    group.function = "f";
    group.options = options;
    group.id = map;
    group.first_index = first;
    group.items = std::move(column);
    group.encoding = Encoding::kRaw;
    group.complete = complete;
    if (!core.OnMap(now, group).ok()) std::abort();
  }
  // A single task's answer.
  void Answer(const Sent& work, bool succeeded, Nanos elapsed) {
    TaskResult result;
    if (!succeeded) result.failure = Failure{};
    result.elapsed = elapsed;
    core.OnTaskResult(now, work.worker, work.token, std::move(result));
  }
  // All items of a chunk, each with a result as long as its arguments.
  void AnswerItems(const Sent& chunk, Nanos elapsed_each) {
    ItemBlock block;
    block.result_bytes.assign(chunk.items, kArgsBytes);
    block.results.assign(chunk.items * kArgsBytes, 'y');
    block.encoding = Encoding::kRaw;
    core.OnItemResults(now, chunk.worker, chunk.token, std::move(block), elapsed_each * chunk.items);
  }
  void ReleaseEnded() {
    for (const HandleId id : clients.ended) core.OnRelease(now, id);
    clients.ended.clear();
    DestroyDropped();
  }
  void ConsumeBlocks() {
    for (const ItemBlockPtr& block : clients.blocks) {
      core.OnConsumed(now, map, block->first_index, block->result_bytes.size());
    }
    clients.blocks.clear();
    DestroyDropped();
  }
  // As the gate does.
  void DestroyDropped() {
    core.dropped().Swap(&dropped);
    dropped.clear();
  }

  BareWorkers workers;
  BareClients clients;
  Core core;
  Nanos now = kSecond;
  HandleId map{8, 1};  // under way
  ClientId client{1};  // of what is submitted
  std::shared_ptr<const TaskOptions> options = std::make_shared<TaskOptions>();
  Dropped::Things dropped;

 private:
  static constexpr SubscriberId kSubscriber{1};

  static Limits Roomy() {
    Limits limits;
    limits.max_queued_tasks = 100'000'000;
    return limits;
  }
};

}  // namespace poold::core::testing
