#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bootstrap_environment.h"
#include "channel.h"
#include "clone.h"
#include "crash_handler.h"
#include "failure.h"
#include "output_boundary.h"
#include "own_process.h"
#include "poold/worker.h"
#include "run_local.h"
#include "startup.h"
#include "wire/absl_text.h"
#include "wire/process_order.h"
#include "worker_loop.h"
#include "zygote.h"

namespace poold {
namespace worker {
namespace {

constexpr int kProtocolError = 76;

int Complain(const absl::Status& status) {
  std::fprintf(stderr, "poold worker: %s\n", std::string(wire::ToStd(status.message())).c_str());
  return kProtocolError;
}

int Refuse(Channel& channel, const internal::StartFailed& failed) {
  std::fflush(nullptr);
  (void)channel.Send(internal::FRAME_KIND_START_FAILED, &failed);
  // Not exit: destructors of modules that were half loaded would run.
  _exit(1);
}

// The page, mapped.
absl::StatusOr<void*> MapPage(const wire::UniqueFd& page) {
  if (!page) return absl::InvalidArgumentError("started without a page (POOLD_PAGE_FD)");
  struct stat stat;
  if (fstat(page.get(), &stat) != 0 || stat.st_size < static_cast<off_t>(wire::kWorkerPageBytes)) {
    return absl::InvalidArgumentError("what it was given as its page (POOLD_PAGE_FD) is none");
  }
  void* const memory = mmap(nullptr, wire::kWorkerPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, page.get(), 0);
  if (memory == MAP_FAILED) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot map its page: ", std::strerror(errno)));
  }
  const auto& mapped = *static_cast<wire::WorkerPage*>(memory);
  if (mapped.magic == wire::kPageMagic && mapped.version == wire::kPageVersion) return memory;
  return absl::InvalidArgumentError("its page is of another version: build daemon and worker program anew");
}

std::string FrameOf(const internal::Ready& ready) {
  std::string frame;
  wire::AppendFrame(internal::FRAME_KIND_READY, &ready, {}, &frame);
  return frame;
}

internal::Ready ZygoteReady(const Startup& startup) {
  internal::Ready ready = startup.MakeReady();
  ready.set_sets_limits(true);
  return ready;
}

internal::StartFailed NotContained(const absl::Status& why) {
  internal::StartFailed failed;
  failed.set_phase("containment");
  failed.set_shortage(absl::IsResourceExhausted(why));
  failed.mutable_failure()->set_message(std::string(wire::ToStd(why.message())));
  return failed;
}

// Of a clone.
void RefuseUnless(const absl::Status& status, const char* phase, Channel& channel) {
  if (status.ok()) return;
  internal::StartFailed failed;
  failed.set_phase(phase);
  failed.mutable_failure()->set_message(std::string(wire::ToStd(status.message())));
  Refuse(channel, failed);
}

// `ready_frame`: made by the zygote for all its clones, so that none of them touches the memory that it takes.
int Work(Startup& startup, Channel& channel, BootstrapEnvironment& given, const std::string& ready_frame) {
  if (given.subreaper) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const absl::StatusOr<void*> mapped = MapPage(given.page);
  given.page.Reset();
  if (!mapped.ok()) return Complain(mapped.status());
  if (!given.stdout_read || !given.stderr_read) {
    return Complain(
        absl::InvalidArgumentError("started without the pipes of its output (POOLD_STDOUT_FD, POOLD_STDERR_FD)"));
  }
  void* const page = *mapped;
  // A child that a task forks has no business there: it would write over what this process writes.
  madvise(page, wire::kWorkerPageBytes, MADV_DONTFORK);
  WatchForCrashes(page);
  startup.context().worker_id = given.worker_id;
  WorkerLoop loop(&startup, &channel, page, std::move(given.stdout_read), std::move(given.stderr_read));
  if (auto failed = startup.Initialize()) return Refuse(channel, *failed);
  if (!channel.SendFrame(ready_frame).ok()) return kProtocolError;
  const absl::Status ran = loop.Run();
  return ran.ok() ? 0 : Complain(ran);
}

// The first frame of a zygote or fresh worker. False: the daemon is gone, or out of its mind.
bool ReceiveSetup(Channel& channel, internal::Setup* setup) {
  const auto frame = channel.Receive();
  if (!frame.ok() || !*frame) return false;
  if ((*frame)->kind == internal::FRAME_KIND_SETUP &&
      setup->ParseFromArray((*frame)->message.data(), static_cast<int>((*frame)->message.size()))) {
    return true;
  }
  Complain(absl::InvalidArgumentError("the first frame is no SETUP"));
  return false;
}

// What clones inherit, so that none of them has to do it.
void PrepareToWork() {
  OutputBoundary::PrepareStdio();
  PrepareForCrashes();
}

// The end of a worker. Not exit: in a clone, what the program and its libraries prepared is the zygote's to clean up,
// and doing it in each would copy most of their pages. Fresh workers end as clones do.
[[noreturn]] void Leave(int code) {
  std::fflush(nullptr);
  _exit(code);
}

// Who hangs, or dies, has said in what. The channel outlives the start.
void AnnounceStart(Startup& startup, Channel& channel) {
  startup.AnnounceTo([&channel](const std::string& doing) {
    internal::Starting starting;
    starting.set_doing(doing);
    (void)channel.Send(internal::FRAME_KIND_STARTING, &starting);
  });
}

int BeFreshWorker(BootstrapEnvironment given) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Channel channel(std::move(given.channel));
  Startup startup(Startup::Fate::kRunsTasks);
  internal::Setup setup;
  if (!ReceiveSetup(channel, &setup)) return kProtocolError;
  AnnounceStart(startup, channel);
  if (auto failed = startup.Load(setup)) return Refuse(channel, *failed);
  if (auto failed = startup.Preload()) return Refuse(channel, *failed);
  PrepareToWork();
  Leave(Work(startup, channel, given, FrameOf(startup.MakeReady())));
}

// The daemon is gone, and the pool shall be too.
void KillPool(const BootstrapEnvironment& bootstrap) {
  if (bootstrap.cgroup_kill) (void)!write(bootstrap.cgroup_kill.get(), "1", 1);
}

int BeZygote(BootstrapEnvironment bootstrap) {
  // Until it watches its channel nothing else would tell it of the daemon's end.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Channel channel(std::move(bootstrap.channel));
  Startup startup(Startup::Fate::kCloned);
  internal::Setup setup;
  if (!ReceiveSetup(channel, &setup)) return 0;
  AnnounceStart(startup, channel);
  if (auto failed = startup.Load(setup)) return Refuse(channel, *failed);
  if (auto failed = startup.Preload()) return Refuse(channel, *failed);
  PrepareToWork();
  GatherHugePages();
  if (bootstrap.pid_namespace) {
    if (absl::Status entered = EnterPidNamespace(); !entered.ok()) return Refuse(channel, NotContained(entered));
  }
  // From here on it is needed to kill the pool's cgroup.
  if (bootstrap.cgroup_kill) prctl(PR_SET_PDEATHSIG, 0);
  const std::string clone_ready = FrameOf(Startup::MakeCloneReady());
  if (!channel.SendFrame(FrameOf(ZygoteReady(startup))).ok()) {
    KillPool(bootstrap);
    return 0;
  }

  Zygote zygote(&channel, &bootstrap, &setup);
  auto cloned = zygote.Run();
  if (cloned.ok() && *cloned) {
    bootstrap = BootstrapEnvironment();
    channel.Adopt(std::move((*cloned)->channel));
    RefuseUnless(zygote.born(), "clone", channel);
    // Before anything of others runs in it but what it does in any child.
    RefuseUnless(LimitSelf(setup), "limits", channel);
    Leave(Work(startup, channel, **cloned, clone_ready));
  }
  if (!cloned.ok()) Complain(cloned.status());
  KillPool(bootstrap);
  _exit(0);
}

}  // namespace
}  // namespace worker

int WorkerMain(int argc, char** argv) {
  worker::BootstrapEnvironment bootstrap = worker::BootstrapEnvironment::Take();
  worker::OwnThisProcess();
  const bool local = !bootstrap.channel;
  wire::PutProcessInOrder(local ? wire::ProgramKind::kCommand : wire::ProgramKind::kWorker);
  if (local) return worker::RunLocal(argc, argv);
  worker::PrepareToSeeThrows();
  if (bootstrap.role == "zygote") return worker::BeZygote(std::move(bootstrap));
  if (bootstrap.role == "worker") return worker::BeFreshWorker(std::move(bootstrap));
  std::fprintf(stderr, "%s: POOLD_ROLE is '%s', wanted zygote or worker\n", argv[0], bootstrap.role.c_str());
  return worker::kUsageError;
}

}  // namespace poold
