#include "cli/grammar/completion.h"

#include <algorithm>
#include <map>

#include "cli/daemon.h"
#include "cli/text/console.h"
#include "cli/text/message_json.h"
#include "poold/client.h"

namespace poold::cli {
namespace {

using Kind = Completion::Kind;
using Words = std::vector<std::string>;

const Words* ValuesOf(const std::string& option) {
  static const std::map<std::string, Words> kValues{
      {"--start-method", {"fork", "spawn", "fresh"}},
      {"--retry-on", {"failed", "crashed", "timed_out"}},
      {"--state", {"queued", "running", "succeeded", "failed", "crashed", "timed_out", "expired", "cancelled"}},
  };
  const auto found = kValues.find(option);
  return found == kValues.end() ? nullptr : &found->second;
}

bool IsOneOf(const std::string& word, std::initializer_list<const char*> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Of a command, or of all.
const CLI::Option* FindOption(const Grammar& grammar, const CLI::App* command, const std::string& name) {
  const CLI::Option* option = command == nullptr ? nullptr : command->get_option_no_throw(name);
  return option != nullptr ? option : grammar.app().get_option_no_throw(name);
}

bool WantsValue(const CLI::Option* option) { return option != nullptr && option->get_items_expected_max() > 0; }

void AddOptions(const CLI::App& app, Words& words) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
}

// What has been said before the word.
struct Said {
  const CLI::App* command = nullptr;
  std::size_t positionals = 0;
  // The option whose value comes next.
  std::string pending;
};

Said Read(const Grammar& grammar, const Words& words, Completion& out) {
  Said said;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (!said.pending.empty()) {
      if (said.pending == "--pool") out.pool = word;
      if (said.pending == "--address") out.address = word;
      said.pending.clear();
    } else if (word.starts_with("--") && word.find('=') == std::string::npos) {
      if (WantsValue(FindOption(grammar, said.command, word))) said.pending = word;
    } else if (word.starts_with("-")) {
      continue;
    } else if (said.command == nullptr) {
      said.command = grammar.Find(word);
    } else {
      ++said.positionals;
    }
  }
  return said;
}

void CompleteValue(const std::string& option, Completion& out) {
  if (option == "--pool") out.kind = Kind::kPools;
  if (IsOneOf(option, {"--function", "--preload", "--initializer"})) out.kind = Kind::kFunctions;
  if (const Words* values = ValuesOf(option)) out.words = *values;
}

void CompletePositional(const Said& said, Completion& out) {
  const std::string& command = said.command->get_name();
  if (IsOneOf(command, {"get", "wait", "watch", "cancel", "release", "explain", "replay"})) out.kind = Kind::kHandles;
  if (said.positionals > 0) return;
  if (IsOneOf(command, {"submit", "map"})) out.kind = Kind::kFunctions;
  if (IsOneOf(command, {"workers", "functions", "stats", "tasks", "resize", "reload", "close", "terminate", "join"})) {
    out.kind = Kind::kPools;
  }
}

absl::StatusOr<Words> AskDaemon(const Completion& asked) {
  auto client = client::Client::Connect({.address = asked.address,
                                         .client_name = "poolctl",
                                         .connect_timeout = std::chrono::seconds(1),
                                         .call_timeout = std::chrono::seconds(1)});
  if (!client.ok()) return client.status();
  const Daemon daemon(client->connection());
  Words names;
  if (asked.kind == Kind::kPools) {
    auto pools = daemon.ListPools();
    if (!pools.ok()) return pools.status();
    for (const v1::Pool& pool : pools->pools()) names.push_back(pool.spec().name());
  } else if (asked.kind == Kind::kFunctions) {
    v1::GetPoolRequest request;
    request.set_name(asked.pool);
    auto pool = daemon.GetPool(request);
    if (!pool.ok()) return pool.status();
    names.assign(pool->pool().functions().begin(), pool->pool().functions().end());
  } else {
    auto tasks = daemon.ListTasks({});
    if (!tasks.ok()) return tasks.status();
    for (const v1::TaskEntry& entry : tasks->entries()) {
      names.push_back(HexFromId(entry.has_map() ? entry.map().id() : entry.task().id()));
    }
  }
  return names;
}

}  // namespace

Completion CompletionOf(const Grammar& grammar, const Words& words) {
  Completion out;
  out.prefix = words.back();
  const Said said = Read(grammar, words, out);
  if (!said.pending.empty()) {
    CompleteValue(said.pending, out);
  } else if (out.prefix.starts_with("-")) {
    if (said.command != nullptr) AddOptions(*said.command, out.words);
    AddOptions(grammar.app(), out.words);
  } else if (said.command == nullptr) {
    out.words = grammar.Commands();
  } else {
    CompletePositional(said, out);
  }
  return out;
}

void Complete(const Words& words) {
  const Grammar grammar;
  const Completion asked = CompletionOf(grammar, words.empty() ? Words{""} : words);
  Words candidates = asked.words;
  if (asked.kind != Kind::kWords) {
    auto names = AskDaemon(asked);
    if (names.ok()) candidates = *std::move(names);
  }
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  for (const std::string& candidate : candidates) {
    if (candidate.starts_with(asked.prefix)) PrintLine(candidate);
  }
}

}  // namespace poold::cli
