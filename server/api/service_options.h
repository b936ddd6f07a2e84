// Facts that calls need and the daemon learns at start: its name, its bounds, and where modules are found.
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
  std::string instance_id;
  std::string version;
  Containment containment = Containment::kUnspecified;
  std::string containment_note;
  // The same that the core was made with.
  core::Limits limits;

  // Of pools whose spec names none; 0: the CPUs that this process may use (base/cpus.h).
  std::uint32_t default_workers = 0;

  // The budget that memory is taken from.
  std::shared_ptr<const base::MemoryBudget> memory = std::make_shared<const base::MemoryBudget>(8ull << 30);

  // Lowered to a quarter of what there is for half-read messages.
  std::uint64_t max_message_bytes = 16ull << 20;
  // Also what one task's result may take of an outcome that is sent inline.
  std::uint64_t max_inline_result_bytes = 1ull << 20;
  std::uint32_t max_items_per_call = 65'536;
  // What one request may consist of (message_parts.h): room for a call's tasks with their options and arguments.
  std::uint64_t max_message_parts() const { return std::uint64_t{8} * max_items_per_call; }
  std::uint32_t session_window = 64;
  // Where large payloads lie. Null: one of its own, with the defaults.
  std::shared_ptr<const base::Spool> spool;
  // Uploads under way and uploads that no submission took yet, together.
  std::uint64_t max_upload_bytes = 2ull << 30;
  core::Nanos upload_ttl = 5 * 60 * core::kSecond;
  // What waits for one slow reader: output beyond it is dropped, the oldest first.
  std::uint64_t max_waiting_output_bytes = 4ull << 20;
  // What waits for all watchers together; see WatchQueue.
  std::uint64_t max_waiting_event_bytes = 64ull << 20;
  // Where clients of this host may hand over payloads, once it listens there. Empty: nowhere.
  std::string payload_socket;
  // The secret by which calls of this daemon's tasks are known: base/worker_mark.h. Empty: none counts as a task's.
  std::string worker_secret;
  // Variables that specs may set although they are code: base/names.h.
  std::vector<std::string> allowed_environment;
  // Pools may have PoolSpec.allow_exec.
  bool allow_exec = false;

  // Not owned; must outlive the server. Null: no modules can be named.
  SpecResolver* resolver = nullptr;
  // After core::OnShutdown: the last process of the last pool is gone. Called by any thread, without a lock.
  std::function<void()> on_all_pools_gone;
};

}  // namespace poold::api
