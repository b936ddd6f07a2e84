// WorkerLoop: a worker at work: RUN frames, claims, functions, records.
//
// Threads: not thread-safe; the worker's own thread.
// Ownership: owns everything of the worker except what was set up before it.
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
  // `page` is mapped memory of wire::kWorkerPageBytes. Owns none of the pointers.
  WorkerLoop(Startup* startup, Channel* channel, void* page, wire::UniqueFd stdout_read, wire::UniqueFd stderr_read);

  // Runs tasks until STOP (OK). Ends the process when the daemon closes the channel. An error: the daemon sent a frame
  // that makes no sense.
  absl::Status Run();

 private:
  // One task of a RUN frame. The views are valid while the frame is.
  struct Task {
    std::uint32_t ticket = 0;
    // The function's place in the worker's list; none has this place: the task fails.
    std::uint32_t function = 0;
    std::uint32_t encoding = 0;
    std::uint32_t attempt = 1;
    std::string_view type_name;
    std::string_view args;
    // Null: nothing of the task's options is for the function.
    const internal::Context* context = nullptr;
    // Arguments of a single task in a file, in place of `args`; null: not there.
    const wire::UniqueFd* file = nullptr;
    // Arguments of a single task in an arena, in place of `args`; null: not there.
    const wire::MappedFile* arena = nullptr;
    // Place of the arguments in the arena, and their length in file or arena.
    std::uint64_t arena_offset = 0;
    std::uint64_t shared_bytes = 0;
    // The length of each item of a chunk; `items` is 0 for a single task.
    const std::uint64_t* item_bytes = nullptr;
    std::uint32_t items = 0;
  };
  // Makes the tasks of a frame. False: the frame's lists do not fit together.
  bool CutTasks(std::string_view blob);
  // Takes the descriptors that came with the frame. False: some are missing.
  bool TakeFiles();
  // Unmaps the arenas that the daemon forgets.
  void ForgetArenas();
  // Finds the file or arena of a task's arguments. False: the frame contradicts itself.
  bool CutShared(int place, std::uint64_t bytes, Task* task);
  // Runs all tasks of a RUN frame. An error: the frame makes no sense.
  absl::Status RunFrame(const wire::Frame& frame);
  // Shows the function those of the task's options that are carried to it.
  void ShowOptions(const Task& task);
  // Claims and runs a task's items until none is left.
  void RunTask(const Task& task);
  // Runs one item and writes its outcome.
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

  // Used again from frame to frame.
  internal::Run run_;
  std::vector<Task> tasks_;
  // Options that are carried to the task that runs.
  std::vector<CarriedOption> carried_;
  std::vector<wire::UniqueFd> files_;
  // Descriptors and places of the frame that tasks have taken so far.
  int files_used_ = 0;
  int places_used_ = 0;
  // Arenas with arguments, by number.
  std::map<std::uint64_t, wire::MappedFile> arenas_;
  ResultSlot slot_;
  Reply reply_;

  // The time of each function, a moving average in ns; below 0: not known.
  std::vector<double> average_ns_;
  // The end of the last item, and whether much has happened since.
  TscClock clock_;
  std::int64_t now_ = 0;
  bool now_is_old_ = false;
};

}  // namespace poold::worker
