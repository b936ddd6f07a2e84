// Startup: the way from SETUP to being ready: modules, preload functions, initializer.
//
// Threads: not thread-safe. Ownership: lives as long as the process; clones inherit it.
// Errors: a StartFailed, ready to be sent, that names the module or function; nothing: no error.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "function_table.h"
#include "poold/internal/worker.pb.h"
#include "private_copy.h"

namespace poold::worker {

// Not thread-safe. Lives as long as the process; clones inherit it.
class Startup {
 public:
  // The future of the process. kCloned: it must have one thread, because another one would not be in the clones, and
  // its locks would be held there for ever. kRunsTasks: any number of threads. kLocal: as kRunsTasks, and files stay
  // mapped, for profilers.
  enum class Fate { kCloned, kRunsTasks, kLocal };
  explicit Startup(Fate fate);
  Startup(const Startup&) = delete;
  Startup& operator=(const Startup&) = delete;

  // Loads the modules that SETUP names. Load and Preload refuse threads where there may be none.
  std::optional<internal::StartFailed> Load(const internal::Setup& setup);
  // `announce` is told each step before it begins, as Starting in worker.proto says.
  void AnnounceTo(std::function<void(const std::string& doing)> announce) { announce_ = std::move(announce); }
  // Runs the preload functions.
  std::optional<internal::StartFailed> Preload();
  // Runs the initializer, in each worker.
  std::optional<internal::StartFailed> Initialize();

  // READY of this process, which is a zygote or a fresh program, with its functions.
  internal::Ready MakeReady() const;
  // READY of a clone, whose functions are the zygote's.
  static internal::Ready MakeCloneReady();
  const internal::Setup& setup() const { return setup_; }
  // The most bytes of a result.
  std::uint64_t MaxResultBytes() const;
  // Whether a large result may lie in an arena.
  bool MayAnswerInArena() const { return setup_.takes_result_arenas(); }
  const FunctionTable& functions() const { return functions_; }
  // The context that CurrentTask shows.
  TaskContext& context() { return context_; }
  // Sends ReportProgress to `sink`, which must outlive all tasks.
  void ListenToProgress(ProgressSink* sink) { host_.progress = sink; }

 private:
  std::optional<internal::StartFailed> CallByName(const std::string& phase, const std::string& name, const Call& call);
  std::optional<internal::StartFailed> CheckThreads(const std::string& phase, const std::string& who) const;

  absl::Status LoadModule(const std::string& path);

  void Announce(const std::string& doing) const {
    if (announce_) announce_(doing);
  }

  std::function<void(const std::string&)> announce_;
  const Fate fate_;
  internal::Setup setup_;
  TaskContext context_;
  Host host_{&context_, nullptr};
  FunctionTable functions_;
  PrivateCopies copies_;
};

// Sets the resource limits that SETUP demands in this process, a clone. Call before any foreign code runs, except
// handlers of pthread_atfork. RESOURCE_EXHAUSTED or PERMISSION_DENIED names the limit and what to do.
absl::Status LimitSelf(const internal::Setup& setup);

}  // namespace poold::worker
