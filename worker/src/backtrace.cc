#include "backtrace.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elfutils/libdwfl.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "loaded_file.h"
#include "thrown.h"

namespace poold::worker {
namespace {

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

// Names for a few addresses at a time. Also knows functions that are not exported, and lines where files have them.
class Symbols {
 public:
  explicit Symbols(const std::vector<std::uintptr_t>& addresses) {
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = nullptr,
        .debuginfo_path = nullptr,
    };
    dwfl_ = dwfl_begin(&callbacks);
    if (dwfl_ == nullptr) return;
    dwfl_report_begin(dwfl_);
    for (const std::uintptr_t address : addresses) Report(address);
    dwfl_report_end(dwfl_, nullptr, nullptr);
  }
  ~Symbols() { dwfl_end(dwfl_); }
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;

  Frame FrameAt(std::uintptr_t address) const {
    const std::string name = NameOf(address);
    return {name, name + " (" + PlaceOf(address) + ")\n"};
  }

 private:
  // The file that the address lies in.
  void Report(std::uintptr_t address) {
    const std::optional<LoadedFile> file = LoadedFile::At(address);
    if (!file || !reported_.insert(file->begin).second) return;
    wire::UniqueFd fd = file->OpenToRead();
    if (fd && dwfl_report_elf(dwfl_, BaseName(file->path.c_str()), file->path.c_str(), fd.get(), file->bias, true)) {
      (void)fd.Release();  // its own now
    }
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
class KnownFrames {
 public:
  // All of them at once: to begin is what costs.
  void Learn(const std::vector<std::uintptr_t>& addresses) {
    if (frames_.size() + addresses.size() > kMaxKnownFrames) frames_.clear();
    std::vector<std::uintptr_t> unknown;
    for (const std::uintptr_t address : addresses) {
      if (!frames_.contains(address)) unknown.push_back(address);
    }
    if (unknown.empty()) return;
    const Symbols symbols(unknown);
    for (const std::uintptr_t address : unknown) frames_[address] = symbols.FrameAt(address);
  }
  const Frame& At(std::uintptr_t address) const { return frames_.at(address); }

 private:
  std::unordered_map<std::uintptr_t, Frame> frames_;
};

bool IsOurs(const std::string& name) {
  return name.find("poold::worker::BoundFunction<") != std::string::npos ||
         name.find("poold::worker::Signature<") != std::string::npos;
}

}  // namespace

std::string Demangle(const char* symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(symbol, nullptr, nullptr, &status), std::free);
  return status == 0 ? text.get() : symbol;
}

std::string BacktraceOf(const std::exception_ptr& thrown) {
  static KnownFrames known;
  std::vector<std::uintptr_t> addresses;
  for (void* const frame : FramesOfThrow(thrown)) {
    // Of the call, not of what comes behind it.
    addresses.push_back(reinterpret_cast<std::uintptr_t>(frame) - 1);
  }
  known.Learn(addresses);
  std::string text;
  for (const std::uintptr_t address : addresses) {
    const Frame& frame = known.At(address);
    if (IsOurs(frame.name)) break;
    // What came so far was the capture itself.
    if (frame.name == "__cxa_throw") {
      text.clear();
    } else {
      text += frame.line;
    }
  }
  return text;
}

}  // namespace poold::worker
