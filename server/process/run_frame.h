// A RUN frame in the making: packed lists in front, the arguments of all its tasks behind.
//
// Role: encodes assignments. Reused for frame after frame, all to one worker, since it remembers which arenas that
// worker has. Non-role: writes nothing.
// Threads: one at a time (the flusher of a WorkerChannel); arena_bytes is thread-safe.
// Ownership: large arguments are referred to, not copied. Those in files go as descriptors to a worker that takes
// descriptors, those in arenas by their place.
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
  bool descriptors = false;  // arguments in files of their own
  bool arenas = false;       // arguments by their place in an arena
};

class RunFrame {
 public:
  // Adds one task or chunk, which the worker names by `ticket`. `abilities`: of the worker.
  void Add(std::uint32_t ticket, core::Assignment work, Abilities abilities);
  // The size of all arenas that frames spoke of and that still exist: so much the worker has mapped. Thread-safe.
  std::uint64_t arena_bytes() const { return arena_bytes_.load(std::memory_order_relaxed); }
  bool empty() const { return run_.ticket_size() == 0; }
  // Long enough: what comes next is better in a frame of its own.
  bool full() const;
  // Appends the frame, with its descriptors, and is empty again. REQUIRES: !empty().
  void MoveTo(Outgoing* out);

 private:
  // Names the type of the arguments at `place`; places before it that have no name get an empty one.
  void AddTypeName(const std::shared_ptr<const std::string>& type_name, int place);
  void AddBlob(core::Bytes blob);
  // False: the arguments do not lie in shared memory that the worker can read, so add them as bytes.
  bool AddShared(const core::Bytes& args, Abilities abilities);
  bool AddFile(const base::PayloadFile& file);
  bool AddPlace(const base::PayloadFile& file);
  void ForgetGone();

  internal::Run run_;
  std::vector<core::Bytes> blobs_;
  std::string few_;  // small arguments, which come behind the blobs
  std::vector<wire::UniqueFd> files_;
  std::vector<wire::UniqueFd> arena_files_;
  // An arena that the worker has mapped.
  struct Known {
    std::weak_ptr<base::Arena> arena;
    std::uint64_t bytes;
  };
  std::map<std::uint64_t, Known> arenas_;  // by number
  std::atomic<std::uint64_t> arena_bytes_ = 0;
  std::uint64_t blob_bytes_ = 0;
};

}  // namespace poold::process
