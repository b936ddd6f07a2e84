// One task again, in a process of our own.
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/replay_command.h"
#include "cli/text/message_json.h"

namespace poold::cli {
namespace {

absl::StatusOr<ReplayPlan> PlanOf(const ReplayOptions& options, const std::string& id, const Daemon& daemon) {
  v1::ExplainRequest explain;
  explain.set_id(id);
  auto explained = daemon.Explain(explain);
  if (!explained.ok()) return explained.status();
  const v1::TaskEntry& entry = explained->entry();
  v1::GetPoolRequest get;
  get.set_name(entry.has_map() ? entry.map().pool() : entry.task().pool());
  auto pool = daemon.GetPool(get);
  if (!pool.ok()) return pool.status();
  v1::DownloadRequest download;
  download.set_id(id);
  download.set_index(options.item);
  auto arguments = daemon.DownloadArguments(download);
  if (!arguments.ok()) return arguments.status();
  return ReplayPlan{.function = entry.has_map() ? entry.map().function() : entry.task().function(),
                    .arguments = *std::move(arguments),
                    .spec = pool->pool().spec()};
}

// Becomes the command. Comes back only if it cannot.
ExitStatus Become(const ReplayPlan& plan, std::vector<std::string> words) {
  PrintCommand(words);
  const std::string& folder = plan.spec.working_directory();
  if (!folder.empty() && chdir(folder.c_str()) != 0) {
    Warn(absl::StrCat("the pool's working directory ", folder, " is not here (", std::strerror(errno),
                      "); it runs in the present one"));
  }
  for (const auto& [name, value] : plan.spec.environment()) setenv(name.c_str(), value.c_str(), /*overwrite=*/1);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  signal(SIGPIPE, SIG_DFL);
  execvp(argv[0], argv.data());
  Warn(absl::StrCat(words[0], " does not start: ", std::strerror(errno)));
  return ExitStatus::kNoInput;
}

}  // namespace

ExitStatus Run(const ReplayOptions& options, Context& context) {
  auto id = IdFromHex(options.id);
  if (!id.ok()) return ComplainUsage(std::string(id.status().message()));
  auto plan = PlanOf(options, *id, context.daemon());
  if (!plan.ok()) return Complain(plan.status());
  auto words = ReplayCommand(*plan, options);
  if (!words.ok()) return ComplainInput(words.status());
  return Become(*plan, *std::move(words));
}

}  // namespace poold::cli
