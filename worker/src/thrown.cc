#include "thrown.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <unwind.h>

#include <array>
#include <cstdlib>
#include <cstring>

// Compilers do not agree on the type that they know of __cxa_throw: here it has a name of its own.
extern "C" [[gnu::visibility("default"), noreturn]] void PooldThrow(void* exception, void* type,
                                                                    void (*destructor)(void*)) __asm__("__cxa_throw");

namespace poold::worker {
namespace {

constexpr int kMaxFrames = 64;
constexpr int kKeptThrows = 4;
constexpr std::size_t kMaxCaptureFrames = 4;

struct Throw {
  const void* exception = nullptr;
  int depth = 0;
  std::array<void*, kMaxFrames> frames;
};

// An exception may be thrown and caught while another one unwinds: a few are kept.
struct RecentThrows {
  std::array<Throw, kKeptThrows> throws;
  unsigned next = 0;
};
thread_local RecentThrows recent;

void RememberThrow(const void* exception) {
  Throw& slot = recent.throws[recent.next++ % kKeptThrows];
  slot.exception = exception;
  slot.depth = backtrace(slot.frames.data(), kMaxFrames);
}

// The first frames are those of the capture itself.
std::span<void* const> BehindCapture(std::span<void* const> frames) {
  for (std::size_t i = 0; i < frames.size() && i < kMaxCaptureFrames; ++i) {
    if (_Unwind_FindEnclosingFunction(frames[i]) == reinterpret_cast<void*>(&PooldThrow)) return frames.subspan(i + 1);
  }
  return frames;
}

}  // namespace

void PrepareToSeeThrows() {
  void* frame;
  backtrace(&frame, 1);
}

std::span<void* const> FramesOfThrow(const std::exception_ptr& thrown) {
  // An exception_ptr is the address of the thrown object.
  const void* exception;
  static_assert(sizeof exception == sizeof thrown);
  std::memcpy(&exception, static_cast<const void*>(&thrown), sizeof exception);
  if (exception == nullptr) return {};
  for (unsigned back = 1; back <= kKeptThrows; ++back) {
    const Throw& slot = recent.throws[(recent.next - back) % kKeptThrows];
    if (slot.exception == exception) return BehindCapture({slot.frames.data(), static_cast<std::size_t>(slot.depth)});
  }
  return {};
}

}  // namespace poold::worker

// Stands before the C++ library's, which it calls.
void PooldThrow(void* exception, void* type, void (*destructor)(void*)) {
  using Original = void (*)(void*, void*, void (*)(void*));
  static const auto original = reinterpret_cast<Original>(dlsym(RTLD_NEXT, "__cxa_throw"));
  poold::worker::RememberThrow(exception);
  original(exception, type, destructor);
  std::abort();
}
