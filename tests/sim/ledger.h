// What the simulator knows to be true of every handle, noted as it happens, and the first contradiction.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/core.h"

namespace poold::core::sim {

struct KnownItem {
  std::uint32_t executions = 0;
  bool running = false;
  TaskState final_state = TaskState::kUnspecified;
};

struct KnownHandle {
  HandleId id;
  bool is_map = false;
  std::string pool;
  ClientId client{};
  TaskOptions options;
  std::vector<KnownItem> items;  // a task has one
  bool complete = false;
  bool ended = false;
  bool released = false;
  TaskState final_state = TaskState::kUnspecified;  // of a task
};

struct KnownStream {
  bool gone = false;
  struct Heard {
    int ends = 0;  // outcome of a task, end of a map
    std::vector<bool> items;
    bool all_items = false;  // it has listened from the start: nothing may be missing
  };
  std::map<HandleId, Heard> handles;  // that it subscribed to
};

class Ledger {
 public:
  // The first thing that was wrong; empty if nothing was.
  std::string wrong;
  void Wrong(std::string what) {
    if (wrong.empty()) wrong = std::move(what);
  }

  std::map<HandleId, KnownHandle> handles;
  std::map<SubscriberId, KnownStream> streams;

  // "t12" or "m12.5": the arguments say whose they are.
  KnownItem* ItemOf(std::string_view args, KnownHandle** handle) {
    const std::string text(args);
    const auto at =
        handles.find({args.empty() || text[0] == 't' ? 1u : 2u, text.size() < 2 ? 0 : std::stoull(text.substr(1))});
    if (at == handles.end()) {
      Wrong("a worker was given arguments that nobody submitted: '" + text + "'");
      return nullptr;
    }
    *handle = &at->second;
    const std::size_t dot = text.find('.');
    const std::size_t index = dot == std::string::npos ? 0 : std::stoull(text.substr(dot + 1));
    if (index >= at->second.items.size()) {
      Wrong("item " + text + " was never submitted");
      return nullptr;
    }
    return &at->second.items[index];
  }
  static std::string TextOf(const KnownHandle& handle, std::size_t index) {
    if (!handle.is_map) return "t" + std::to_string(handle.id.low);
    return "m" + std::to_string(handle.id.low) + "." + std::to_string(index);
  }
};

}  // namespace poold::core::sim
