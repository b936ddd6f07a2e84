// Processes for tests: virtual workers that obey the claim page exactly.
//
// Role: keeps what the core sent; a test (or the simulator) lets workers claim, finish, speak and die. A record that a
// worker has written is delivered when the test says so, and in any case before the worker's death is told.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/core.h"

namespace poold::core::testing {

// What a worker has been given. A single task is a chunk of one item.
struct FakeWork {
  Assignment what;
  std::uint32_t limit = 1;     // items that it may claim
  std::uint32_t claimed = 0;   // that it has begun
  std::uint32_t finished = 0;  // whose record is written
  bool is_chunk() const { return !what.items.empty(); }
  // The arguments of item i.
  std::string_view Item(std::uint32_t i) const {
    if (!is_chunk()) return what.args.data.view();
    for (const ItemSlice& slice : what.items) {
      if (i >= slice.count) {
        i -= static_cast<std::uint32_t>(slice.count);
        continue;
      }
      std::size_t offset = 0;
      for (std::uint32_t j = 0; j < i; ++j) offset += slice.column->lengths[slice.begin + j];
      return slice.data.substr(offset, slice.column->lengths[slice.begin + i]);
    }
    return {};
  }
};

// Something that a worker wrote to its ring.
struct FakeRecord {
  AttemptToken token{};
  bool of_chunk = false;
  std::uint32_t item = 0;
  bool succeeded = true;
  std::string result;
  Nanos elapsed = 0;
};

struct FakeWorker {
  WorkerId id{};
  PoolId pool{};
  std::uint32_t generation = 0;
  std::int64_t pid = 0;
  bool ready = false;
  bool stopping = false;
  bool killed = false;
  Nanos grace = 0;
  bool uses_page = true;
  std::deque<FakeWork> work;
  std::deque<FakeRecord> ring;

  bool running() const { return !work.empty() && work.front().claimed > work.front().finished; }
};

// A zygote's pool and generation.
using ZygoteKey = std::pair<PoolId, std::uint32_t>;

struct FakeZygote {
  PoolSpec spec;
  bool ready = false;
  bool stopping = false;
};

class FakeProcesses : public WorkerPort {
 public:
  Core* core = nullptr;
  std::map<ZygoteKey, FakeZygote> zygotes;
  std::map<WorkerId, FakeWorker> workers;
  std::vector<std::string> functions = {"f", "g", "h"};
  std::uint64_t dispatches = 0;
  std::uint64_t taken_back = 0;
  // Called when a worker begins an item, for tests that watch.
  std::function<void(const FakeWorker&, const FakeWork&, std::uint32_t item)> on_begin;
  // Called when a worker dies, after its last words were delivered.
  std::function<void(const FakeWorker&)> on_death;

  // ---- WorkerPort ----
  void StartZygote(PoolId pool, std::uint32_t generation, const PoolSpec& spec) override {
    zygotes[{pool, generation}] = {spec, false, false};
  }
  void StopZygote(PoolId pool, std::uint32_t generation) override { zygotes.at({pool, generation}).stopping = true; }
  void StartWorker(PoolId pool, std::uint32_t generation, WorkerId worker) override {
    workers[worker] = {worker, pool, generation, static_cast<std::int64_t>(worker) + 1000};
  }
  void Dispatch(WorkerId id, std::vector<Assignment> work) override {
    ++dispatches;
    FakeWorker& worker = workers.at(id);
    for (Assignment& one : work) {
      std::uint32_t items = 0;
      for (const ItemSlice& slice : one.items) items += static_cast<std::uint32_t>(slice.count);
      const bool is_chunk = !one.items.empty();
      worker.work.push_back({std::move(one), is_chunk ? items : 1});
    }
    if (!worker.uses_page) Begin(worker);  // nobody can tell whether it has begun: it has
  }
  std::uint32_t TakeBack(WorkerId id, AttemptToken token, std::uint32_t keep) override {
    FakeWorker& worker = workers.at(id);
    if (!worker.uses_page) return 0;
    const auto at = std::find_if(worker.work.begin(), worker.work.end(),
                                 [token](const FakeWork& work) { return work.what.token == token; });
    if (at == worker.work.end()) return 0;
    const std::uint32_t unbegun = at->limit - at->claimed;
    const std::uint32_t taken = unbegun > keep ? unbegun - keep : 0;
    at->limit -= taken;
    taken_back += taken;
    if (at->limit == at->finished) worker.work.erase(at);
    return taken;
  }
  void StopWorker(WorkerId id) override { workers.at(id).stopping = true; }
  void KillWorker(WorkerId id, Nanos grace) override {
    FakeWorker& worker = workers.at(id);
    worker.grace = worker.killed ? std::min(worker.grace, grace) : grace;
    worker.killed = true;
  }

  // ---- What happens to processes ----
  void ZygoteReady(Nanos now, ZygoteKey zygote) {
    zygotes.at(zygote).ready = true;
    core->OnZygoteReady(now, zygote.first, zygote.second);
  }
  void ZygoteDies(Nanos now, ZygoteKey zygote, std::string why, LossCause cause = LossCause::kItself) {
    zygotes.erase(zygote);
    core->OnZygoteLost(now, zygote.first, zygote.second, std::move(why), cause);
  }
  void WorkerReady(Nanos now, WorkerId id) {
    FakeWorker& worker = workers.at(id);
    worker.ready = true;
    std::vector<FunctionInfo> infos;
    for (const std::string& name : functions) infos.push_back({name, nullptr});
    core->OnWorkerReady(now, id, worker.pid, std::move(infos), worker.uses_page);
  }
  // The worker claims its next item. False: it has none.
  bool Begin(FakeWorker& worker) {
    if (worker.work.empty() || worker.running()) return false;
    FakeWork& work = worker.work.front();
    if (on_begin) on_begin(worker, work, work.claimed);
    ++work.claimed;
    return true;
  }
  // The item that runs ends; its record is written but not delivered.
  void End(FakeWorker& worker, bool succeeded, Nanos elapsed) {
    FakeWork& work = worker.work.front();
    worker.ring.push_back(
        {work.what.token, work.is_chunk(), work.finished, succeeded, std::string(work.Item(work.finished)), elapsed});
    if (++work.finished == work.limit) worker.work.pop_front();
  }
  // The daemon reads the ring.
  void Deliver(Nanos now, WorkerId id) {
    while (workers.contains(id) && !workers.at(id).ring.empty()) DeliverOne(now, workers.at(id));
  }
  // REQUIRES: nothing; what the worker wrote is delivered first.
  void Die(Nanos now, WorkerId id, int signal, std::string start_failure = "", LossCause cause = LossCause::kItself) {
    Deliver(now, id);
    WorkerLoss loss;
    loss.cause = cause;
    loss.death.signal = signal;
    loss.start_failure = std::move(start_failure);
    loss.stderr_tail = "last words";
    const FakeWorker& worker = workers.at(id);
    if (on_death) on_death(worker);
    if (worker.running()) {
      loss.has_guilty = true;
      loss.guilty = worker.work.front().what.token;
      loss.guilty_item = worker.work.front().finished;
    }
    workers.erase(id);
    core->OnWorkerLost(now, id, std::move(loss));
  }

 private:
  void DeliverOne(Nanos now, FakeWorker& worker) {
    const FakeRecord record = std::move(worker.ring.front());
    worker.ring.pop_front();
    if (!record.of_chunk) {
      TaskResult result;
      result.elapsed = record.elapsed;
      if (record.succeeded) result.result.data = Bytes(record.result);
      if (!record.succeeded) result.failure = Failure{"Error", record.result};
      core->OnTaskResult(now, worker.id, record.token, std::move(result));
      return;
    }
    ItemBlock block;
    block.first_index = record.item;
    Nanos elapsed = record.elapsed;
    Append(block, record);
    while (!worker.ring.empty() && worker.ring.front().token == record.token) {
      elapsed += worker.ring.front().elapsed;
      Append(block, worker.ring.front());
      worker.ring.pop_front();
    }
    core->OnItemResults(now, worker.id, record.token, std::move(block), elapsed);
  }

  static void Append(ItemBlock& block, const FakeRecord& record) {
    if (record.succeeded) {
      block.result_bytes.push_back(static_cast<std::uint32_t>(record.result.size()));
      block.results += record.result;
      return;
    }
    block.result_bytes.push_back(0);
    auto outcome = std::make_shared<Outcome>();
    outcome->state = TaskState::kFailed;
    outcome->detail = std::make_unique<OutcomeDetail>();
    outcome->detail->failure = Failure{"Error", record.result};
    block.others.emplace_back(record.item, std::move(outcome));
  }
};

}  // namespace poold::core::testing
