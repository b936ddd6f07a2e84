#include "cli/text/state_text.h"

#include <cctype>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/text/text_table.h"

namespace poold::cli {
namespace {

// POOL_STATE_RUNNING is "running".
std::string Word(const std::string& name, std::size_t prefix) {
  std::string word = name.size() > prefix ? name.substr(prefix) : name;
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

}  // namespace

std::string StateWord(v1::TaskState state) {
  const std::string& name = v1::TaskState_Name(state);
  const std::size_t prefix = std::strlen("TASK_STATE_");
  return name.size() > prefix ? name.substr(prefix) : "UNKNOWN";
}

v1::TaskState StateFromWord(const std::string& word) {
  std::string name = "TASK_STATE_";
  for (const char c : word) name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  v1::TaskState state = v1::TASK_STATE_UNSPECIFIED;
  return v1::TaskState_Parse(name, &state) ? state : v1::TASK_STATE_UNSPECIFIED;
}

v1::TaskState StateOf(const v1::MapProgress& map) {
  if (!map.done()) return map.running_items() + map.done_items() > 0 ? v1::TASK_STATE_RUNNING : v1::TASK_STATE_QUEUED;
  if (map.done_items() < map.items()) return v1::TASK_STATE_CANCELLED;
  return map.unsuccessful_items() > 0 ? v1::TASK_STATE_FAILED : v1::TASK_STATE_SUCCEEDED;
}

std::string ProgressWord(const v1::Progress& progress) {
  if (progress.fraction() < 0) return progress.text();
  const std::string percent = absl::StrCat(std::lround(progress.fraction() * 100), " %");
  return progress.text().empty() ? percent : absl::StrCat(percent, " ", progress.text());
}

std::string ProgressSentence(const v1::MapProgress& map) {
  std::string text = absl::StrCat(map.function(), ": ", map.done_items(), " of ", map.items(),
                                  map.complete() ? "" : " (and more to come)", " items done");
  if (map.unsuccessful_items() > 0) absl::StrAppend(&text, ", ", map.unsuccessful_items(), " without success");
  return text;
}

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name == nullptr ? absl::StrCat("signal ", signal) : absl::StrCat("SIG", name);
}

double Seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + duration.nanos() * 1e-9;
}

double Seconds(const google::protobuf::Timestamp& time) {
  return static_cast<double>(time.seconds()) + time.nanos() * 1e-9;
}

std::string ClockText(const google::protobuf::Timestamp& time) {
  const time_t seconds = time.seconds();
  tm parts{};
  localtime_r(&seconds, &parts);
  char text[32];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%03d", parts.tm_hour, parts.tm_min, parts.tm_sec,
                time.nanos() / 1'000'000);
  return text;
}

std::string StateWord(v1::PoolState state) { return Word(v1::PoolState_Name(state), 11); }
std::string StateWord(v1::WorkerState state) { return Word(v1::WorkerState_Name(state), 13); }
std::string ContainmentWord(v1::Containment means) { return Word(v1::Containment_Name(means), 12); }

std::string PoolSentence(const v1::Pool& pool) {
  std::string text = absl::StrCat(pool.spec().name(), " ", StateWord(pool.state()), ", ",
                                  Count(pool.workers_size(), "worker"), ", generation ", pool.generation());
  if (pool.shard() > 0) absl::StrAppend(&text, ", shard ", pool.shard());
  if (pool.reloading()) absl::StrAppend(&text, ", reloading");
  if (!pool.failure().empty()) absl::StrAppend(&text, ": ", pool.failure());
  return text;
}

std::string ModulesText(const v1::PoolSpec& spec) {
  return spec.program().empty() ? absl::StrJoin(spec.modules(), ",") : spec.program();
}

uint64_t Unsuccessful(const v1::PoolStats& stats) {
  return stats.failed() + stats.crashed() + stats.timed_out() + stats.expired() + stats.cancelled();
}

std::string Count(uint64_t count, const char* noun) { return absl::StrCat(count, " ", noun, count == 1 ? "" : "s"); }

std::string AgeText(const google::protobuf::Timestamp& since) {
  if (since.seconds() == 0) return "-";
  return SpanText(static_cast<double>(std::time(nullptr) - since.seconds()));
}

}  // namespace poold::cli
