#include "apply_rlimits.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "wire/worker_page.h"

namespace poold::worker {
namespace {

// Of address space; 0 where nobody tells.
std::uint64_t TakenBytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long pages = 0;
  const int read = std::fscanf(file, "%lu", &pages);
  std::fclose(file);
  return read == 1 ? pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

// Everything that it tried to allocate from there on would fail, and in words that say nothing of it.
absl::Status CheckAddressSpace(const internal::ResourceLimit& limit) {
  const std::uint64_t needed = TakenBytes() + wire::kWorkerPageBytes;
  if (needed <= limit.soft()) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("a worker has ", needed,
                                                   " bytes of address space before it runs anything, and the limit ",
                                                   "(address_space_bytes) is ", limit.soft(), ": raise it above that"));
}

}  // namespace

absl::Status LimitSelf(const internal::Setup& setup) {
  for (const internal::ResourceLimit& limit : setup.limits()) {
    // What this process executes has an address space of its own.
    if (limit.resource() == RLIMIT_AS && setup.exec_path().empty()) {
      if (absl::Status checked = CheckAddressSpace(limit); !checked.ok()) return checked;
    }
    const rlimit wanted{limit.soft(), limit.hard()};
    if (setrlimit(static_cast<__rlimit_resource>(limit.resource()), &wanted) != 0) {
      return absl::PermissionDeniedError(absl::StrCat("a worker cannot be limited to ", limit.soft(), " of resource ",
                                                      limit.resource(), ": ", std::strerror(errno)));
    }
  }
  return absl::OkStatus();
}

}  // namespace poold::worker
