#include "process_mark.h"

#include <sys/mman.h>

#include <atomic>
#include <cstddef>

namespace poold::client::internal {
namespace {

constexpr std::size_t kPageBytes = 4096;

// 0 in a process without a mark: at first, and in every child.
std::uint64_t& Generation() {
  static std::uint64_t* const page = [] {
    void* const memory = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    // Without it a child would pass for its parent: no reason to have no client.
    if (memory == MAP_FAILED) return new std::uint64_t(0);
    (void)madvise(memory, kPageBytes, MADV_WIPEONFORK);
    return new (memory) std::uint64_t(0);
  }();
  return *page;
}

// Of this process, or of one that it was forked from.
std::atomic<std::uint64_t> last_generation{0};

// Of the process that made a client; 0: none did.
std::atomic<std::uint64_t> with_clients{0};

std::uint64_t Present() { return std::atomic_ref(Generation()).load(std::memory_order_relaxed); }

}  // namespace

ProcessMark ProcessMark::Here() {
  std::uint64_t present = Present();
  if (present == 0) {
    const std::uint64_t fresh = last_generation.fetch_add(1) + 1;
    if (std::atomic_ref(Generation()).compare_exchange_strong(present, fresh)) present = fresh;
  }
  return ProcessMark(present);
}

bool ProcessMark::NoteClient() {
  const std::uint64_t here = Here().generation_;
  std::uint64_t before = 0;
  return with_clients.compare_exchange_strong(before, here) || before == here;
}

bool ProcessMark::here() const { return Present() == generation_; }

}  // namespace poold::client::internal
