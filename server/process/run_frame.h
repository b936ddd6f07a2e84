// RunFrame: a RUN frame in the making: packed lists in front, the arguments of all its tasks behind.
//
// Role: encodes assignments, frame after frame for one worker, and remembers which arenas that worker has. Non-role:
// writes to no
//   socket.
// Threads: one at a time (the flusher of a WorkerChannel); arena_bytes is thread-safe.
// Ownership: large arguments are referred to, not copied. Arguments in files go as descriptors to a worker that takes
// descriptors,
//   arguments in arenas by their place.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/payload_file.h"
#include "core/ports.h"
#include "poold/internal/worker.pb.h"
#include "process/outgoing.h"

namespace poold::process {

// The kinds of shared memory that a worker can read, as its READY says.
struct Abilities {
  // Whether arguments may lie in files of their own.
  bool descriptors = false;
  // Whether arguments may be named by their place in an arena.
  bool arenas = false;
};

class RunFrame {
 public:
  // Adds one task or chunk with its ticket. `abilities`: of the worker.
  void Add(std::uint32_t ticket, core::Assignment work, Abilities abilities);
  // The bytes of arenas that the worker has mapped: those that frames named and that still exist. Thread-safe.
  std::uint64_t arena_bytes() const { return arena_bytes_.load(std::memory_order_relaxed); }
  bool empty() const { return run_.ticket_size() == 0; }
  // Whether the frame is so long that the next task belongs into another one.
  bool full() const;
  // Appends the frame with its descriptors to `out`, and is empty again. REQUIRES: !empty().
  void MoveTo(Outgoing* out);

 private:
  // Names the type of the arguments at `place`; places before it that have no name get an empty one.
  void AddTypeName(const std::shared_ptr<const std::string>& type_name, int place);
  // Tells the worker what of the options of the task at `place` goes to its function.
  void AddContext(std::shared_ptr<const core::TaskOptions> carried, int place);
  void AddBlob(core::Bytes blob);
  // Adds arguments that lie in shared memory. False: the worker cannot read that memory, and nothing was added.
  bool AddShared(const core::Bytes& args, Abilities abilities);
  bool AddFile(const base::PayloadFile& file);
  bool AddPlace(const base::PayloadFile& file);
  void ForgetGone();

  internal::Run run_;
  std::vector<core::Bytes> blobs_;
  // The options of the last entry of run_.context: a task with the same ones gets no entry of its own.
  std::shared_ptr<const core::TaskOptions> context_;
  // Small arguments that came after the last of `blobs_`.
  std::string few_;
  std::vector<wire::UniqueFd> files_;
  std::vector<wire::UniqueFd> arena_files_;
  // An arena that the worker has mapped, and its size in bytes.
  struct Known {
    std::weak_ptr<base::Arena> arena;
    std::uint64_t bytes;
  };
  // By the arena's number.
  std::map<std::uint64_t, Known> arenas_;
  std::atomic<std::uint64_t> arena_bytes_ = 0;
  // Bytes of arguments that the frame carries, `few_` among them.
  std::uint64_t blob_bytes_ = 0;
};

}  // namespace poold::process
