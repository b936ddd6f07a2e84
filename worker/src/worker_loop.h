// A worker at work: takes RUN frames, claims their tasks, calls functions, writes records.
//
// Role: the order of things, frame by frame and item by item. Non-role: starts nothing (Startup does), and knows
// neither the format of frames (Channel) nor of records (OutcomeWriter). Threads: the main thread of the process; tasks
// may have others, which call OutcomeWriter::Report only. Ownership: does not own startup, channel and page, which must
// outlive it; owns all else that a worker has. Trust: the daemon is trusted, but a frame that makes no sense is an
// error and ends the worker.
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
  // `page`: mapped memory of wire::kWorkerPageBytes. The descriptors are the read ends of the worker's own output.
  WorkerLoop(Startup* startup, Channel* channel, void* page, wire::UniqueFd stdout_read, wire::UniqueFd stderr_read);

  // Returns after STOP or at the end of the channel (OK). INVALID_ARGUMENT: the daemon sent what makes no sense.
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
    // The file in which the arguments of a single task lie, in place of `args`; null for none.
    const wire::UniqueFd* file = nullptr;
    // The arena in which they lie, in place of `args`; null for none.
    const wire::MappedFile* arena = nullptr;
    std::uint64_t arena_offset = 0;
    std::uint64_t shared_bytes = 0;
    // The sizes of the items of a chunk, whose bytes lie packed in `args`; null for a single task.
    const std::uint64_t* item_bytes = nullptr;
    std::uint32_t items = 0;
  };
  // Fills tasks_ from run_ and the frame's blob. False: its lists do not fit together.
  bool CutTasks(std::string_view blob);
  // Takes the descriptors that came with the frame. False: there are fewer than it says.
  bool TakeFiles();
  void ForgetArenas();
  // Finds the shared memory with the arguments of the task at `place`. False: the frame says what cannot be.
  bool CutShared(int place, std::uint64_t bytes, Task* task);
  // Runs what the frame brings, task by task, unless the daemon takes it back before.
  absl::Status RunFrame(const wire::Frame& frame);
  // Claims items one after the other and runs them, until all are run or the rest was taken back.
  void RunTask(const Task& task);
  // Runs one item and writes its outcome. REQUIRES: outcomes_ is held, but is not held while the function runs.
  void RunItem(const Task& task, std::uint32_t item, std::string_view args, bool is_last);
  // Fills reply_, from the function or from what was in its way.
  void Invoke(const Task& task, std::string_view args);
  void InvokeInArena(const Function& function, const Task& task);
  void Call(const Function& function, const Task& task, std::string_view args);
  // Moves a large result to a slot of an arena.
  void PlaceResult();
  // Writes the outcome that reply_ holds. REQUIRES: outcomes_ is held.
  void Answer(std::int64_t elapsed);
  // Frees the memory of a large reply.
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
  // The arenas that arguments lie in, by number.
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
