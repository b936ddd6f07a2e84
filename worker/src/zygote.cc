#include "zygote.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clone.h"
#include "startup.h"
#include "wire/absl_text.h"

namespace poold::worker {
namespace {

// As Clone in worker.proto lists them.
enum Place { kChannel, kPage, kStdout, kStderr, kStdoutRead, kStderrRead, kPlaces };

}  // namespace

absl::StatusOr<std::optional<BootstrapEnvironment>> Zygote::Run() {
  while (true) {
    auto frame = channel_->Receive();
    if (!frame.ok()) return frame.status();
    if (!*frame) return std::nullopt;
    if ((*frame)->kind != internal::FRAME_KIND_CLONE ||
        !clone_.ParseFromArray((*frame)->message.data(), static_cast<int>((*frame)->message.size()))) {
      return absl::InvalidArgumentError(absl::StrCat("a zygote takes CLONE frames, not kind ", (*frame)->kind));
    }
    auto cloned = OnClone();
    if (!cloned.ok() || *cloned) return cloned;
  }
}

absl::StatusOr<std::optional<BootstrapEnvironment>> Zygote::OnClone() {
  const std::size_t wanted = kPlaces + (clone_.has_cgroup() ? 1 : 0);
  std::vector<wire::UniqueFd>& fds = channel_->descriptors();
  if (fds.size() < wanted) {  // this process had no room for all of them
    const std::string why = absl::StrCat("CLONE with ", fds.size(), " descriptors, wanted ", wanted);
    fds.clear();
    return RefuseClone(absl::ResourceExhaustedError(why));
  }
  wire::UniqueFd taken[kPlaces + 1];
  std::move(fds.begin(), fds.begin() + static_cast<std::ptrdiff_t>(wanted), taken);
  fds.erase(fds.begin(), fds.begin() + static_cast<std::ptrdiff_t>(wanted));

  // What stdio holds would be written by every clone again.
  std::fflush(nullptr);
  auto clone = CloneSibling(clone_.has_cgroup() ? taken[kPlaces].get() : -1);
  if (!clone.ok()) return RefuseClone(clone.status());
  if (clone->pid > 0) {
    internal::Cloned cloned;
    cloned.set_worker_id(clone_.worker_id());
    cloned.set_pid(clone->pid);
    if (absl::Status sent = channel_->Send(internal::FRAME_KIND_CLONED, &cloned); !sent.ok()) return sent;
    return std::nullopt;
  }
  born_ = std::move(clone->born);
  BootstrapEnvironment given;
  given.role = "worker";
  given.channel = std::move(taken[kChannel]);
  given.page = std::move(taken[kPage]);
  given.stdout_read = std::move(taken[kStdoutRead]);
  given.stderr_read = std::move(taken[kStderrRead]);
  given.subreaper = bootstrap_->subreaper;
  given.worker_id = clone_.worker_id();
  given.worker_secret = bootstrap_->worker_secret;
  return BecomeWorker(std::move(given), std::move(taken[kStdout]), std::move(taken[kStderr]));
}

absl::StatusOr<std::optional<BootstrapEnvironment>> Zygote::RefuseClone(const absl::Status& why) {
  internal::CloneFailed failed;
  failed.set_worker_id(clone_.worker_id());
  failed.set_message(std::string(wire::ToStd(why.message())));
  failed.set_shortage(absl::IsResourceExhausted(why));
  if (absl::Status sent = channel_->Send(internal::FRAME_KIND_CLONE_FAILED, &failed); !sent.ok()) return sent;
  return std::nullopt;
}

absl::StatusOr<BootstrapEnvironment> Zygote::BecomeWorker(BootstrapEnvironment given, wire::UniqueFd out,
                                                          wire::UniqueFd err) {
  // The parent is the daemon's thread, which made the zygote too. Cleared by nothing that follows.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setsid();
  dup2(out.get(), STDOUT_FILENO);
  dup2(err.get(), STDERR_FILENO);
  given.TellTasks();
  if (!setup_->exec_path().empty() && born_.ok()) Execute(given);
  return given;
}

void Zygote::Execute(const BootstrapEnvironment& given) {
  const char* const path = setup_->exec_path().c_str();
  if (const absl::Status limited = LimitSelf(*setup_); !limited.ok()) {
    std::fprintf(stderr, "%s\n", std::string(wire::ToStd(limited.message())).c_str());
    _exit(127);
  }
  given.Give();
  execl(path, path, static_cast<char*>(nullptr));
  std::fprintf(stderr, "cannot execute the worker program %s: %s\n", path, std::strerror(errno));
  _exit(127);
}

}  // namespace poold::worker
