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

}  // namespace

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

}  // namespace poold::worker
