#include "failure.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elfutils/libdwfl.h>
#include <execinfo.h>
#include <unwind.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <set>
#include <typeinfo>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "symbolizer.h"
#include "wire/absl_text.h"
#include "wire/readable.h"

// Compilers do not agree on the type that they know of __cxa_throw: here it has a name of its own.
extern "C" [[gnu::visibility("default"), noreturn]] void PooldThrow(void* exception, void* type,
                                                                    void (*destructor)(void*)) __asm__("__cxa_throw");

namespace poold::worker {
namespace {

constexpr std::size_t kMaxFailureTextBytes = 64 << 10;
constexpr std::size_t kMaxTypeBytes = 4 << 10;

// A null one too, which some exceptions have in place of words.
std::string Bounded(const char* text) { return text == nullptr ? "" : wire::ReadableStart(text, kMaxFailureTextBytes); }

// Whatever it does where it is asked.
std::string WordsOf(const std::exception& error) {
  try {
    const char* const words = error.what();
    return words == nullptr ? "its what() is null" : Bounded(words);
  } catch (...) {
    return "its what() throws";
  }
}

// More than a program throws from; what is generated at run time has no end.
constexpr std::size_t kMaxKnownFrames = 4096;

// A frame, by the address of its call.
struct Frame {
  std::string name;
  // As it stands in a backtrace.
  std::string line;
};

const char* BaseName(const char* path) {
  const char* const slash = std::strrchr(path, '/');
  return slash == nullptr ? path : slash + 1;
}

// Also knows functions that are not exported, and lines where files have them. Of the files only those are opened in
// which an address lies: most of a stack is of nobody's interest.
class Symbols {
 public:
  Symbols() {
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = nullptr,
        .debuginfo_path = nullptr,
    };
    dwfl_ = dwfl_begin(&callbacks);
  }
  ~Symbols() { dwfl_end(dwfl_); }
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;

  Frame FrameAt(std::uintptr_t address) {
    if (dwfl_ != nullptr) Report(address);
    const std::string name = NameOf(address);
    return {name, name + " (" + PlaceOf(address) + ")\n"};
  }

 private:
  // The file that the address lies in.
  void Report(std::uintptr_t address) {
    const std::optional<LoadedFile> file = LoadedFile::At(address);
    if (!file || !reported_.insert(file->begin).second) return;
    wire::UniqueFd fd = file->OpenToRead();
    dwfl_report_begin_add(dwfl_);
    if (fd && dwfl_report_elf(dwfl_, BaseName(file->path.c_str()), file->path.c_str(), fd.get(), file->bias, true)) {
      (void)fd.Release();  // its own now
    }
    dwfl_report_end(dwfl_, nullptr, nullptr);
  }

  std::string NameOf(std::uintptr_t address) const {
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
  std::string PlaceOf(std::uintptr_t address) const {
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

  Dwfl_Module* ModuleOf(std::uintptr_t address) const {
    return dwfl_ == nullptr ? nullptr : dwfl_addrmodule(dwfl_, address);
  }

  Dwfl* dwfl_ = nullptr;
  std::set<std::uintptr_t> reported_;
};

// What was found once stays: a task that fails for each of its items fails at the same few places.
std::unordered_map<std::uintptr_t, Frame>& Known() {
  static std::unordered_map<std::uintptr_t, Frame> known;
  return known;
}

// `symbols` are made when there is something to look up.
const Frame& FrameAt(std::uintptr_t address, std::optional<Symbols>* symbols) {
  if (const auto found = Known().find(address); found != Known().end()) return found->second;
  if (Known().size() >= kMaxKnownFrames) Known().clear();
  if (!*symbols) symbols->emplace();
  return Known()[address] = (*symbols)->FrameAt(address);
}

bool IsOurs(const std::string& name) {
  return name.find("poold::worker::BoundFunction<") != std::string::npos ||
         name.find("poold::worker::Signature<") != std::string::npos;
}

constexpr int kMaxThrowFrames = 64;
constexpr int kKeptThrows = 4;
constexpr std::size_t kMaxCaptureFrames = 4;

struct Throw {
  const void* exception = nullptr;
  int depth = 0;
  std::array<void*, kMaxThrowFrames> frames;
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
  slot.depth = backtrace(slot.frames.data(), kMaxThrowFrames);
}

// The first frames are those of the capture itself.
std::span<void* const> BehindCapture(std::span<void* const> frames) {
  for (std::size_t i = 0; i < frames.size() && i < kMaxCaptureFrames; ++i) {
    if (_Unwind_FindEnclosingFunction(frames[i]) == reinterpret_cast<void*>(&PooldThrow)) return frames.subspan(i + 1);
  }
  return frames;
}

}  // namespace

TaskFailure FailureOfException() {
  TaskFailure failure;
  const std::exception_ptr thrown = std::current_exception();
  if (const std::type_info* const type = abi::__cxa_current_exception_type()) failure.type = Demangle(type->name());
  failure.backtrace = BacktraceOf(thrown);
  try {
    throw;
  } catch (const absl::BadStatusOrAccess& error) {
    failure.message = error.status().ToString();
    failure.status_code = error.status().raw_code();
  } catch (const absl::Status& status) {
    failure.type = "absl::Status";
    failure.message = std::string(wire::ToStd(status.message()));
    failure.status_code = status.raw_code();
  } catch (const std::exception& error) {
    failure.message = WordsOf(error);
  } catch (const std::string& text) {
    failure.type = "std::string";
    failure.message = wire::ReadableStart(text, kMaxFailureTextBytes);
  } catch (const char* text) {
    failure.message = Bounded(text);
  } catch (...) {
    failure.message = "a value of this type was thrown";
  }
  return failure;
}

internal::Failure ToProto(const TaskFailure& failure) {
  // A message may hold anything, and of any length.
  internal::Failure proto;
  proto.set_type(wire::ReadableStart(failure.type, kMaxTypeBytes));
  proto.set_message(wire::ReadableStart(failure.message, kMaxFailureTextBytes));
  proto.set_backtrace(wire::ReadableStart(failure.backtrace, kMaxFailureTextBytes));
  proto.set_status_code(failure.status_code);
  return proto;
}

std::string Demangle(const char* symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(symbol, nullptr, nullptr, &status), std::free);
  return status == 0 ? text.get() : symbol;
}

std::string BacktraceOf(const std::exception_ptr& thrown) {
  std::optional<Symbols> symbols;
  std::string text;
  for (void* const frame : FramesOfThrow(thrown)) {
    // Of the call, not of what comes behind it.
    const Frame& known = FrameAt(reinterpret_cast<std::uintptr_t>(frame) - 1, &symbols);
    if (IsOurs(known.name)) break;
    text += known.line;
  }
  return text;
}

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
