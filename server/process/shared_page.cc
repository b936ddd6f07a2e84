#include "process/shared_page.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include <string>

namespace poold::process {
namespace {

absl::Status Refused(const char* what) {
  return absl::ResourceExhaustedError(std::string("cannot make the worker's shared page: ") + what + ": " +
                                      strerror(errno));
}

}  // namespace

absl::StatusOr<SharedPage> SharedPage::Make() {
  SharedPage made;
  made.fd_.Reset(memfd_create("poold-page", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!made.fd_) return Refused("memfd_create");
  if (ftruncate(made.fd_.get(), wire::kWorkerPageBytes) != 0) return Refused("ftruncate");
  // A worker that could shrink it would make the daemon's next read a SIGBUS.
  if (fcntl(made.fd_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) return Refused("sealing");
  void* const memory = mmap(nullptr, wire::kWorkerPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, made.fd_.get(), 0);
  if (memory == MAP_FAILED) return Refused("mmap");
  made.memory_ = memory;
  made.page().magic = wire::kPageMagic;
  made.page().version = wire::kPageVersion;
  made.page().reader_wants_bell.store(1);
  return made;
}

SharedPage::~SharedPage() {
  if (memory_ != nullptr) munmap(memory_, wire::kWorkerPageBytes);
}

}  // namespace poold::process
