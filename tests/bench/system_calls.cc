#include "system_calls.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <initializer_list>
#include <string>

#include "absl/strings/str_cat.h"
#include "process_cost.h"

namespace poold::bench {
namespace {

// Of the tracepoint where every system call begins; 0: it is not to be seen.
std::uint64_t Tracepoint() {
  for (const char* folder : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    std::ifstream file(absl::StrCat(folder, "/events/raw_syscalls/sys_enter/id"));
    if (std::uint64_t id = 0; file >> id) return id;
  }
  return 0;
}

// A condition on the number of the call.
std::string AnyOf(std::initializer_list<long> calls) {
  std::string condition;
  for (const long call : calls) absl::StrAppend(&condition, condition.empty() ? "" : " || ", "id == ", call);
  return condition;
}

// Counts for one thread, and for those that it starts. Nothing: the thread is gone, or we may not.
wire::UniqueFd Open(std::uint64_t tracepoint, pid_t thread, const std::string& condition) {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.config = tracepoint;
  attributes.inherit = 1;
  wire::UniqueFd fd(static_cast<int>(syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC)));
  if (fd && !condition.empty() && ioctl(fd.get(), PERF_EVENT_IOC_SET_FILTER, condition.c_str()) != 0) fd.Reset();
  return fd;
}

double SumOf(const std::vector<wire::UniqueFd>& counters) {
  double sum = 0;
  for (const wire::UniqueFd& counter : counters) {
    std::uint64_t count = 0;
    if (counter && read(counter.get(), &count, sizeof count) == sizeof count) sum += static_cast<double>(count);
  }
  return sum;
}

}  // namespace

bool CallCounter::Possible() {
  const std::uint64_t tracepoint = Tracepoint();
  return tracepoint != 0 && static_cast<bool>(Open(tracepoint, getpid(), AnyOf({SYS_read})));
}

CallCounter::CallCounter(const std::vector<pid_t>& processes) {
  const std::uint64_t tracepoint = Tracepoint();
  const std::string reads = AnyOf({SYS_read, SYS_readv, SYS_pread64, SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg});
  const std::string writes = AnyOf({SYS_write, SYS_writev, SYS_pwrite64, SYS_sendto, SYS_sendmsg, SYS_sendmmsg});
  for (const pid_t process : processes) {
    for (const pid_t thread : Threads(process)) {
      all_.push_back(Open(tracepoint, thread, ""));
      reads_.push_back(Open(tracepoint, thread, reads));
      writes_.push_back(Open(tracepoint, thread, writes));
    }
  }
}

Calls CallCounter::Sum() const { return {SumOf(all_), SumOf(reads_), SumOf(writes_)}; }

}  // namespace poold::bench
