// What a queued task costs: memory and time, from a thousand to ten million, and how fast they all end.
//
//   queue_bench [MOST_TASKS]
//
// The core alone, with ports that do nothing: the daemon adds the socket and the messages. Compare rows with each
// other; the figures of a shared machine mean little.
#include <malloc.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "core/core.h"

namespace poold::core {
namespace {

constexpr std::uint64_t kBatch = 4096;
constexpr std::uint64_t kArgsBytes = 8;

class Workers : public WorkerPort {
 public:
  void StartZygote(PoolId pool, std::uint32_t generation, const PoolSpec&) override { zygote = {pool, generation}; }
  void StopZygote(PoolId, std::uint32_t) override {}
  void StartWorker(PoolId, std::uint32_t, WorkerId worker) override { started.push_back(worker); }
  void Dispatch(WorkerId worker, std::vector<Assignment> work) override {
    for (const Assignment& one : work) sent.emplace_back(worker, one.token);
  }
  std::uint32_t TakeBack(WorkerId, AttemptToken, std::uint32_t) override { return 0; }
  void StopWorker(WorkerId) override {}
  void KillWorker(WorkerId, Nanos) override {}

  std::pair<PoolId, std::uint32_t> zygote;
  std::vector<WorkerId> started;
  std::deque<std::pair<WorkerId, AttemptToken>> sent;
};

class Clients : public ClientPort {
 public:
  void SendOutcome(SubscriberId, HandleId task, OutcomePtr) override { last = task; }
  void SendItems(SubscriberId, HandleId, ItemBlockPtr) override {}
  void SendMapEnd(SubscriberId, const MapView&) override {}
  void SendOutput(SubscriberId, const OutputEvent&) override {}
  void SendProgress(SubscriberId, const ProgressEvent&) override {}
  void AnswerOpenPool(SubscriberId, absl::StatusOr<PoolView>, bool) override {}
  void AnswerGet(SubscriberId, absl::StatusOr<HandleView>) override {}
  void AnswerWait(SubscriberId, absl::StatusOr<WaitAnswer>) override {}
  void AnswerTerminate(SubscriberId, absl::StatusOr<std::uint64_t>) override {}
  void AnswerReload(SubscriberId, absl::StatusOr<PoolView>) override {}
  void AnswerJoin(SubscriberId, absl::StatusOr<bool>) override {}
  void SendEvent(SubscriberId, WatchEvent) override {}
  void EndWatch(SubscriberId) override {}
  void AllPoolsGone() override {}

  HandleId last;  // that ended
};

Limits Roomy() {
  Limits limits;
  limits.max_queued_tasks = 100'000'000;
  return limits;
}

std::uint64_t HeapBytes() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Of processor time: others use this machine, too.
class Stopwatch {
 public:
  double Seconds() const { return Now() - start_; }

 private:
  static double Now() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  }
  const double start_ = Now();
};

struct Daemon {
  Daemon() : core(Roomy(), &workers, &clients, 1) {
    PoolSpec spec;
    spec.name = "p";
    spec.workers = 2;
    core.OnOpenPool(now, kNobody, spec);
    core.OnZygoteReady(now, workers.zygote.first, workers.zygote.second);
    for (const WorkerId worker : std::vector(workers.started))
      core.OnWorkerReady(now, worker, 1, {{"f", nullptr}}, true);
  }

  void SubmitBatch(std::uint64_t first, std::uint64_t count) {
    const Bytes message(std::string(count * kArgsBytes, 'x'));
    std::vector<NewTask> tasks(count);
    for (std::uint64_t i = 0; i < count; ++i) {
      tasks[i].id = {7, first + i};
      tasks[i].args = {Encoding::kRaw, nullptr, message.Slice(i * kArgsBytes, kArgsBytes)};
    }
    std::vector<Refusal> refused;
    core.OnSubmit(now, {ClientId{1}, SubscriberId{1}, "p", "f", options}, tasks, &refused);
    if (!refused.empty()) std::abort();
  }
  void Submit(std::uint64_t most) {
    for (std::uint64_t first = 0; first < most; first += kBatch, ++now)
      SubmitBatch(first, std::min(kBatch, most - first));
  }
  void SubmitMap(std::uint64_t most) {
    for (std::uint64_t first = 0; first < most; first += kBatch) {
      auto column = std::make_shared<ItemColumn>();
      column->lengths.assign(std::min(kBatch, most - first), kArgsBytes);
      column->data = Bytes(std::string(column->lengths.size() * kArgsBytes, 'x'));
      MapGroup group;
      group.subscriber = SubscriberId{1};
      group.pool = "p";
      group.function = "f";
      group.options = options;
      group.id = {8, 1};
      group.first_index = first;
      group.items = std::move(column);
      group.encoding = Encoding::kRaw;
      if (!core.OnMap(now, group).ok()) std::abort();
    }
  }
  // Each worker answers, one after the other, and the outcome is released.
  void Run(std::uint64_t most) {
    for (std::uint64_t i = 0; i < most && !workers.sent.empty(); ++i) {
      const auto [worker, token] = workers.sent.front();
      workers.sent.pop_front();
      TaskResult result;
      result.succeeded = true;
      result.elapsed = 100'000;
      core.OnTaskResult(++now, worker, token, std::move(result));
      core.OnRelease(now, clients.last);
    }
  }

  Workers workers;
  Clients clients;
  Core core;
  Nanos now = kSecond;
  const std::shared_ptr<const TaskOptions> options = std::make_shared<TaskOptions>();
};

double PerTask(double total, std::uint64_t tasks) { return total / static_cast<double>(tasks); }

void MeasureTasks(std::uint64_t tasks) {
  Daemon daemon;
  const std::uint64_t before = HeapBytes();
  const Stopwatch submitting;
  daemon.Submit(tasks);
  const double submit = submitting.Seconds();
  const std::uint64_t bytes = HeapBytes() - before;
  const std::uint64_t run_tasks = std::min<std::uint64_t>(tasks / 2, 200'000);
  const Stopwatch running;
  daemon.Run(run_tasks);
  const double run = running.Seconds();
  const Stopwatch ending;
  daemon.core.OnTerminate(daemon.now, SubscriberId{2}, "p");
  std::printf("tasks %9lu: %4.0f bytes, %4.0f ns to submit, %4.0f ns to run; terminated in %.3f s (%3.0f ns each)\n",
              tasks, PerTask(static_cast<double>(bytes), tasks) - kArgsBytes, PerTask(submit * 1e9, tasks),
              PerTask(run * 1e9, run_tasks), ending.Seconds(), PerTask(ending.Seconds() * 1e9, tasks));
}

void MeasureCancels(std::uint64_t tasks) {
  Daemon daemon;
  daemon.Submit(tasks);
  const Stopwatch ending;
  for (std::uint64_t i = 0; i < tasks; ++i) {
    if (!daemon.core.OnCancel(daemon.now, {7, i}, false).ok()) std::abort();
  }
  std::printf("tasks %9lu: cancelled one by one in %.3f s (%3.0f ns each)\n", tasks, ending.Seconds(),
              PerTask(ending.Seconds() * 1e9, tasks));
}

void MeasureItems(std::uint64_t items) {
  Daemon daemon;
  const std::uint64_t before = HeapBytes();
  const Stopwatch submitting;
  daemon.SubmitMap(items);
  const double submit = submitting.Seconds();
  const std::uint64_t bytes = HeapBytes() - before;
  const Stopwatch ending;
  daemon.core.OnTerminate(daemon.now, SubscriberId{2}, "p");
  std::printf("items %9lu: %4.1f bytes, %4.0f ns to submit; terminated in %.3f s\n", items,
              PerTask(static_cast<double>(bytes), items) - kArgsBytes, PerTask(submit * 1e9, items), ending.Seconds());
}

}  // namespace
}  // namespace poold::core

int main(int argc, char** argv) {
  const std::uint64_t most = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
  for (std::uint64_t tasks = 1000; tasks <= most; tasks *= 10) poold::core::MeasureTasks(tasks);
  poold::core::MeasureCancels(most);
  for (std::uint64_t items = 1000; items <= most; items *= 10) poold::core::MeasureItems(items);
}
