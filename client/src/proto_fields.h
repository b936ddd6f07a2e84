// The fields of the SDK's structs beside those of the contract's messages: each is named once, for both directions of
// proto.cc. A name that one of both does not have does not compile; tests/client/proto_test.cc finds what is not here.
//
// Conversions:
//   numbers, booleans, enumerators   the same number (Count: bounded by the field's type)
//   std::string                      string or bytes
//   HandleId                         16 bytes; the id of all zeros is empty bytes
//   std::optional                    a field with presence
//   std::vector, std::map            a repeated field, a map
//   Duration, WallTime, structs      a message, by ToProto and FromProto; one that is not std::optional is always set
// Threads: pure functions.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "poold/client/proto.h"
#include "poold/codec/fields.h"

namespace poold::client::internal {

// What protoc makes of one field; each member is a generic lambda, of which only those are compiled that the field has.
template <typename Of, typename Get, typename Has, typename Mutable, typename Set>
struct FieldAccess {
  // The same member of another struct.
  Of of;
  Get get;
  Has has;
  Mutable mut;
  Set set;
};
// Clang before 17 makes none by itself.
template <typename Of, typename Get, typename Has, typename Mutable, typename Set>
FieldAccess(Of, Get, Has, Mutable, Set) -> FieldAccess<Of, Get, Has, Mutable, Set>;

#define POOLD_EACH_PAIR_(field, ...)                                                                             \
  visit(self.field,                                                                                              \
        FieldAccess{[](const auto& other) -> decltype(auto) { return (other.field); },                           \
                    [](const auto& m) -> decltype(auto) { return m.field(); },                                   \
                    [](const auto& m) { return m.has_##field(); }, [](auto* m) { return m->mutable_##field(); }, \
                    [](auto* m, auto&& value) { m->set_##field(std::forward<decltype(value)>(value)); }});       \
  __VA_OPT__(POOLD_EACH_PAIR_AGAIN_ POOLD_PARENS_(__VA_ARGS__))
#define POOLD_EACH_PAIR_AGAIN_() POOLD_EACH_PAIR_

// Defines VisitPairs(value, visit), which calls visit(field, FieldAccess) for each field.
#define POOLD_PAIRS(Type, ...)                                                                \
  template <typename Self, typename Visit>                                                    \
  requires std::same_as<std::remove_const_t<Self>, Type>                                      \
  void VisitPairs(Self& self, Visit&& visit) { POOLD_EXPAND_(POOLD_EACH_PAIR_(__VA_ARGS__)) } \
  static_assert(true, "so that a semicolon may follow")

// NOLINTBEGIN(readability-function-size): a statement for each field
POOLD_PAIRS(Payload, encoding, type_name, data, size_bytes);
POOLD_PAIRS(TaskOptions, queue_timeout, run_timeout, total_timeout, max_attempts, retry_on, retry_delay,
            max_retry_delay, priority, start_delay, fresh, traceparent);
POOLD_PAIRS(Failure, type, message, backtrace, status_code);
POOLD_PAIRS(DeathCertificate, signal, exit_code, killed_by, pid, generation, peak_rss_bytes, cpu_time, wall_time,
            backtrace, worker_id);
POOLD_PAIRS(Outcome, state, result, failure, death, attempt, stdout_tail, stderr_tail, poison, submitted_at, started_at,
            ended_at);
POOLD_PAIRS(Progress, id, index, fraction, text);
POOLD_PAIRS(TaskInfo, id, pool, function, state, outcome, progress, client, submitted_at, started_at, worker_id,
            attempt, priority, options);
POOLD_PAIRS(MapProgress, id, pool, function, items, complete, done_items, unsuccessful_items, done, client,
            submitted_at, priority, running_items, options);
POOLD_PAIRS(TaskQuery, pool, states, function, client, page_size, page_token);
POOLD_PAIRS(TaskPage, entries, next_page_token);
POOLD_PAIRS(Attempt, number, worker_id, worker_pid, generation, started_at, ended_at, state, reason);
POOLD_PAIRS(Explanation, entry, options, waits_for, ahead, attempts);
POOLD_PAIRS(PoolSpec, name, workers, modules, program, start_method, preload, initializer, initializer_args,
            max_tasks_per_worker, max_queued_tasks, max_queued_bytes, stop_grace, start_timeout, environment,
            working_directory, nice, max_worker_rss_bytes, max_worker_age, memory_limit_bytes, on_owner_lost,
            death_policy, spares, allow_exec);
POOLD_PAIRS(WorkerInfo, id, pid, state, generation, started_at, tasks_done, function, running, rss_bytes);
POOLD_PAIRS(FunctionState, name, calls, average_time, deaths_in_a_row, breaker_open_for);
POOLD_PAIRS(FunctionInfo, name, arguments, result, help);
POOLD_PAIRS(PoolStats, queued, running, queued_bytes, submitted, succeeded, failed, crashed, timed_out, expired,
            cancelled, retried, dropped_results, workers_started, workers_lost, retracted, kept_outcomes,
            kept_outcome_bytes, recycled, reloads, rollbacks, dropped_outcomes);
POOLD_PAIRS(PoolInfo, spec, state, failure, functions, workers, stats, generation, reloading, reload_failure,
            function_states, shard, start_failure, function_count);
POOLD_PAIRS(PoolDescription, pool, functions);
POOLD_PAIRS(ServerLimits, max_message_bytes, max_inline_result_bytes, max_payload_bytes, max_kept_outcome_bytes,
            outcome_ttl, remembered_ids, max_wait, max_pools, max_workers_per_pool, output_tail_bytes, session_window,
            upload_ttl, max_items_per_call, owner_grace, max_spool_bytes, max_shared_memory_bytes, max_task_bytes,
            max_argument_bytes, max_message_parts, start_timeout);
POOLD_PAIRS(MemoryPart, name, used_bytes, max_bytes);
POOLD_PAIRS(MemoryBudget, budget_bytes, parts);
POOLD_PAIRS(ServerInfo, instance_id, version, api_version, limits, containment, containment_note, started_at, pid,
            exec_allowed, payload_socket, shards, memory);
POOLD_PAIRS(HeldUpClient, client, uid, pid, connection, kept_outcome_bytes);
POOLD_PAIRS(Stats, pools, sessions, kept_outcome_bytes, rss_bytes, cpu_time, core_entries, shared_memory_bytes,
            spool_bytes, held_up_clients, dropped_log_lines);
// NOLINTEND(readability-function-size)

template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <typename T>
inline constexpr bool kIsVector = false;
template <typename T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <typename T>
inline constexpr bool kIsMap = false;
template <typename K, typename V>
inline constexpr bool kIsMap<std::map<K, V>> = true;

template <typename From, typename T>
void ReadOne(const From& from, T* out) {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
    *out = static_cast<T>(from);
  } else if constexpr (std::same_as<T, std::string> || std::same_as<T, Count>) {
    *out = from;
  } else if constexpr (std::same_as<T, HandleId>) {
    *out = HandleId::FromBytes(from).value_or(HandleId{});
  } else {
    *out = client::FromProto(from);
  }
}

// The value as the message has it; `Target` is a number or an enumerator where the message has one.
template <typename Target, typename T>
auto Written(const T& value) {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
    return static_cast<Target>(value);
  } else if constexpr (std::same_as<T, Count>) {
    return static_cast<Target>(std::min<std::uint64_t>(value, std::numeric_limits<Target>::max()));
  } else if constexpr (std::same_as<T, std::string>) {
    return value;
  } else if constexpr (std::same_as<T, HandleId>) {
    return value == HandleId{} ? std::string() : value.ToBytes();
  } else {
    return client::ToProto(value);
  }
}

template <typename T, typename Message, typename Access>
void WriteOne(const T& value, const Access& access, Message* message) {
  using Target = std::remove_cvref_t<decltype(access.get(*message))>;
  if constexpr (std::is_class_v<Target> && !std::same_as<Target, std::string>) {
    *access.mut(message) = Written<Target>(value);
  } else {
    access.set(message, Written<Target>(value));
  }
}

// Reads the fields of the table that have the message's names.
template <typename T, typename Message>
void ReadPairs(const Message& message, T* out) {
  VisitPairs(*out, [&message]<typename F>(F& field, const auto& access) {
    if constexpr (kIsOptional<F>) {
      if (access.has(message)) ReadOne(access.get(message), &field.emplace());
    } else if constexpr (kIsVector<F>) {
      for (const auto& element : access.get(message)) ReadOne(element, &field.emplace_back());
    } else if constexpr (kIsMap<F>) {
      for (const auto& [key, element] : access.get(message)) ReadOne(element, &field[key]);
    } else {
      ReadOne(access.get(message), &field);
    }
  });
}

// Writes the fields of the table.
template <typename T, typename Message>
void WritePairs(const T& value, Message* message) {
  VisitPairs(value, [message]<typename F>(const F& field, const auto& access) {
    if constexpr (kIsOptional<F>) {
      if (field) WriteOne(*field, access, message);
    } else if constexpr (kIsVector<F>) {
      auto* const list = access.mut(message);
      using Element = std::remove_cvref_t<decltype(list->Get(0))>;
      for (const auto& element : field) {
        if constexpr (std::is_arithmetic_v<Element>) {
          list->Add(Written<Element>(element));
        } else {
          *list->Add() = Written<Element>(element);
        }
      }
    } else if constexpr (kIsMap<F>) {
      auto& map = *access.mut(message);
      for (const auto& [key, element] : field) map[key] = Written<void>(element);
    } else if constexpr (std::same_as<F, std::string>) {
      if (!field.empty()) WriteOne(field, access, message);
    } else {
      WriteOne(field, access, message);
    }
  });
}

}  // namespace poold::client::internal
