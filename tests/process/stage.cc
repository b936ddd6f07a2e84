#include "process/stage.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace poold::process {
namespace {

constexpr core::SubscriberId kMe{1};

[[noreturn]] void GiveUp(const char* what) {
  std::fprintf(stderr, "waited in vain for %s\n", what);
  std::abort();
}

}  // namespace

template <typename Condition>
void RememberingClients::Await(Condition condition) {
  const absl::Time end = absl::Now() + absl::Minutes(1);
  while (!condition()) {
    if (changed_.WaitWithDeadline(&mu_, end) && !condition()) GiveUp("the core's answer");
  }
}

core::OutcomePtr RememberingClients::Outcome(core::HandleId task) {
  absl::MutexLock lock(&mu_);
  Await([&] { return outcomes_.count(task) > 0; });
  return outcomes_[task];
}

core::MapView RememberingClients::MapEnd(core::HandleId map) {
  absl::MutexLock lock(&mu_);
  Await([&] { return ended_.count(map) > 0; });
  return ended_[map];
}

absl::StatusOr<core::PoolView> RememberingClients::Opened(core::SubscriberId call) {
  absl::MutexLock lock(&mu_);
  Await([&] { return opened_.count(call) > 0; });
  return opened_.at(call);
}

void RememberingClients::Terminated(core::SubscriberId call) {
  absl::MutexLock lock(&mu_);
  Await([&] { return terminated_[call]; });
}

void RememberingClients::WaitForOutput(core::HandleId task, std::string_view text) {
  absl::MutexLock lock(&mu_);
  Await([&] { return output_[task].find(text) != std::string::npos; });
}

void RememberingClients::Forget(core::HandleId task) {
  absl::MutexLock lock(&mu_);
  outcomes_.erase(task);
}

std::string RememberingClients::output(core::HandleId task) {
  absl::MutexLock lock(&mu_);
  return output_[task];
}

std::vector<core::ProgressView> RememberingClients::progress(core::HandleId task) {
  absl::MutexLock lock(&mu_);
  return progress_[task];
}

absl::StatusOr<core::PoolView> RememberingClients::Reloaded(core::SubscriberId call) {
  absl::MutexLock lock(&mu_);
  Await([&] { return reloaded_.count(call) > 0; });
  return reloaded_.at(call);
}

std::size_t RememberingClients::outcome_count() {
  absl::MutexLock lock(&mu_);
  return outcomes_.size();
}

std::map<std::uint64_t, std::string> RememberingClients::results(core::HandleId map) {
  absl::MutexLock lock(&mu_);
  std::map<std::uint64_t, std::string> results;
  for (const core::ItemBlockPtr& block : items_[map]) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < block->result_bytes.size(); ++i) {
      results[block->first_index + i] = block->results.substr(at, block->result_bytes[i]);
      at += block->result_bytes[i];
    }
    for (const auto& [index, outcome] : block->others) results.erase(index);
  }
  return results;
}

std::map<std::uint64_t, core::OutcomePtr> RememberingClients::others(core::HandleId map) {
  absl::MutexLock lock(&mu_);
  std::map<std::uint64_t, core::OutcomePtr> others;
  for (const core::ItemBlockPtr& block : items_[map]) {
    for (const auto& [index, outcome] : block->others) others[index] = outcome;
  }
  return others;
}

void RememberingClients::SendOutcome(core::SubscriberId to, core::HandleId task, core::OutcomePtr outcome) {
  absl::MutexLock lock(&mu_);
  if (!outcomes_.emplace(task, std::move(outcome)).second) GiveUp("a single outcome: there were two");
  changed_.SignalAll();
}

void RememberingClients::SendItems(core::SubscriberId to, core::HandleId map, core::ItemBlockPtr items) {
  absl::MutexLock lock(&mu_);
  items_[map].push_back(std::move(items));
}

void RememberingClients::SendMapEnd(core::SubscriberId to, const core::MapView& map) {
  absl::MutexLock lock(&mu_);
  ended_[map.id] = map;
  changed_.SignalAll();
}

void RememberingClients::SendOutput(core::SubscriberId to, const core::OutputEvent& output) {
  absl::MutexLock lock(&mu_);
  output_[output.id].append(output.data.view());
  changed_.SignalAll();
}

void RememberingClients::AnswerOpenPool(core::SubscriberId to, absl::StatusOr<core::PoolView> pool, bool created) {
  absl::MutexLock lock(&mu_);
  opened_.emplace(to, std::move(pool));
  changed_.SignalAll();
}

void RememberingClients::SendProgress(core::SubscriberId to, const core::ProgressEvent& progress) {
  absl::MutexLock lock(&mu_);
  progress_[progress.id].push_back(progress.progress);
  changed_.SignalAll();
}

void RememberingClients::AnswerReload(core::SubscriberId to, absl::StatusOr<core::PoolView> pool) {
  absl::MutexLock lock(&mu_);
  reloaded_.emplace(to, std::move(pool));
  changed_.SignalAll();
}

void RememberingClients::AnswerTerminate(core::SubscriberId to, absl::StatusOr<std::uint64_t> cancelled_tasks) {
  absl::MutexLock lock(&mu_);
  terminated_[to] = true;
  changed_.SignalAll();
}

namespace {

DispatcherOptions Filled(DispatcherOptions options) {
  if (options.pool_worker_path.empty()) options.pool_worker_path = OddWorkerPath();
  return options;
}

}  // namespace

Stage::Stage(DispatcherOptions options, ContainmentChoice containment)
    : Stage(std::move(options), MakeProcessRegistry(containment)) {}

Stage::Stage(DispatcherOptions options, absl::StatusOr<std::shared_ptr<ProcessRegistry>> given, core::ShardInfo share)
    : registry(std::move(given)),
      dispatcher(Filled(options), &clock),
      core(options.limits, &dispatcher, &clients, 1, share),
      gate(&core, &clock) {
  gate.AddOutbox(&dispatcher);
  started = registry.ok() ? dispatcher.Start(&gate, *registry) : registry.status();
}

Stage::~Stage() { dispatcher.Stop(); }

absl::StatusOr<core::PoolView> Stage::Open(const core::PoolSpec& spec) {
  pool_ = spec.name;
  const core::SubscriberId call{next_call_++};
  gate.Enter([&](core::Core& core, core::Nanos now) { core.OnOpenPool(now, call, spec); });
  return clients.Opened(call);
}

core::HandleId Stage::Submit(std::string_view function, std::string args, core::Encoding encoding) {
  return SubmitMany(function, {std::move(args)}, encoding).front();
}

std::vector<core::HandleId> Stage::SubmitMany(std::string_view function, const std::vector<std::string>& args,
                                              core::Encoding encoding) {
  std::vector<core::Bytes> bytes;
  for (const std::string& one : args) bytes.emplace_back(one);
  return SubmitAll(function, std::move(bytes), encoding);
}

core::HandleId Stage::SubmitBytes(std::string_view function, core::Bytes args, core::Encoding encoding) {
  std::vector<core::Bytes> all;
  all.push_back(std::move(args));
  return SubmitAll(function, std::move(all), encoding).front();
}

std::vector<core::HandleId> Stage::SubmitAll(std::string_view function, std::vector<core::Bytes> args,
                                             core::Encoding encoding) {
  auto options = std::make_shared<core::TaskOptions>();
  options->stream_output = true;
  return gate.Enter([&](core::Core& core, core::Nanos now) {
    std::vector<core::NewTask> tasks;
    std::vector<core::HandleId> ids;
    for (core::Bytes& one : args) {
      core::NewTask& task = tasks.emplace_back();
      task.id = core.NewHandle();
      task.args.encoding = encoding;
      task.args.data = std::move(one);
      ids.push_back(task.id);
    }
    core::TaskGroup group;
    group.client = core::ClientId{1};
    group.subscriber = kMe;
    group.pool = pool_;
    group.function = function;
    group.options = options;
    std::vector<core::Refusal> refused;
    core.OnSubmit(now, group, tasks, &refused);
    if (!refused.empty()) GiveUp(std::string(refused.front().why.message()).c_str());
    return ids;
  });
}

core::HandleId Stage::Map(std::string_view function, const std::vector<std::string>& items, std::uint32_t chunk_size,
                          core::Encoding encoding) {
  auto column = std::make_shared<core::ItemColumn>();
  std::string data;
  for (const std::string& item : items) {
    column->lengths.push_back(static_cast<std::uint32_t>(item.size()));
    data += item;
  }
  column->data = core::Bytes(std::move(data));
  return gate.Enter([&](core::Core& core, core::Nanos now) {
    core::MapGroup group;
    group.client = core::ClientId{1};
    group.subscriber = kMe;
    group.pool = pool_;
    group.function = function;
    group.options = std::make_shared<core::TaskOptions>();
    group.id = core.NewHandle();
    group.items = column;
    group.encoding = encoding;
    group.complete = true;
    group.chunk_size = chunk_size;
    const auto taken = core.OnMap(now, group);
    if (!taken.ok()) GiveUp(std::string(taken.status().message()).c_str());
    return group.id;
  });
}

core::PoolView Stage::View() {
  return gate.Enter([&](core::Core& core, core::Nanos now) { return *core.ViewPool(pool_); });
}

absl::StatusOr<core::PoolView> Stage::Reload() {
  const core::SubscriberId call{next_call_++};
  gate.Enter([&](core::Core& core, core::Nanos now) { core.OnReload(now, call, pool_); });
  return clients.Reloaded(call);
}

void Stage::Terminate() {
  const core::SubscriberId call{next_call_++};
  gate.Enter([&](core::Core& core, core::Nanos now) { core.OnTerminate(now, call, pool_); });
  clients.Terminated(call);
}

pid_t Stage::WorkerPid() {
  pid_t pid = 0;
  WaitUntil([&] {
    const core::PoolView view = View();
    if (!view.workers.empty()) pid = static_cast<pid_t>(view.workers.front().pid);
    return pid > 0;
  });
  return pid;
}

std::string OddWorkerPath() { return ODD_WORKER_PATH; }
std::string PoolWorkerPath() { return POOL_WORKER_PATH; }
std::string ModulePath(const std::string& name) { return std::string(MODULE_FOLDER) + "/" + name + ".so"; }

DispatcherOptions WithPoolWorker() {
  DispatcherOptions options;
  options.pool_worker_path = PoolWorkerPath();
  return options;
}

absl::StatusOr<std::shared_ptr<ProcessRegistry>> MakeProcessRegistry(ContainmentChoice containment) {
  return ProcessRegistry::Make(containment, "test" + std::to_string(getpid()));
}

core::PoolSpec OddPool(const std::string& odd, std::uint32_t workers) {
  core::PoolSpec spec;
  spec.name = "odd";
  spec.workers = workers;
  spec.program = "odd_worker";
  spec.program_path = OddWorkerPath();
  spec.environment["ODD"] = odd;
  spec.stop_grace = core::kSecond;
  return spec;
}

core::PoolSpec TestingPool(std::uint32_t workers) {
  core::PoolSpec spec;
  spec.name = "testing";
  spec.workers = workers;
  spec.modules = {"testing"};
  spec.module_paths = {ModulePath("testing")};
  return spec;
}

std::size_t OpenDescriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

}  // namespace poold::process
