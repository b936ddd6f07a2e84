#include "fake_workers.h"

#include <memory>
#include <utility>

namespace poold::transport {
namespace {

// "same" answers with its arguments as they lie, "echo" with a copy.
enum Function : std::uint32_t { kEcho, kBlob, kFail, kPrint, kFlood, kHold, kCrash, kReport, kSame };

std::vector<core::FunctionInfo> Functions() {
  std::vector<core::FunctionInfo> out;
  for (const char* name : {"echo", "blob", "fail", "print", "flood", "hold", "crash", "report", "same"})
    out.push_back({name, nullptr});
  out[kEcho].signature = std::make_shared<const core::FunctionSignature>(
      core::FunctionSignature{.arguments = {"bytes"}, .result = "bytes", .help = "says it again"});
  return out;
}

core::Failure Failed() { return {.type = "std::runtime_error", .message = "asked to fail", .backtrace = "#0 fail"}; }

std::string ResultOf(std::uint32_t function, std::string_view args) {
  if (function == kEcho) return std::string(args);
  if (function == kBlob) return std::string(std::stoull(std::string(args)), 'x');
  return "";
}

}  // namespace

FakeWorkers::~FakeWorkers() { Stop(); }

void FakeWorkers::Start(engine::Gate* gate) {
  gate_ = gate;
  thread_ = std::thread([this] { Run(); });
}

void FakeWorkers::Stop() {
  {
    std::lock_guard lock(mu_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void FakeWorkers::LetGo() {
  {
    std::lock_guard lock(mu_);
    let_go_ = true;
  }
  changed_.notify_all();
}

void FakeWorkers::BreakModule(const std::string& module, const std::string& words) {
  std::lock_guard lock(mu_);
  broken_[module] = words;
}

void FakeWorkers::Post(Event event) {
  {
    std::lock_guard lock(mu_);
    events_.push_back(std::move(event));
  }
  changed_.notify_all();
}

void FakeWorkers::Run() {
  while (true) {
    Event event;
    {
      std::unique_lock lock(mu_);
      // The core's timers need a tick now and then.
      changed_.wait_for(lock, std::chrono::milliseconds(2),
                        [&] { return stop_ || !events_.empty() || RunOne(&event); });
      if (stop_) return;
      if (!event && !events_.empty()) {
        event = std::move(events_.front());
        events_.pop_front();
      }
    }
    gate_->Enter([&](core::Core& core, core::Nanos now) {
      if (event) event(core, now);
      if (core.NextTimer() <= now) core.OnTick(now);
    });
  }
}

bool FakeWorkers::RunOne(Event* event) {
  for (auto& [id, worker] : workers_) {
    if (worker.queue.empty()) continue;
    core::Assignment& task = worker.queue.front();
    if (task.function == kHold && !let_go_) {
      worker.held = true;
      continue;
    }
    if (task.function == kCrash) {
      *event = Lose(id, true);
      workers_.erase(id);
      return true;
    }
    *event = task.items.empty() ? RunTask(id, task) : RunChunk(id, task);
    worker.held = false;
    worker.queue.pop_front();
    return true;
  }
  return false;
}

FakeWorkers::Event FakeWorkers::RunTask(core::WorkerId worker, const core::Assignment& task) {
  return [worker, task](core::Core& core, core::Nanos now) {
    if (task.function == kPrint) core.OnOutput(now, worker, task.token, core::OutputStream::kStdout, task.args.data);
    if (task.function == kReport) {
      for (const double fraction : {0.25, 0.5, 1.0}) core.OnProgress(now, worker, task.token, 0, fraction, "going on");
    }
    if (task.function == kFlood) {
      const core::Bytes text(std::string(64 << 10, 'o'));
      for (std::uint64_t sent = 0; sent < std::stoull(std::string(task.args.data.view())); sent += text.size()) {
        core.OnOutput(now, worker, task.token, core::OutputStream::kStdout, text);
      }
    }
    core::TaskResult result;
    if (task.function == kFail) result.failure = Failed();
    result.result.encoding = core::Encoding::kRaw;
    result.result.data =
        task.function == kSame ? task.args.data : core::Bytes(ResultOf(task.function, task.args.data.view()));
    core.OnTaskResult(now, worker, task.token, std::move(result));
  };
}

FakeWorkers::Event FakeWorkers::RunChunk(core::WorkerId worker, const core::Assignment& chunk) {
  return [worker, chunk](core::Core& core, core::Nanos now) {
    core::ItemBlock block;
    block.encoding = core::Encoding::kRaw;
    for (const core::ItemSlice& slice : chunk.items) {
      std::size_t at = 0;
      for (std::size_t i = 0; i < slice.count; ++i) {
        const std::uint32_t bytes = slice.column->lengths[slice.begin + i];
        const std::string_view item = slice.data.substr(at, bytes);
        at += bytes;
        if (chunk.function == kFail || item == "fail") {
          auto outcome = std::make_shared<core::Outcome>();
          outcome->state = core::TaskState::kFailed;
          outcome->attempt = 1;
          outcome->detail = std::make_unique<core::OutcomeDetail>();
          outcome->detail->failure = Failed();
          block.others.emplace_back(block.result_bytes.size(), std::move(outcome));
          block.result_bytes.push_back(0);
        } else {
          const std::string result = ResultOf(chunk.function, item);
          block.result_bytes.push_back(static_cast<std::uint32_t>(result.size()));
          block.results += result;
        }
      }
    }
    core.OnItemResults(now, worker, chunk.token, std::move(block), core::kMillisecond);
  };
}

FakeWorkers::Event FakeWorkers::Lose(core::WorkerId id, bool crashed) {
  core::WorkerLoss loss;
  const Worker& worker = workers_.at(id);
  loss.has_guilty = !worker.queue.empty() && (crashed || worker.held);
  if (loss.has_guilty) loss.guilty = worker.queue.front().token;
  loss.death.signal = crashed ? 11 : 9;
  loss.death.killed_by = crashed ? core::KilledBy::kItself : core::KilledBy::kUnspecified;
  loss.stderr_tail = crashed ? "last words" : "";
  return [id, loss](core::Core& core, core::Nanos now) { core.OnWorkerLost(now, id, loss); };
}

void FakeWorkers::StartZygote(core::PoolId pool, std::uint32_t generation, const core::PoolSpec& spec) {
  std::string words;
  {
    std::lock_guard lock(mu_);
    for (const std::string& module : spec.modules) {
      if (broken_.contains(module)) words = broken_[module];
    }
  }
  Post([pool, generation, words](core::Core& core, core::Nanos now) {
    if (words.empty()) {
      core.OnZygoteReady(now, pool, generation);
    } else {
      core.OnZygoteLost(now, pool, generation, words);
    }
  });
}

void FakeWorkers::StopZygote(core::PoolId pool, std::uint32_t generation) {
  Post([pool, generation](core::Core& core, core::Nanos now) { core.OnZygoteLost(now, pool, generation, ""); });
}

void FakeWorkers::StartWorker(core::PoolId, std::uint32_t, core::WorkerId worker) {
  {
    std::lock_guard lock(mu_);
    workers_[worker];
  }
  Post([worker](core::Core& core, core::Nanos now) {
    core.OnWorkerReady(now, worker, 1000 + static_cast<std::int64_t>(worker), Functions(), true);
  });
}

void FakeWorkers::Dispatch(core::WorkerId worker, std::vector<core::Assignment> work) {
  {
    std::lock_guard lock(mu_);
    const auto found = workers_.find(worker);
    if (found == workers_.end()) return;
    // What comes first is begun at once: no test has to wait for that.
    if (found->second.queue.empty() && !work.empty()) found->second.held = work.front().function == kHold;
    for (core::Assignment& one : work) found->second.queue.push_back(std::move(one));
  }
  changed_.notify_all();
}

std::uint32_t FakeWorkers::TakeBack(core::WorkerId worker, core::AttemptToken token, std::uint32_t keep) {
  std::lock_guard lock(mu_);
  const auto found = workers_.find(worker);
  if (found == workers_.end() || keep > 0) return 0;
  std::deque<core::Assignment>& queue = found->second.queue;
  for (auto one = queue.begin(); one != queue.end(); ++one) {
    if (one->token != token || (one == queue.begin() && found->second.held)) continue;
    std::uint32_t items = one->items.empty() ? 1 : 0;
    for (const core::ItemSlice& slice : one->items) items += static_cast<std::uint32_t>(slice.count);
    queue.erase(one);
    return items;
  }
  return 0;
}

void FakeWorkers::StopWorker(core::WorkerId worker) { KillWorker(worker, 0); }

void FakeWorkers::KillWorker(core::WorkerId worker, core::Nanos) {
  Event lost;
  {
    std::lock_guard lock(mu_);
    if (!workers_.contains(worker)) return;
    lost = Lose(worker, false);
    workers_.erase(worker);
  }
  Post(std::move(lost));
}

}  // namespace poold::transport
