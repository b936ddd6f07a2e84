#include "crash_handler.h"

#include <execinfo.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "own_process.h"
#include "symbolizer.h"
#include "wire/worker_page.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define POOLD_HAS_OWN_CRASH_REPORT 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define POOLD_HAS_OWN_CRASH_REPORT 1
#endif

namespace poold::worker {
namespace {

#ifdef POOLD_HAS_OWN_CRASH_REPORT
constexpr bool kHandlesCrashes = false;
#else
constexpr bool kHandlesCrashes = true;
#endif

constexpr int kFaults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr int kMaxFrames = 64;
constexpr unsigned kPatienceSeconds = 2;

alignas(64) char handler_stack[64 * 1024];
void* page = nullptr;
// The thread that crashed first, and of what.
std::atomic<pid_t> crashing{0};
std::atomic<int> crashed_of{0};

[[noreturn]] void DieOf(int signal) {
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  ::signal(signal, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  raise(signal);
  _exit(128 + signal);
}

// For a handler that waits for something after all.
void LoseNoTime() {
  struct sigaction action {};
  action.sa_handler = [](int) { DieOf(crashed_of); };
  sigaction(SIGALRM, &action, nullptr);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  alarm(kPatienceSeconds);
}

std::uintptr_t ProgramCounter(const ucontext_t& context) {
#if defined(__x86_64__)
  return static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return static_cast<std::uintptr_t>(context.uc_mcontext.pc);
#else
  return 0;
#endif
}

// Where a call to nowhere came from, which no unwinder finds.
std::uintptr_t Caller(const ucontext_t& context) {
#if defined(__x86_64__)
  return *reinterpret_cast<const std::uintptr_t*>(context.uc_mcontext.gregs[REG_RSP]);
#elif defined(__aarch64__)
  return static_cast<std::uintptr_t>(context.uc_mcontext.regs[30]);
#else
  return 0;
#endif
}

// One line, made without stdio.
class Line {
 public:
  Line& operator<<(const char* text) {
    while (*text != '\0' && bytes_ < sizeof text_) text_[bytes_++] = *text++;
    return *this;
  }
  Line& operator<<(std::uintptr_t number) {
    char digits[2 * sizeof number + 1];
    std::size_t at = sizeof digits - 1;
    digits[at] = '\0';
    do {
      digits[--at] = "0123456789abcdef"[number & 15];
    } while ((number >>= 4) != 0);
    return *this << "0x" << digits + at;
  }
  void Write() const { wire::AppendCrashText(page, text_, bytes_); }

 private:
  char text_[512];
  std::size_t bytes_ = 0;
};

// False: our own code, which called the task. `address` is inside of the instruction.
bool WriteFrame(std::uintptr_t address) {
  CodePlace place;
  if (!FindCode(address, &place)) {
    (Line() << "?? (" << address << ")\n").Write();
    return true;
  }
  if (std::strncmp(place.function, "poold::worker::", std::strlen("poold::worker::")) == 0) return false;
  (Line() << place.function << " (" << place.file << "+" << place.offset << ")\n").Write();
  return true;
}

void WriteFrames(const ucontext_t& context) {
  void* frames[kMaxFrames];
  const int depth = backtrace(frames, kMaxFrames);
  const std::uintptr_t fault = ProgramCounter(context);
  // Before it comes this handler.
  int next = 0;
  while (next < depth && reinterpret_cast<std::uintptr_t>(frames[next]) != fault) ++next;
  if (!WriteFrame(fault)) return;
  CodePlace place;
  if (!FindCode(fault, &place)) {
    WriteFrame(Caller(context) - 1);
    return;
  }
  for (++next; next < depth; ++next) {
    // Of the call, not of what comes behind it.
    if (!WriteFrame(reinterpret_cast<std::uintptr_t>(frames[next]) - 1)) return;
  }
}

void OnFault(int signal, siginfo_t* info, void* context) {
  // A child that a task forked is not the worker.
  if (page == nullptr || !IsOwnProcess()) DieOf(signal);
  const auto me = static_cast<pid_t>(syscall(SYS_gettid));
  pid_t first = 0;
  if (!crashing.compare_exchange_strong(first, me)) {
    // A fault of this handler itself.
    if (first == me) DieOf(crashed_of);
    while (true) pause();
  }
  crashed_of = signal;
  LoseNoTime();
  const bool has_address = info->si_code > 0 && signal != SIGABRT;
  wire::BeginCrashNote(page, signal, has_address ? reinterpret_cast<std::uintptr_t>(info->si_addr) : 0);
  WriteFrames(*static_cast<const ucontext_t*>(context));
  DieOf(signal);
}

}  // namespace

void WatchForCrashes(void* of_page) { page = of_page; }

void PrepareForCrashes() {
  if (!kHandlesCrashes) return;
  stack_t stack{};
  stack.ss_sp = handler_stack;
  stack.ss_size = sizeof handler_stack;
  sigaltstack(&stack, nullptr);
  for (const int signal : kFaults) {
    struct sigaction action {};
    if (sigaction(signal, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) continue;
    action.sa_sigaction = OnFault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(signal, &action, nullptr);
  }
}

}  // namespace poold::worker
