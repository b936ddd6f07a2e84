// A RUN frame in the making: packed lists in front, the arguments of all its tasks behind.
//
// Not thread-safe. Reused for frame after frame. Large arguments are referred to, not copied; those in files go as
// descriptors to whoever takes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/ports.h"
#include "poold/internal/worker.pb.h"
#include "process/outgoing.h"

namespace poold::process {

class RunFrame {
 public:
  // `takes_descriptors`: whoever reads the frame.
  void Add(std::uint32_t ticket, core::Assignment work, bool takes_descriptors);
  bool empty() const { return run_.ticket_size() == 0; }
  // Long enough: what comes next is better in a frame of its own.
  bool full() const;
  // Appends the frame and is empty again.
  void MoveTo(Outgoing* out);

 private:
  bool AddFile(const core::Bytes& args);

  internal::Run run_;
  std::vector<core::Bytes> blobs_;
  std::vector<wire::UniqueFd> files_;
  std::uint64_t blob_bytes_ = 0;
  bool has_encodings_ = false;
  bool has_attempts_ = false;
  bool has_chunks_ = false;
  bool has_types_ = false;
};

}  // namespace poold::process
