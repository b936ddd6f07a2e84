// A small world for stories about the core: one clock, virtual workers, clients that write down what they hear.
//
//   Story story;
//   story.Open("p", /*workers=*/1);
//   const HandleId task = story.Submit("p", "f");
//   story.Finish(task);
//   EXPECT_EQ(story.StateOf(task), TaskState::kSucceeded);
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fake_processes.h"

namespace poold::core::testing {

// A map that most stories tell of.
inline constexpr HandleId kMap{9, 1};

class FakeClients : public ClientPort {
 public:
  void SendOutcome(SubscriberId to, HandleId task, OutcomePtr outcome) override {
    outcomes[to][task].push_back(std::move(outcome));
  }
  void SendItems(SubscriberId to, HandleId map, ItemBlockPtr items) override {
    blocks[to][map].push_back(std::move(items));
  }
  void SendMapEnd(SubscriberId to, const MapView& map) override { ends[to][map.id].push_back(map); }
  void SendOutput(SubscriberId to, const OutputEvent& output) override { outputs[to].push_back(output); }
  void AnswerOpenPool(SubscriberId to, absl::StatusOr<PoolView> pool, bool created) override {
    opened.emplace(to, std::pair(std::move(pool), created));
  }
  void AnswerGet(SubscriberId to, absl::StatusOr<HandleView> handle) override { gets.emplace(to, std::move(handle)); }
  void AnswerWait(SubscriberId to, absl::StatusOr<WaitAnswer> answer) override { waits.emplace(to, std::move(answer)); }
  void AnswerClose(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled) override {
    closed.emplace(to, std::move(cancelled));
  }
  void AnswerTerminate(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled) override {
    terminated.emplace(to, std::move(cancelled));
  }
  void SendProgress(SubscriberId to, const ProgressEvent& progress) override { progressed[to].push_back(progress); }
  void AnswerReload(SubscriberId to, absl::StatusOr<PoolView> pool) override { reloaded.emplace(to, std::move(pool)); }
  void AnswerJoin(SubscriberId to, absl::StatusOr<bool> done) override { joined.emplace(to, std::move(done)); }
  void SendEvent(SubscriberId to, WatchEvent event) override { events[to].push_back(std::move(event)); }
  void EndWatch(SubscriberId to) override { ++watch_ends[to]; }
  void RoomIsShort(ClientId client, bool is_short) override { room[client].push_back(is_short); }
  void ClientIsHeldUp(const ClientView& client, bool held_up) override {
    held_up_clients[client.id].push_back(held_up);
  }
  void AllPoolsGone() override { ++all_gone; }

  std::map<SubscriberId, std::map<HandleId, std::vector<OutcomePtr>>> outcomes;
  std::map<SubscriberId, std::map<HandleId, std::vector<ItemBlockPtr>>> blocks;
  std::map<SubscriberId, std::map<HandleId, std::vector<MapView>>> ends;
  std::map<SubscriberId, std::vector<OutputEvent>> outputs;
  std::map<SubscriberId, std::pair<absl::StatusOr<PoolView>, bool>> opened;
  std::map<SubscriberId, absl::StatusOr<HandleView>> gets;
  std::map<SubscriberId, absl::StatusOr<WaitAnswer>> waits;
  std::map<SubscriberId, absl::StatusOr<std::uint64_t>> closed;
  std::map<SubscriberId, absl::StatusOr<std::uint64_t>> terminated;
  std::map<SubscriberId, absl::StatusOr<bool>> joined;
  std::map<SubscriberId, std::vector<WatchEvent>> events;
  std::map<SubscriberId, std::vector<ProgressEvent>> progressed;
  std::map<SubscriberId, absl::StatusOr<PoolView>> reloaded;
  std::map<SubscriberId, int> watch_ends;
  std::map<ClientId, std::vector<bool>> room;             // short, or no longer
  std::map<ClientId, std::vector<bool>> held_up_clients;  // or no longer
  int all_gone = 0;
};

inline PoolSpec SpecOf(std::string name, std::uint32_t workers) {
  PoolSpec spec;
  spec.name = std::move(name);
  spec.workers = workers;
  return spec;
}

class Story {
 public:
  explicit Story(const Limits& limits = {}, ShardInfo shard = {}) : core(limits, &processes, &clients, 1, shard) {
    processes.core = &core;
    core.OnClientPresent(now, client);
  }

  SubscriberId NewCall() { return SubscriberId{++last_call_}; }

  // ---- Pools ----
  SubscriberId AskOpen(PoolSpec spec) {
    const SubscriberId call = NewCall();
    core.OnOpenPool(now, call, std::move(spec));
    return call;
  }
  void Open(const std::string& name, std::uint32_t workers = 1) { Open(SpecOf(name, workers)); }
  void Open(PoolSpec spec) {
    const SubscriberId call = AskOpen(std::move(spec));
    StartAll();
    ASSERT_TRUE(clients.opened.contains(call));
    ASSERT_TRUE(clients.opened.at(call).first.ok()) << clients.opened.at(call).first.status();
  }
  // Every zygote and worker that was started becomes ready.
  void StartAll() {
    for (bool more = true; more;) {
      more = false;
      for (auto& [pool, zygote] : processes.zygotes) {
        if (zygote.ready || zygote.stopping) continue;
        processes.ZygoteReady(now, pool);
        more = true;
        break;
      }
      for (auto& [id, worker] : processes.workers) {
        if (more || worker.ready || worker.killed) continue;
        processes.WorkerReady(now, id);
        more = true;
        break;
      }
    }
  }
  // Workers and zygotes that were told to go do so.
  void EndAll() {
    for (bool more = true; more;) {
      more = false;
      for (auto& [id, worker] : processes.workers) {
        if (!worker.killed && !(worker.stopping && worker.work.empty())) continue;
        processes.Die(now, id, worker.killed ? 9 : 0);
        more = true;
        break;
      }
      for (auto& [pool, zygote] : processes.zygotes) {
        if (more || !zygote.stopping) continue;
        processes.ZygoteDies(now, pool, "");
        more = true;
        break;
      }
    }
  }
  // How many handles that cancelled, where it was answered at once.
  absl::StatusOr<std::uint64_t> Close(const std::string& pool, bool cancel_queued = false) {
    const SubscriberId call = NewCall();
    core.OnClose(now, call, pool, cancel_queued);
    return clients.closed.contains(call) ? clients.closed.at(call) : absl::UnavailableError("not answered yet");
  }
  PoolView Pool(const std::string& name) { return *core.ViewPool(name); }
  WorkerId FirstWorker() { return processes.workers.begin()->first; }

  // ---- Tasks ----
  HandleId Submit(const std::string& pool, const std::string& function, const TaskOptions& options = {},
                  const std::string& args = "args") {
    const HandleId id{7, ++last_id_};
    const absl::Status status = SubmitAs(id, pool, function, options, args);
    EXPECT_TRUE(status.ok()) << status;
    return id;
  }
  absl::Status SubmitAs(HandleId id, const std::string& pool, const std::string& function,
                        const TaskOptions& options = {}, const std::string& args = "args") {
    NewTask task{id, Payload{Encoding::kRaw, nullptr, Bytes(args)}};
    std::vector<Refusal> refused;
    core.OnSubmit(now, {client, stream, pool, function, std::make_shared<TaskOptions>(options)}, {&task, 1}, &refused);
    return refused.empty() ? absl::OkStatus() : refused[0].why;
  }
  absl::StatusOr<std::uint64_t> Map(HandleId id, const std::string& pool, const std::string& function,
                                    const std::vector<std::string>& items, bool complete = true,
                                    std::uint64_t first_index = 0) {
    auto column = std::make_shared<ItemColumn>();
    std::string data;
    for (const std::string& item : items) {
      column->lengths.push_back(static_cast<std::uint32_t>(item.size()));
      data += item;
    }
    column->data = Bytes(data);
    MapGroup group;
    group.client = client;
    group.subscriber = stream;
    group.pool = pool;
    group.function = function;
    group.options = std::make_shared<TaskOptions>(map_options);
    group.id = id;
    group.first_index = first_index;
    group.items = column;
    group.encoding = Encoding::kRaw;
    group.complete = complete;
    group.chunk_size = chunk_size;
    group.fail_fast = fail_fast;
    return core.OnMap(now, group);
  }

  TaskState StateOf(HandleId id) {
    const absl::StatusOr<HandleView> view = core.ViewHandle(id);
    return view.ok() ? std::get<TaskView>(*view).state : TaskState::kUnspecified;
  }
  // Good until the next call.
  const Outcome& OutcomeOf(HandleId id) {
    outcome_ = std::get<TaskView>(*core.ViewHandle(id)).outcome;
    return *outcome_;
  }
  MapView MapOf(HandleId id) { return std::get<MapView>(*core.ViewHandle(id)); }

  // ---- What workers do ----
  // Runs the next item of this worker to its end and delivers it.
  void RunOne(WorkerId id, bool succeeded = true, Nanos elapsed = kSecond) {
    FakeWorker& worker = processes.workers.at(id);
    if (!worker.running() && !processes.Begin(worker)) return;
    processes.End(worker, succeeded, elapsed);
    processes.Deliver(now, id);
  }
  void Begin(WorkerId id) { processes.Begin(processes.workers.at(id)); }
  // Runs everything that all workers have, until nothing is left.
  void RunAll(Nanos elapsed = kSecond) {
    for (bool more = true; more;) {
      more = false;
      for (auto& [id, worker] : processes.workers) {
        if (worker.work.empty()) continue;
        RunOne(id, true, elapsed);
        more = true;
        break;
      }
    }
  }
  void Crash(WorkerId id, int signal = 11) { processes.Die(now, id, signal); }

  // Time passes; everything that falls due on the way happens at its moment.
  void Pass(Nanos span) {
    const Nanos end = now + span;
    while (core.NextTimer() <= end) {
      now = std::max(now, core.NextTimer());
      core.OnTick(now);
    }
    now = end;
  }

  FakeProcesses processes;
  FakeClients clients;
  Core core;
  Nanos now = 1000 * kSecond;
  ClientId client{1};
  SubscriberId stream{500'000};
  TaskOptions map_options;
  std::uint32_t chunk_size = 0;
  bool fail_fast = false;

 private:
  OutcomePtr outcome_;
  std::uint64_t last_call_ = 0;
  std::uint64_t last_id_ = 0;
};

inline std::string ReasonOf(const absl::Status& status) { return DetailOf(status).reason; }

}  // namespace poold::core::testing
