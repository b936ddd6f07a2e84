#include "answers.h"

#include <unistd.h>

namespace poold::worker {
namespace {

constexpr std::int64_t kRingEveryNs = 50'000;

}  // namespace

void Answers::Add(wire::RecordKind kind, std::uint32_t ticket, std::uint32_t item, std::uint32_t encoding,
                  std::int64_t elapsed_ns, std::string_view bytes) {
  wire::RecordHeader header{};
  header.kind = kind;
  header.ticket = ticket;
  header.item = item;
  header.encoding = encoding;
  header.elapsed_ns = elapsed_ns > 0 ? static_cast<std::uint64_t>(elapsed_ns) : 0;
  ring_.Append(header, bytes, [this] {
    if (ring_.TakeBell()) Ring();
  });
}

void Answers::BeforeRun(std::int64_t now, bool is_short) {
  if (!ring_.BellWanted()) return;
  const std::size_t pending = ring_.Pending();
  if (pending == 0) return;
  if (is_short && now - last_ring_ < kRingEveryNs && pending < wire::kRingBytes / 2) return;
  if (!ring_.TakeBell()) return;
  last_ring_ = now;
  Ring();
}

void Answers::BeforeSleep() {
  if (ring_.TakeBell()) Ring();
}

void Answers::Ring() {
  // Without its daemon a worker has nothing to live for.
  if (!channel_->Ring().ok()) _exit(1);
}

}  // namespace poold::worker
