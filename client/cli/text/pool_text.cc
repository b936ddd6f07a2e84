#include "cli/text/pool_text.h"

#include <cctype>
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
