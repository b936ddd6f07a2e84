#include "process/worker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/descriptors.h"
#include "base/log.h"
#include "process/failure_text.h"
#include "process/loss_cause.h"
#include "process/zygote_client.h"
#include "wire/absl_text.h"
#include "wire/crash_note.h"

namespace poold::process {
namespace {

constexpr int kMaxBurialTries = 1000;  // about 20 s
// A zygote that does not answer for so long while a worker that it clones is to be killed, is killed too.
constexpr core::Nanos kCloneGrace = 2 * core::kSecond;

core::Nanos UsagePeriod(const core::PoolSpec& spec) {
  if (spec.memory_limit_bytes != 0) return 250 * core::kMillisecond;
  return spec.max_worker_rss_bytes != 0 ? core::kSecond : core::kNever;
}

// What may have ended one that did not come to say it.
std::string Suspicion(const ResourceLimits& limits) {
  const auto address_space = limits.find(core::ResourceKind::kAddressSpaceBytes);
  if (address_space == limits.end()) return "";
  return "; perhaps the limit of " + std::to_string(address_space->second) +
         " bytes of address space (address_space_bytes) is too small to start: raise it";
}

}  // namespace

WorkerProcess::WorkerProcess(ProcessThread* thread, core::PoolId pool, std::shared_ptr<WorkerChannel> channel)
    : thread_(thread),
      pool_(pool),
      channel_(std::move(channel)),
      tails_{TextTail(thread->options.limits.output_tail_bytes), TextTail(thread->options.limits.output_tail_bytes)},
      tail_ticket_(wire::kNoSlot),
      parser_(thread->options.limits.max_payload_bytes) {
  timer_.Open(thread_->loop, [this] { thread_->attend(this); });
}

WorkerProcess::~WorkerProcess() = default;

void WorkerProcess::Start(ZygoteClient* zygote) {
  started_at_ = thread_->clock.Now();
  absl::Status made = zygote != nullptr && !zygote->stopping() && !zygote->gone()
                          ? Make(zygote)
                          : absl::FailedPreconditionError("the pool has no zygote");
  if (made.ok()) {
    clone_by_ = started_at_ + start_timeout_;
    return KeepDeadlines();
  }
  start_failure_ = "worker cannot be made: " + std::string(wire::ToStd(made.message()));
  start_cause_ = CauseOf(made);
  thread_->attend(this);
}

absl::Status WorkerProcess::MakePipes(ChildPipeEnds* out, ChildPipeEnds* err) {
  for (auto [pipe, ends] : {std::pair(&pipes_[0], out), std::pair(&pipes_[1], err)}) {
    auto made = pipe->Open(thread_->loop, [this] {
      pipes_ready_ = true;
      thread_->attend(this);
    });
    if (!made.ok()) return made.status();
    *ends = std::move(*made);
  }
  return absl::OkStatus();
}

absl::Status WorkerProcess::Make(ZygoteClient* zygote) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return absl::ResourceExhaustedError(std::string("cannot make its channel: ") + strerror(errno));
  }
  wire::UniqueFd ours(pair[0]), theirs(pair[1]);
  if (base::IsReserved(theirs.get())) return TooFewDescriptors();
  auto page = SharedPage::Make();
  if (!page.ok()) return page.status();
  ChildPipeEnds out, err;
  if (absl::Status made = MakePipes(&out, &err); !made.ok()) return made;
  auto scope = thread_->registry->containment->MakeWorkerScope(pool_, id(), zygote->scope());
  if (!scope.ok()) return scope.status();
  scope_ = std::move(*scope);
  wire::UniqueFd cgroup;
  if (scope_->fd() >= 0) {
    cgroup.Reset(fcntl(scope_->fd(), F_DUPFD_CLOEXEC, 0));
    if (!cgroup) return absl::ResourceExhaustedError(std::string("cannot duplicate its cgroup: ") + strerror(errno));
  }
  absl::Status watched = socket_watch_.Start(thread_->loop, ours.get(), [this] { thread_->attend(this); });
  if (!watched.ok()) return watched;
  reading_ = true;
  socket_watch_.Want(true, false);

  std::vector<wire::UniqueFd> fds;
  fds.push_back(std::move(theirs));
  fds.push_back(page->TakeFd());
  fds.push_back(std::move(out.write_end));
  fds.push_back(std::move(err.write_end));
  fds.push_back(std::move(out.read_end));
  fds.push_back(std::move(err.read_end));
  const bool has_cgroup = static_cast<bool>(cgroup);
  if (has_cgroup) fds.push_back(std::move(cgroup));
  ring_.emplace(page->memory());
  channel_->Open(std::move(ours), std::move(*page), zygote->worker_setup());
  zygote_ = zygote;
  generation_ = zygote->generation();
  limits_ = zygote->spec().resource_limits;
  limits_itself_ = zygote->sets_limits();
  zygote_functions_ = zygote->functions();
  usage_period_ = UsagePeriod(zygote->spec());
  start_timeout_ = StartTimeout(zygote->spec(), thread_->options.limits);
  zygote_->WorkerBegins(this);
  cloning_ = true;
  zygote_->Clone(this, std::move(fds), has_cgroup);
  return absl::OkStatus();
}

void WorkerProcess::OnCloned(pid_t pid) {
  cloning_ = false;
  clone_by_ = core::kNever;
  pid_ = pid;
  if (const absl::Status guarded = Guard(); !guarded.ok()) {
    if (start_failure_.empty()) start_failure_ = "worker " + std::string(wire::ToStd(guarded.message()));
    start_cause_ = CauseOf(guarded);
    killed_ = true;
  }
  if (killed_) KillNow();
  ready_by_ = thread_->clock.Now() + start_timeout_;
  WatchWritable(channel_->Flush());  // SETUP, perhaps
  TellReady();
  thread_->attend(this);
}

absl::Status WorkerProcess::Guard() {
  pidfd_ = OpenPidFd(pid_);
  if (!pidfd_) return absl::ResourceExhaustedError(std::string("cannot be watched: ") + strerror(errno));
  absl::Status watched = pid_watch_.Start(thread_->loop, pidfd_.get(), [this] {
    exited_ = true;
    thread_->attend(this);
  });
  if (!watched.ok()) return watched;
  pid_watch_.Want(true, false);
  return limits_itself_ ? absl::OkStatus() : LimitResources(pid_, limits_);
}

void WorkerProcess::OnCloneFailed(const std::string& why, core::LossCause cause) {
  cloning_ = false;
  if (start_failure_.empty()) {
    start_failure_ = why;
    start_cause_ = cause;
  }
  thread_->attend(this);
}

void WorkerProcess::Kill(core::Nanos grace) {
  if (gone_ || death_) return;
  if (cloning_ || pid_ <= 0 || grace <= 0) return KillNow();
  const core::Nanos at = thread_->clock.Now() + grace;
  if (at >= kill_at_) return;
  if (kill_at_ == core::kNever) SendSignal(pidfd_, SIGTERM);
  killed_ = true;
  kill_at_ = at;
  KeepDeadlines();
}

void WorkerProcess::KillNow() {
  killed_ = true;
  if (cloning_) {
    // It is killed when its clone is told of.
    clone_by_ = std::min(clone_by_, thread_->clock.Now() + kCloneGrace);
    return KeepDeadlines();
  }
  if (death_ || pid_ <= 0) return;
  kill_at_ = core::kNever;
  if (scope_ != nullptr) scope_->KillAll();
  SendSignal(pidfd_, SIGKILL);
  if (!pidfd_) kill(pid_, SIGKILL);  // ours and not reaped
}

void WorkerProcess::KillWithReason(const std::string& why) {
  if (killed_ && death_) return;
  base::Log(base::Level::kWarning, "worker_killed",
            {{"worker", static_cast<std::uint64_t>(id())}, {"pid", pid_}, {"why", why}});
  if (!told_ready_ && start_failure_.empty()) start_failure_ = why;
  condemned_ = true;
  KillNow();
}

void WorkerProcess::Service() {
  if (gone_) return;
  if (!death_ && pid_ > 0 && (exited_ || !pid_watch_.started())) {
    death_ = thread_->registry->children.Reap(pid_);
    if (death_) {
      died_at_ = thread_->clock.Now();
      out_of_memory_ = death_->signal == SIGKILL && scope_ != nullptr && scope_->OutOfMemory();
      pid_watch_.Stop();
    }
  }
  ReadSocket();
  if (!reading_) socket_watch_.Stop();
  DrainRing();
  DrainPipes();
  if (death_ || (!cloning_ && pid_ <= 0)) return Reap();

  if (exit_by_ == core::kNever && channel_->StopSent() && !channel_->Busy()) {
    exit_by_ = thread_->clock.Now() + thread_->options.exit_timeout;
  }
  KeepDeadlines();
}

void WorkerProcess::KeepDeadlines() {
  const core::Nanos now = thread_->clock.Now();
  if (now >= kill_at_) KillNow();
  if (now >= exit_by_ && !killed_) KillWithReason("worker closed its channel or was stopped, and did not exit");
  if (now >= ready_by_ && !killed_) {
    KillWithReason("worker " + StartTimeText(start_timeout_, doing_));
  }
  if (now >= clone_by_ && zygote_ != nullptr) {
    clone_by_ = core::kNever;
    zygote_->CloneOverdue();
  }
  if (killed_) ready_by_ = exit_by_ = core::kNever;
  // Of a process that cannot be watched we look now and then whether it is dead.
  const core::Nanos look_at = killed_ && pid_ > 0 && !pid_watch_.started() ? now + core::kMillisecond : core::kNever;
  if (const auto due = progress_.TakeDue(now)) {
    absl::MutexLock lock(&channel_->mutex());
    TellProgress(due);
  }
  const core::Nanos next = std::min({kill_at_, exit_by_, ready_by_, clone_by_, look_at, progress_.due_at()});
  if (next == core::kNever || (next == armed_for_ && timer_.armed())) return;
  armed_for_ = next;
  timer_.Arm(next - now);
}

bool WorkerProcess::NeedsPoll() { return !death_ && !gone_ && (pipes_resting_ || (uses_page_ && channel_->Busy())); }

void WorkerProcess::SampleUsage(core::Nanos now) {
  if (pid_ <= 0 || death_ || gone_ || now < next_usage_at_) return;
  next_usage_at_ = now + usage_period_;
  const std::uint64_t arenas = channel_->arena_bytes() + result_arenas_.bytes();
  const std::uint64_t bytes = ReadResidentBytes(pid_, arenas);
  if (bytes > 0) thread_->batch.AddWorkerUsage(id(), bytes);
}

void WorkerProcess::TellReady() {
  if (!ready_ || told_ready_ || pid_ <= 0 || !start_failure_.empty()) return;
  told_ready_ = true;
  ready_by_ = core::kNever;
  channel_->SetAbilities(uses_page_, abilities_);
  base::Log(base::Level::kDebug, "worker_ready", {{"worker", static_cast<std::uint64_t>(id())}, {"pid", pid_}});
  thread_->batch.AddWorkerReady(id(), pid_, *functions_, uses_page_);
}

std::string WorkerProcess::StartFailure() const {
  if (told_ready_) return "";
  if (!start_failure_.empty() && !death_) return start_failure_;
  std::string words = start_failure_;
  if (words.empty())
    words = "worker " + Describe(*death_) + " before it was ready" + While(doing_) + Suspicion(limits_);
  const std::string stderr_tail = tails_[1].Last();
  return stderr_tail.empty() ? words : words + "; stderr: " + stderr_tail;
}

core::LossCause WorkerProcess::StartCause() const {
  if (!start_failure_.empty() || !death_ || killed_) return start_cause_;
  return CauseOf(*death_, limits_, out_of_memory_);
}

void WorkerProcess::FindGuilty(core::WorkerLoss* loss) {
  absl::MutexLock lock(&channel_->mutex());
  SlotTable& slots = channel_->slots();
  Slot* guilty = nullptr;
  if (uses_page_) {
    slots.ForEach([&](Slot& slot) {
      const std::uint32_t claimed = std::min(wire::ReadClaim(channel_->page().page(), slot.ticket).cursor, slot.items);
      // Of a page that lies, one is as good as another.
      if (guilty == nullptr && claimed > slot.done) guilty = &slot;
    });
  } else {
    guilty = slots.Oldest();
  }
  if (guilty == nullptr) return;
  loss->has_guilty = true;
  loss->guilty = guilty->token;
  loss->guilty_item = guilty->done;
}

void WorkerProcess::Certify(core::DeathCertificate* certificate) const {
  certificate->worker = id();
  certificate->pid = std::max<pid_t>(pid_, 0);
  certificate->generation = generation_;
  if (!death_) return;
  certificate->signal = death_->signal;
  certificate->exit_code = death_->exit_code;
  certificate->killed_by = condemned_ ? core::KilledBy::kItself
                           : killed_  ? core::KilledBy::kUnspecified
                                      : Blame(*death_, limits_, out_of_memory_);
  certificate->peak_rss_bytes = death_->peak_rss_bytes;
  certificate->cpu_time = death_->cpu_time;
  certificate->wall_time = died_at_ - started_at_;
  if (!uses_page_ || death_->signal == 0) return;
  // Its last words are of another fault when it lived on after them.
  auto crash = wire::ReadCrashNote(&channel_->page().page());
  if (crash && crash->signal == death_->signal) certificate->backtrace = std::move(crash->backtrace);
}

void WorkerProcess::Reap() {
  if (scope_ != nullptr && !scope_->Empty()) {
    if (++burial_tries_ < kMaxBurialTries) return timer_.Arm(core::kMillisecond * std::min(1 + burial_tries_ / 4, 20));
    base::Log(base::Level::kError, "worker_tree_survives",
              {{"worker", static_cast<std::uint64_t>(id())}, {"pid", pid_}, {"why", "SIGKILL did not end it"}});
  }
  // Everything of it is dead: what lies here now is all that will ever come.
  ReadSocket();
  DrainRing();
  ReadPipes(1u << 20);
  if (const auto last = progress_.TakeDue(core::kNever)) {
    absl::MutexLock lock(&channel_->mutex());
    TellProgress(last);
  }

  core::WorkerLoss loss;
  FindGuilty(&loss);
  Certify(&loss.death);
  loss.stdout_tail = tails_[0].Last();
  loss.stderr_tail = tails_[1].Last();
  loss.start_failure = StartFailure();
  loss.cause = StartCause();

  timer_.Stop();
  socket_watch_.Stop();
  for (OutputPipe& pipe : pipes_) pipe.Close();
  channel_->Close();
  scope_.reset();
  if (zygote_ != nullptr) std::exchange(zygote_, nullptr)->WorkerEnds(this);
  gone_ = true;
  base::Log(base::Level::kDebug, "worker_ended",
            {{"worker", static_cast<std::uint64_t>(id())},
             {"pid", pid_},
             {"how", death_ ? Describe(*death_) : "was not there yet"}});
  thread_->batch.AddWorkerLost(id(), std::move(loss));
}

}  // namespace poold::process
