// A RUN frame in the making: packed lists in front, the arguments of all its tasks behind.
//
// Not thread-safe. Reused for frame after frame, all to one worker. Large arguments are referred to, not copied; those
// in files go as descriptors to whoever takes them, those in arenas by their place.
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

// What a worker reads of shared memory.
struct Abilities {
  bool descriptors = false;
  bool arenas = false;
};

class RunFrame {
 public:
  // `abilities`: of whoever reads the frame.
  void Add(std::uint32_t ticket, core::Assignment work, Abilities abilities);
  // Of the arenas that frames spoke of and nobody has forgotten. From any thread.
  std::uint64_t arena_bytes() const { return arena_bytes_.load(std::memory_order_relaxed); }
  bool empty() const { return run_.ticket_size() == 0; }
  // Long enough: what comes next is better in a frame of its own.
  bool full() const;
  // Appends the frame and is empty again.
  void MoveTo(Outgoing* out);

 private:
  void AddTypeName(const std::shared_ptr<const std::string>& type_name, int place);
  void AddBlob(core::Bytes blob);
  bool AddShared(const core::Bytes& args, Abilities abilities);
  bool AddFile(const base::PayloadFile& file);
  bool AddPlace(const base::PayloadFile& file);
  void ForgetGone();

  internal::Run run_;
  std::vector<core::Bytes> blobs_;
  std::string few_;  // behind them
  std::vector<wire::UniqueFd> files_;
  std::vector<wire::UniqueFd> arena_files_;
  // That the worker has mapped.
  struct Known {
    std::weak_ptr<base::Arena> arena;
    std::uint64_t bytes;
  };
  std::map<std::uint64_t, Known> arenas_;
  std::atomic<std::uint64_t> arena_bytes_ = 0;
  std::uint64_t blob_bytes_ = 0;
};

}  // namespace poold::process
