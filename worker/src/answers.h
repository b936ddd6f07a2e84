// What a worker has to say: records in its page's ring, and the bells that make the daemon look.
//
// Bell policy: when the daemon wants a bell, it gets one if there is nothing more to do, if the last one is more than
// 50 us ago, if the ring is half full, or if what runs next may take long.
// Not thread-safe. Owns neither page nor channel.
#pragma once

#include <cstdint>
#include <string_view>

#include "channel.h"
#include "wire/outcome_ring.h"

namespace poold::worker {

class Answers {
 public:
  Answers(void* page, Channel* channel) : ring_(page), channel_(channel) {}

  void Add(wire::RecordKind kind, std::uint32_t ticket, std::uint32_t item, std::uint32_t encoding,
           std::int64_t elapsed_ns, std::string_view bytes);

  // Before something runs.
  void BeforeRun(std::int64_t now, bool is_short);
  // Before sleeping.
  void BeforeSleep();

 private:
  void Ring();

  wire::RingWriter ring_;
  Channel* const channel_;
  std::int64_t last_ring_ = 0;
};

}  // namespace poold::worker
