#include "engine/held_up_log.h"

#include <utility>

#include "base/log.h"

namespace poold::engine {

void HeldUpLog::Note(const core::ClientView& client, bool held_up) {
  absl::MutexLock lock(&mu_);
  notices_.push_back({client, held_up});
  waits_ = true;
}

std::vector<HeldUpLog::Notice> HeldUpLog::TakeDue(core::Nanos now) {
  std::vector<Notice> due;
  absl::MutexLock lock(&mu_);
  for (Notice& one : std::exchange(notices_, {})) {
    const auto [told, is_new] = told_.try_emplace(one.client.id);
    told->second.over_since = one.held_up ? core::kNever : now;
    told->second.then = one.client;
    if (is_new) due.push_back(std::move(one));
  }
  waits_ = false;
  for (auto told = told_.begin(); told != told_.end();) {
    const core::Nanos since = told->second.over_since;
    if (since != core::kNever && now - since >= kOverFor) {
      due.push_back({std::move(told->second.then), false});
      told = told_.erase(told);
      continue;
    }
    if (since != core::kNever) waits_ = true;
    ++told;
  }
  return due;
}

void HeldUpLog::Write(core::Nanos now, const ClientNames& names) {
  for (const Notice& one : TakeDue(now)) {
    const core::ClientView& client = one.client;
    base::Log(one.held_up ? base::Level::kWarning : base::Level::kInfo,
              one.held_up ? "client_held_up" : "client_goes_on",
              {{"client", names.Shown(client.id)},
               {"uid", client.origin.uid},
               {"pid", client.origin.pid},
               {"connection", client.origin.connection},
               {"kept_bytes", client.kept_bytes},
               {"floor_bytes", client.floor_bytes},
               {"common_used", client.common_used},
               {"common_bytes", client.common_bytes}});
  }
}

}  // namespace poold::engine
