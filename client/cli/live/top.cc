// What is going on, live.
#include <chrono>
#include <thread>

#include "cli/commands.h"
#include "cli/live/terminal.h"
#include "cli/live/top_view.h"
#include "cli/text/message_json.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

template <typename Clock>
double Now() {
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

absl::StatusOr<TopLook> Look(const Daemon& daemon) {
  auto pools = daemon.ListPools();
  if (!pools.ok()) return pools.status();
  auto stats = daemon.GetStats(v1::GetStatsRequest());
  if (!stats.ok()) return stats.status();
  v1::ListTasksRequest running;
  running.add_states(v1::TASK_STATE_RUNNING);
  running.set_page_size(1000);
  auto tasks = daemon.ListTasks(running);
  if (!tasks.ok()) return tasks.status();
  return TopLook{.at = Now<std::chrono::steady_clock>(),
                 .now = Now<std::chrono::system_clock>(),
                 .pools = *std::move(pools),
                 .stats = *std::move(stats),
                 .tasks = *std::move(tasks)};
}

ExitStatus Snapshot(Duration interval, Context& context) {
  auto before = Look(context.daemon());
  if (!before.ok()) return Complain(before.status());
  std::this_thread::sleep_for(interval);
  auto look = Look(context.daemon());
  if (!look.ok()) return Complain(look.status());
  if (context.json()) {
    Json document = JsonFromMessage(look->pools);
    document.update(
        Json{{"daemon", JsonFromMessage(look->stats)}, {"running", JsonFromMessage(look->tasks)["entries"]}});
    PrintJson(document);
    return ExitStatus::kOk;
  }
  PrintLines(TopText(*before, *look));
  return ExitStatus::kOk;
}

// Until a key ends it.
absl::Status Live(const Screen& screen, Duration interval, const Daemon& daemon) {
  TopLook before;
  while (true) {
    auto look = Look(daemon);
    if (!look.ok()) return look.status();
    screen.Draw(TopText(before, *look) + "\nq leaves\n");
    before = *std::move(look);
    const auto end = std::chrono::steady_clock::now() + interval;
    while (std::chrono::steady_clock::now() < end) {
      const auto key = screen.Key(end - std::chrono::steady_clock::now());
      if (key == 'q' || key == 'Q' || key == '\x03' || key == '\x1b') return absl::OkStatus();
    }
  }
}

}  // namespace

bool IsLive(const TopOptions& options, const GlobalOptions& global) {
  return !options.once && !global.json && Screen::Possible();
}

ExitStatus Run(const TopOptions& options, Context& context) {
  const Duration interval = std::clamp<Duration>(options.interval.value_or(std::chrono::seconds(1)),
                                                 std::chrono::milliseconds(10), std::chrono::hours(24));
  if (!IsLive(options, context.global())) {
    return Snapshot(std::min<Duration>(interval, std::chrono::seconds(1)), context);
  }
  absl::Status status;
  {
    const Screen screen;
    status = Live(screen, interval, context.daemon());
  }
  return status.ok() ? ExitStatus::kOk : Complain(status);
}

}  // namespace poold::cli
