#include "kinds/stage.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace poold::bench {
namespace {

constexpr std::uint64_t kMostProcesses = 4;

}  // namespace

absl::StatusOr<Stage> Stage::Set(const std::vector<std::string>& daemon_options) {
  auto daemon = PrivateDaemon::Start(daemon_options);
  if (!daemon.ok()) return daemon.status();
  auto client = client::Client::Connect({.address = (*daemon)->address(), .client_name = "poold-bench"});
  if (!client.ok()) return client.status();
  return Stage{*std::move(daemon), *std::move(client)};
}

absl::StatusOr<client::PoolScope> Stage::OpenPool(client::PoolSpec spec) const {
  if (spec.name.empty()) spec.name = absl::StrCat("bench-", getpid());
  if (spec.modules.empty()) spec.modules = {"testing"};
  spec.stop_grace = client::Duration::zero();
  return client::PoolScope::Open(*client, std::move(spec));
}

absl::Status AwaitWorkers(const client::Pool& pool, std::uint32_t count) {
  while (true) {
    const auto info = pool.Info();
    if (!info.ok()) return info.status();
    const auto ready = std::count_if(info->workers.begin(), info->workers.end(), [](const client::WorkerInfo& worker) {
      return worker.state == client::WorkerState::kIdle || worker.state == client::WorkerState::kBusy;
    });
    if (ready >= count) return absl::OkStatus();
  }
}

absl::StatusOr<std::vector<Child>> Connect(const Stage& stage, const std::string& pool, std::uint64_t connections) {
  const std::uint64_t processes = std::min(kMostProcesses, connections);
  std::vector<Child> holders;
  for (std::uint64_t i = 0; i < processes; ++i) {
    const std::uint64_t share = connections / processes + (i < connections % processes ? 1 : 0);
    auto child = Child::RunRole("sessions", {stage.daemon->address(), pool, absl::StrCat(share)});
    if (!child.ok()) return child.status();
    holders.push_back(*std::move(child));
  }
  for (Child& holder : holders) {
    if (auto ready = holder.ReadLine(); !ready.ok()) return ready.status();
  }
  return holders;
}

absl::Status RunTasks(std::vector<Child>& holders, std::uint64_t tasks_each) {
  for (Child& holder : holders) {
    if (absl::Status status = holder.WriteLine(absl::StrCat(tasks_each)); !status.ok()) return status;
  }
  for (Child& holder : holders) {
    if (auto done = holder.ReadLine(); !done.ok()) return done.status();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<client::TaskHandle<void>>> Block(const client::Pool& pool, std::uint32_t workers) {
  constexpr std::uint32_t kLongMs = 3'600'000;
  std::vector<client::TaskHandle<void>> blockers;
  for (std::uint32_t i = 0; i < workers; ++i) blockers.push_back(pool.Submit<void>("sleep", kLongMs));
  for (const auto& blocker : blockers) {
    for (bool running = false; !running;) {
      const auto asked = blocker.Running();
      if (!asked.ok()) return asked.status();
      running = *asked;
    }
  }
  return blockers;
}

}  // namespace poold::bench
