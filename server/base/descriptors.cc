#include "base/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace poold::base {
namespace {

// Where there are few, an eighth of them.
constexpr rlim_t kReserved = 64;
constexpr std::size_t kPutBy = 8;

class Store {
 public:
  void Fill() {
    absl::MutexLock lock(&mu_);
    while (put_by_.size() < kPutBy) {
      wire::UniqueFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
      if (!fd || (!put_by_.empty() && IsReserved(fd.get()))) return;
      put_by_.push_back(std::move(fd));
    }
  }
  // False: none was left.
  bool Drop() {
    absl::MutexLock lock(&mu_);
    if (put_by_.empty()) return false;
    put_by_.pop_back();
    low_ = true;
    return true;
  }
  bool TakeLow() {
    absl::MutexLock lock(&mu_);
    return std::exchange(low_, false);
  }

 private:
  absl::Mutex mu_;
  std::vector<wire::UniqueFd> put_by_ ABSL_GUARDED_BY(mu_);
  bool low_ ABSL_GUARDED_BY(mu_) = false;
};

Store& TheStore() {
  static Store* const store = new Store;
  return *store;
}

}  // namespace

// The kernel gives the lowest number that is free, so all below it are in use.
bool IsReserved(int fd) {
  rlimit limit{};
  if (fd < 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return false;
  return static_cast<rlim_t>(fd) >= limit.rlim_cur - std::min(kReserved, limit.rlim_cur / 8);
}

bool IsShortage(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case ENOMEM:
    case ENOSPC:
    case ENOBUFS:
    case EDQUOT:
    case EUSERS:
    case ETOOMANYREFS:
      return true;
    default:
      return false;
  }
}

void PutDescriptorsBy() { TheStore().Fill(); }

wire::UniqueFd OpenSurely(const std::string& path, int flags) {
  wire::UniqueFd fd(open(path.c_str(), flags | O_CLOEXEC));
  while (!fd && (errno == EMFILE || errno == ENFILE) && TheStore().Drop()) {
    fd.Reset(open(path.c_str(), flags | O_CLOEXEC));
    if (fd) return fd;
  }
  if (fd && TheStore().TakeLow()) TheStore().Fill();
  return fd;
}

std::string ReadSurely(const std::string& path) {
  const wire::UniqueFd file = OpenSurely(path, O_RDONLY);
  std::string text;
  char part[4096];
  for (ssize_t got; file && (got = read(file.get(), part, sizeof part)) > 0;) {
    text.append(part, static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace poold::base
