#include "kinds/stage.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace poold::bench {

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
