#include "own_process.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "wire/absl_text.h"
#include "wire/unique_fd.h"

namespace poold::worker {
namespace {

// In a PID namespace of its own a child may have our number. So the number lies where the kernel clears it in children.
// What shares our memory (vfork) finds it there, and has another number.
struct Mark {
  pid_t* owner = nullptr;
  bool cleared_in_children = false;
};
Mark mark;

Mark MakeMark() {
  static pid_t unmarked = 0;
  const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return {&unmarked, false};
  return {static_cast<pid_t*>(memory), madvise(memory, bytes, MADV_WIPEONFORK) == 0};
}

// Not what a library may have in place of it, or have kept.
pid_t OwnNumber() { return static_cast<pid_t>(syscall(SYS_getpid)); }

bool SharesParentsMemory() { return mark.cleared_in_children && *mark.owner != 0; }

// It stands still in vfork until we leave, and takes the signal before it runs on.
void EndParent() {
  constexpr std::string_view kWhy =
      "poold worker: a child of vfork came back from the task's function, on the stack of its parent: it may only "
      "execute "
      "a program or call _exit\n";
  if (write(STDERR_FILENO, kWhy.data(), kWhy.size()) < 0) {
    // Nobody reads it.
  }
  kill(*mark.owner, SIGABRT);
}

constexpr int kLooks = 200;
constexpr useconds_t kBetweenLooksUs = 1000;
// Of a stack, from its beginning: there lies what the thread was started with.
constexpr std::uintptr_t kSeenBytes = 256 * 1024;

struct AddressRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool has(std::uintptr_t address) const { return address >= begin && address < end; }
};

std::vector<pid_t> OtherNumbers() {
  std::vector<pid_t> numbers;
  DIR* const folder = opendir("/proc/self/task");
  if (folder == nullptr) return numbers;
  while (const dirent* entry = readdir(folder)) {
    // Ours may be another one here than in our PID namespace: the first thread has that of the process.
    if (entry->d_name[0] != '.') numbers.push_back(std::atoi(entry->d_name));
  }
  closedir(folder);
  char self[32] = {};
  const pid_t own = readlink("/proc/self", self, sizeof self - 1) > 0 ? std::atoi(self) : getpid();
  std::erase(numbers, own);
  return numbers;
}

// Empty: it has none.
std::string FileOf(pid_t thread, const char* what) {
  std::ifstream file(absl::StrCat("/proc/self/task/", thread, "/", what));
  std::string line;
  std::getline(file, line);
  return line;
}

// 0: it runs, or has ended.
std::uintptr_t StackPointerOf(pid_t thread) {
  // "number 6 arguments stack-pointer program-counter", of a thread that sleeps in a system call or was interrupted.
  const std::string line = FileOf(thread, "syscall");
  const std::size_t last = line.rfind(' ');
  if (last == std::string::npos || last == 0) return 0;
  const std::size_t before = line.rfind(' ', last - 1);
  return before == std::string::npos ? 0 : std::strtoull(line.c_str() + before, nullptr, 16);
}

struct Memory {
  std::vector<AddressRange> code;
  AddressRange stack;
};

Memory ReadMaps(std::uintptr_t stack_pointer) {
  Memory memory;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0;
    char rights[5] = "";
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, rights) != 3) continue;
    const AddressRange range{begin, end};
    if (rights[2] == 'x') memory.code.push_back(range);
    if (range.has(stack_pointer)) memory.stack = range;
  }
  return memory;
}

// Starts threads for others.
bool IsCarrier(std::string_view library) {
  for (const std::string_view name : {"libc.so", "libc-", "ld-linux", "libpthread", "libstdc++.so", "libc++.so"}) {
    if (library.starts_with(name)) return true;
  }
  return false;
}

// Empty: of the C library and its like, or of no file.
std::string MakerOf(std::uintptr_t code) {
  dl_find_object found;
  if (_dl_find_object(reinterpret_cast<void*>(code), &found) != 0) return "";
  const char* const path = found.dlfo_link_map->l_name;
  if (path == nullptr || path[0] == '\0') return "the program";
  const std::string_view whole = path;
  const std::string_view name = whole.substr(whole.rfind('/') + 1);
  return IsCarrier(name) || name.starts_with("linux-vdso") ? "" : std::string(name);
}

std::string LibraryOf(pid_t thread) {
  const std::uintptr_t top = StackPointerOf(thread);
  const Memory memory = ReadMaps(top);
  if (memory.stack.end == 0) return "";
  const std::uintptr_t from = std::max(top & ~std::uintptr_t{7}, memory.stack.end - kSeenBytes);
  std::vector<std::uintptr_t> words((memory.stack.end - from) / sizeof(std::uintptr_t));
  // Not read in place: the thread may end meanwhile, and its stack with it.
  const wire::UniqueFd self(open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  const ssize_t got = pread(self.get(), words.data(), words.size() * sizeof words[0], static_cast<off_t>(from));
  words.resize(got > 0 ? static_cast<std::size_t>(got) / sizeof words[0] : 0);
  for (auto word = words.rbegin(); word != words.rend(); ++word) {
    const auto has_it = [&](AddressRange code) { return code.has(*word); };
    if (std::none_of(memory.code.begin(), memory.code.end(), has_it)) continue;
    if (std::string maker = MakerOf(*word); !maker.empty()) return maker;
  }
  return "";
}

}  // namespace

void OwnThisProcess() {
  if (mark.owner == nullptr) mark = MakeMark();
  *mark.owner = OwnNumber();
}

bool IsOwnProcess() { return mark.owner != nullptr && *mark.owner == OwnNumber(); }

void LeaveIfChild(int code) {
  if (IsOwnProcess()) return;
  if (SharesParentsMemory()) EndParent();
  _exit(code);
}

bool IsAlone() {
  // It has a link for each thread, and two of its own.
  struct stat folder;
  return stat("/proc/self/task", &folder) != 0 || folder.st_nlink <= 3;
}

bool BecomesAlone() {
  for (int look = 0; look < kLooks; ++look) {
    if (IsAlone()) return true;
    usleep(kBetweenLooksUs);
  }
  return IsAlone();
}

std::vector<OtherThread> OtherThreads() {
  std::vector<OtherThread> threads;
  for (const pid_t number : OtherNumbers()) threads.push_back({FileOf(number, "comm"), LibraryOf(number)});
  return threads;
}

std::string Describe(const std::vector<OtherThread>& threads) {
  std::map<std::pair<std::string, std::string>, int> alike;
  for (const OtherThread& thread : threads) ++alike[{thread.library, thread.name}];
  std::string text;
  for (const auto& [of, count] : alike) {
    const auto& [library, name] = of;
    absl::StrAppend(&text, text.empty() ? "" : ", ", count == 1 ? "" : absl::StrCat(count, " times "), "'", name, "'",
                    library.empty() ? "" : " of ", library);
  }
  return text;
}

}  // namespace poold::worker
