#include "backtrace.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elfutils/libdwfl.h>
#include <execinfo.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <typeinfo>

namespace poold::worker {
namespace {

constexpr int kMaxFrames = 64;
constexpr int kKeptThrows = 4;

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

const Throw* FindThrow(const void* exception) {
  for (unsigned back = 1; back <= kKeptThrows; ++back) {
    const Throw& slot = recent.throws[(recent.next - back) % kKeptThrows];
    if (slot.exception == exception && exception != nullptr) return &slot;
  }
  return nullptr;
}

// Ours as /proc counts, which may be that of another PID namespace than getpid's.
pid_t OwnNumberInProc() {
  char number[32] = {};
  return readlink("/proc/self", number, sizeof number - 1) > 0 ? std::atoi(number) : getpid();
}

// Also knows functions that are not exported, and lines, where the files have them.
class Symbols {
 public:
  Symbols() {
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_linux_proc_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = nullptr,
        .debuginfo_path = nullptr,
    };
    dwfl_ = dwfl_begin(&callbacks);
    if (dwfl_ == nullptr) return;
    dwfl_report_begin(dwfl_);
    dwfl_linux_proc_report(dwfl_, OwnNumberInProc());
    dwfl_report_end(dwfl_, nullptr, nullptr);
  }
  ~Symbols() { dwfl_end(dwfl_); }
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;

  std::string NameOf(std::uintptr_t address) {
    if (Dwfl_Module* const module = ModuleOf(address)) {
      if (const char* const name = dwfl_module_addrname(module, address)) return Demangle(name);
    }
    Dl_info found;
    if (dladdr(reinterpret_cast<void*>(address), &found) != 0 && found.dli_sname != nullptr) {
      return Demangle(found.dli_sname);
    }
    return "??";
  }

  // "square.cc:12", else "examples.so+0x1234".
  std::string PlaceOf(std::uintptr_t address) {
    if (Dwfl_Module* const module = ModuleOf(address)) {
      int line = 0;
      Dwfl_Line* const source = dwfl_module_getsrc(module, address);
      const char* const file =
          source == nullptr ? nullptr : dwfl_lineinfo(source, nullptr, &line, nullptr, nullptr, nullptr);
      if (file != nullptr) return std::string(BaseName(file)) + ":" + std::to_string(line);
    }
    Dl_info found;
    if (dladdr(reinterpret_cast<void*>(address), &found) == 0) return "";
    char offset[32];
    std::snprintf(offset, sizeof offset, "+0x%zx", address - reinterpret_cast<std::uintptr_t>(found.dli_fbase));
    return std::string(BaseName(found.dli_fname)) + offset;
  }

 private:
  Dwfl_Module* ModuleOf(std::uintptr_t address) { return dwfl_ == nullptr ? nullptr : dwfl_addrmodule(dwfl_, address); }
  static const char* BaseName(const char* path) {
    const char* const slash = std::strrchr(path, '/');
    return slash == nullptr ? path : slash + 1;
  }
  Dwfl* dwfl_ = nullptr;
};

bool IsOurs(const std::string& name) {
  return name.find("poold::worker::BoundFunction<") != std::string::npos ||
         name.find("poold::worker::Signature<") != std::string::npos;
}

}  // namespace

void PrepareBacktraces() {
  void* frame;
  backtrace(&frame, 1);
}

std::string Demangle(const char* symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(symbol, nullptr, nullptr, &status), std::free);
  return status == 0 ? text.get() : symbol;
}

std::string BacktraceOf(const std::exception_ptr& thrown) {
  // An exception_ptr is the address of the thrown object.
  const void* exception;
  static_assert(sizeof exception == sizeof thrown);
  std::memcpy(&exception, static_cast<const void*>(&thrown), sizeof exception);
  const Throw* const found = FindThrow(exception);
  if (found == nullptr) return "";

  Symbols symbols;
  std::string text;
  for (int i = 0; i < found->depth; ++i) {
    // Of the call, not of what comes behind it.
    const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(found->frames[i]) - 1;
    const std::string name = symbols.NameOf(address);
    if (IsOurs(name)) break;
    // What came so far was the capture itself.
    if (name == "__cxa_throw") text.clear();
    if (name == "__cxa_throw") continue;
    text += name + " (" + symbols.PlaceOf(address) + ")\n";
  }
  return text;
}

}  // namespace poold::worker

// Stands before the C++ library's, which it calls. It has a name of its own here: compilers do not agree on the type that
// they know of that function.
extern "C" [[gnu::visibility("default"), noreturn]] void PooldThrow(void* exception, void* type,
                                                                    void (*destructor)(void*)) __asm__("__cxa_throw");

void PooldThrow(void* exception, void* type, void (*destructor)(void*)) {
  using Original = void (*)(void*, void*, void (*)(void*));
  static const auto original = reinterpret_cast<Original>(dlsym(RTLD_NEXT, "__cxa_throw"));
  poold::worker::RememberThrow(exception);
  original(exception, type, destructor);
  std::abort();
}
