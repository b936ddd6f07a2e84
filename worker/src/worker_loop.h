// A worker at work: RUN frames -> claims -> functions -> records.
//
// Not thread-safe: the process's only thread. Owns everything of the worker but what was set up before it.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "channel.h"
#include "outcome_writer.h"
#include "output_boundary.h"
#include "result_slot.h"
#include "startup.h"
#include "tsc_clock.h"
#include "wire/mapped_file.h"
#include "wire/worker_page.h"

namespace poold::worker {

class WorkerLoop {
 public:
  // `page` is mapped memory of wire::kWorkerPageBytes. None is owned.
  WorkerLoop(Startup* startup, Channel* channel, void* page, wire::UniqueFd stdout_read, wire::UniqueFd stderr_read);

  // Until STOP (OK) or the end of the channel. An error: the daemon sent what makes no sense.
  absl::Status Run();

 private:
  // One task of a RUN frame.
  struct Task {
    std::uint32_t ticket = 0;
    std::uint32_t function = 0;
    std::uint32_t encoding = 0;
    std::uint32_t attempt = 1;
    std::string_view type_name;
    std::string_view args;
    // Of a single task: where its arguments lie in place of `args`; null for none.
    const wire::UniqueFd* file = nullptr;
    // The same of an arena.
    const wire::MappedFile* arena = nullptr;
    std::uint64_t arena_offset = 0;
    std::uint64_t shared_bytes = 0;
    // Of a chunk; empty for a single task.
    const std::uint64_t* item_bytes = nullptr;
    std::uint32_t items = 0;
  };
  // Whole tasks of this frame; false if its lists do not fit together.
  bool CutTasks(std::string_view blob);
  bool TakeFiles();
  void ForgetArenas();
  // False: the frame says what cannot be.
  bool CutShared(int place, std::uint64_t bytes, Task* task);
  absl::Status RunFrame(const wire::Frame& frame);
  void RunTask(const Task& task);
  void RunItem(const Task& task, std::uint32_t item, std::string_view args, bool is_last);
  void Invoke(const Task& task, std::string_view args);
  void InvokeInArena(const Function& function, const Task& task);
  void Call(const Function& function, const Task& task, std::string_view args);
  void PlaceResult();
  void Answer(std::int64_t elapsed);
  void KeepLittle();

  Startup* const startup_;
  Channel* const channel_;
  wire::WorkerPage* const page_;
  OutcomeWriter outcomes_;
  OutputBoundary output_;

  // Reused from frame to frame.
  internal::Run run_;
  std::vector<Task> tasks_;
  std::vector<wire::UniqueFd> files_;
  int files_used_ = 0;
  int places_used_ = 0;
  // That arguments lie in, by number.
  std::map<std::uint64_t, wire::MappedFile> arenas_;
  ResultSlot slot_;
  Reply reply_;

  // How long each function takes, moving average; < 0: not known.
  std::vector<double> average_ns_;
  // Where the last item ended, and whether much has happened since.
  TscClock clock_;
  std::int64_t now_ = 0;
  bool now_is_old_ = false;
};

}  // namespace poold::worker
