// ServiceOptions: facts that calls need and the daemon learns at start: its name, its bounds, and the folders of
// modules.
//
// Values; constant after the server was started.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/memory_budget.h"
#include "base/spool.h"
#include "core/core.h"
#include "core/types.h"

namespace poold::api {

// The values of poold.v1.Containment.
enum class Containment : std::uint8_t { kUnspecified = 0, kCgroup = 1, kPidNamespace = 2, kSubreaper = 3 };

// Finds modules and worker programs in the folders of the configuration. Implemented by config/.
class SpecResolver {
 public:
  virtual ~SpecResolver() = default;
  // Fills module_paths and program_path from modules and program, which are plain names. Called by the RPC thread.
  // Errors: made by core::MakeError with MODULE_NOT_FOUND or PROGRAM_NOT_FOUND, naming the thing and the folders.
  virtual absl::Status Resolve(core::PoolSpec* spec) = 0;
};

struct ServiceOptions {
  // The facts of GetServerInfo: a name that differs at each start, the version, the containment and the reason against
  // a better one.
  std::string instance_id;
  std::string version;
  Containment containment = Containment::kUnspecified;
  std::string containment_note;
  // The limits that the core was made with.
  core::Limits limits;

  // The workers of pools whose spec names no number; 0: the CPUs that this process may use (base/cpus.h).
  std::uint32_t default_workers = 0;

  // The budget that memory is taken from.
  std::shared_ptr<const base::MemoryBudget> memory = std::make_shared<const base::MemoryBudget>(8ull << 30);

  // The most bytes of a message; lowered to a quarter of the budget for half-read messages.
  std::uint64_t max_message_bytes = 16ull << 20;
  // The most bytes of a result that an answer or an outcome carries inline.
  std::uint64_t max_inline_result_bytes = 1ull << 20;
  // The most tasks, items or ids of one call.
  std::uint32_t max_items_per_call = 65'536;
  // The most parts of one request (received.h): enough for a call's tasks with their options and arguments.
  std::uint64_t max_message_parts() const { return std::uint64_t{8} * max_items_per_call; }
  // The requests that a client of a session may have under way.
  std::uint32_t session_window = 64;
  // The spool of large payloads. Null: a spool of its own, with the defaults.
  std::shared_ptr<const base::Spool> spool;
  // Uploads under way and uploads that no submission took yet, together.
  std::uint64_t max_upload_bytes = 2ull << 30;
  // The ns for which an upload waits for its submission.
  core::Nanos upload_ttl = 5 * 60 * core::kSecond;
  // The most bytes of output that wait for one slow reader; beyond them the oldest are dropped.
  std::uint64_t max_waiting_output_bytes = 4ull << 20;
  // The most bytes of events that wait for all watchers together (WatchQueue).
  std::uint64_t max_waiting_event_bytes = 64ull << 20;
  // The payload socket for clients of this host, once the daemon listens there. Empty: there is none.
  std::string payload_socket;
  // The secret that marks calls of this daemon's tasks (base/worker_mark.h). Empty: no call counts as a task's.
  std::string worker_secret;
  // Environment variables that specs may set although they are code (base/names.h).
  std::vector<std::string> allowed_environment;
  // Whether pools may have PoolSpec.allow_exec.
  bool allow_exec = false;

  // Not owned; must outlive the server. Null: no modules can be named.
  SpecResolver* resolver = nullptr;
  // Called by any thread without a lock when, after core::OnShutdown, the last process of the last pool is gone.
  std::function<void()> on_all_pools_gone;
};

}  // namespace poold::api
