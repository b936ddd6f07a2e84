// From SETUP to READY: modules, preload functions, initializer.
//
// Role: loads and calls what SETUP names, in its order: Load, Preload, Initialize. Non-role: sends nothing.
// Errors: a StartFailed, ready to be sent, names the module or function; nothing: it went well.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "function_table.h"
#include "poold/internal/worker.pb.h"
#include "private_copy.h"

namespace poold::worker {

// Not thread-safe. Lives as long as the process; clones inherit it.
class Startup {
 public:
  // What is cloned has one thread: another one would not be in the clones, and what it holds would be held there for
  // ever. What runs tasks itself may have what it likes. By hand, files stay mapped, for the sake of profilers.
  enum class Fate { kCloned, kRunsTasks, kLocal };
  explicit Startup(Fate fate);
  Startup(const Startup&) = delete;
  Startup& operator=(const Startup&) = delete;

  // Loads what SETUP names. This and Preload refuse what leaves threads where there may be none.
  std::optional<internal::StartFailed> Load(const internal::Setup& setup);
  // Told what begins, before it begins, as Starting in worker.proto says.
  void AnnounceTo(std::function<void(const std::string& doing)> announce) { announce_ = std::move(announce); }
  // Calls the pool's preload functions, once in the process that is cloned.
  std::optional<internal::StartFailed> Preload();
  // Calls the pool's initializer, in each worker.
  std::optional<internal::StartFailed> Initialize();

  // The READY of this process, which is a zygote or a fresh program; that of a clone is MakeCloneReady.
  internal::Ready MakeReady() const;
  static internal::Ready MakeCloneReady();
  const internal::Setup& setup() const { return setup_; }
  // A larger result becomes a failure.
  std::uint64_t MaxResultBytes() const;
  // A large result may lie in an arena.
  bool MayAnswerInArena() const { return setup_.takes_result_arenas(); }
  const FunctionTable& functions() const { return functions_; }
  // What CurrentTask shows.
  TaskContext& context() { return context_; }
  // Where ReportProgress goes from here on; must outlive all tasks.
  void ListenToProgress(ProgressSink* sink) { host_.progress = sink; }

 private:
  // `phase` says in errors what it was called for.
  std::optional<internal::StartFailed> CallByName(const std::string& phase, const std::string& name, const Call& call);
  // An error where the process may have one thread and has more; `who` is named as the one that made it.
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

}  // namespace poold::worker
