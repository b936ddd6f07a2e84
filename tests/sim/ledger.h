// What the simulator knows to be true of handles, pools and workers, noted as it happens, and the first contradiction.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/core.h"

namespace poold::core::sim {

struct KnownItem {
  std::uint32_t executions = 0;
  bool running = false;
  TaskState final_state = TaskState::kUnspecified;
  // Attempts that are over: without a claim page, also of what its worker had not begun.
  std::uint32_t tries = 0;
  std::uint32_t succeeded = 0;
  std::uint32_t failed = 0;
  std::uint32_t died = 0;     // its worker, and nobody else can have been guilty
  Nanos page_less_since = 0;  // when it began the last time, on a worker without a page; 0: the last one had a page
};

// How a task ended, as somebody was told.
struct KnownOutcome {
  std::uint32_t attempt = 0;
  Nanos submitted_at = 0;
  Nanos started_at = 0;
  Nanos ended_at = 0;
  std::string result;
  friend bool operator==(const KnownOutcome&, const KnownOutcome&) = default;
};

struct KnownHandle {
  HandleId id;
  bool is_map = false;
  std::string pool;
  PoolId pool_id{};
  std::string function;
  ClientId client{};
  TaskOptions options;
  std::vector<KnownItem> items;  // a task has one
  bool complete = false;
  bool ended = false;
  bool released = false;
  TaskState final_state = TaskState::kUnspecified;  // of a task
  std::optional<KnownOutcome> outcome;              // of a task, from when on somebody heard it
  bool cancelled = false;                           // somebody asked for it
  bool fail_fast = false;
  bool waited = false;             // a call waited for it and others
  Nanos ended_at = kNever;         // as far as somebody looked
  std::uint64_t kept_bytes = 0;    // after the event before this one
  bool unseen_end = false;         // it had not ended before the event in which it went
  Nanos orphan_since = kNever;     // of a map that was not complete when its client left
  std::uint64_t guilty_every = 0;  // every so many-th item kills whoever runs it; 0: none does

  bool IsGuilty(std::uint64_t index) const { return guilty_every != 0 && index % guilty_every == guilty_every - 1; }
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

// What may have ended a pool.
struct KnownPool {
  PoolSpec spec;  // as it was opened
  bool kept = false;
  std::map<ClientId, Nanos> owners;  // absent since; kNever: present
  bool close_asked = false;
  bool cancel_asked = false;
  bool terminate_asked = false;
  bool owner_lost = false;
  bool broken = false;
  std::uint64_t start_failures = 0;
  std::uint64_t most_workers = 0;  // that it was to have
};

// How starts of a generation go.
enum class Doom : std::uint8_t { kNone, kZygote, kInitializer, kMemory };

struct KnownGeneration {
  Doom doom = Doom::kNone;
  std::vector<std::string> functions;
  std::uint64_t failures_in_a_row = 0;
};

struct KnownWorker {
  std::uint64_t given = 0;  // tasks and chunks
  bool over_limit = false;  // of memory: the core has to kill it
  std::vector<std::string> functions;
};

// A call that has no answer yet.
struct KnownCall {
  Nanos due = kNever;
  PoolId pool{};                // that it is about; 0: none
  std::vector<HandleId> waits;  // of Wait: each once
  WaitMode mode = WaitMode::kAllCompleted;
  WorkerId from{};               // whose task asked; 0: nobody of ours
  std::vector<HandleId> asked;   // of Get and Wait
  bool cancels = false;          // of Close: what has not begun
  std::uint64_t unfinished = 0;  // of Close: handles of the pool that had not ended then
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
  std::map<PoolId, KnownPool> pools;
  std::map<std::pair<PoolId, std::uint32_t>, KnownGeneration> generations;  // by their first zygote's number
  std::map<WorkerId, KnownWorker> workers;                                  // that live or lived
  std::map<SubscriberId, KnownCall> calls;

  // "t12" or "m12.5": the arguments say whose they are.
  KnownItem* ItemOf(std::string_view args, KnownHandle** handle, std::size_t* place = nullptr) {
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
    if (place != nullptr) *place = index;
    return &at->second.items[index];
  }
  static std::string TextOf(const KnownHandle& handle, std::size_t index) {
    if (!handle.is_map) return "t" + std::to_string(handle.id.low);
    return "m" + std::to_string(handle.id.low) + "." + std::to_string(index);
  }
};

}  // namespace poold::core::sim
