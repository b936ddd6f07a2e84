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
#include "core/option_fields.h"
#include "process/death.h"
#include "process/worker_messages.h"
#include "process/zygote_client.h"
#include "wire/absl_text.h"
#include "wire/worker_page.h"

namespace poold::process {
namespace {

// A zygote that does not answer for so long while a worker that it clones is to be killed, is killed too.
constexpr core::Nanos kCloneGrace = 2 * core::kSecond;
// From the end of its channel on a worker has so long to exit.
constexpr core::Nanos kHangUpGrace = core::kSecond;

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
      reader_(thread->options.limits.max_payload_bytes),
      results_(thread, channel_.get(), &reader_) {
  timer_.Open(thread_->loop, [this] { thread_->attend(this); });
}

WorkerProcess::~WorkerProcess() = default;

// ---- Phases ----

void WorkerProcess::Enter(WorkerPhase phase, core::Nanos deadline) {
  Transition(&phase_, phase);
  deadline_ = deadline;
}

void WorkerProcess::Start(ZygoteClient* zygote) {
  started_at_ = thread_->clock.Now();
  absl::Status made = zygote != nullptr && !zygote->stopping() && !zygote->gone()
                          ? Make(zygote)
                          : absl::FailedPreconditionError("the pool has no zygote");
  if (made.ok()) return KeepDeadlines();
  Enter(WorkerPhase::kNeverMade);
  start_failure_ = "worker cannot be made: " + std::string(wire::ToStd(made.message()));
  start_cause_ = CauseOf(made);
  thread_->attend(this);
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
  absl::Status piped = results_.output().Open(
      thread_->loop, [this] { thread_->attend(this); }, &out, &err);
  if (!piped.ok()) return piped;
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
  results_.Open(page->memory());
  channel_->Open(std::move(ours), std::move(*page), zygote->worker_setup());
  reader_.Open(channel_->socket());
  zygote_ = zygote;
  const core::PoolSpec& spec = zygote->spec();
  origin_ = {.generation = zygote->generation(),
             .limits = spec.resource_limits,
             .functions = zygote->functions(),
             .start_timeout = StartTimeout(spec, thread_->options.limits)};
  usage_period_ = UsagePeriod(spec);
  zygote_->WorkerBegins(this);
  Enter(WorkerPhase::kCloning, started_at_ + origin_.start_timeout);
  zygote_->Clone(this, std::move(fds), has_cgroup);
  return absl::OkStatus();
}

void WorkerProcess::OnCloned(pid_t pid) {
  pid_ = pid;
  if (const absl::Status guarded = Guard(); !guarded.ok()) {
    if (start_failure_.empty()) start_failure_ = "worker " + std::string(wire::ToStd(guarded.message()));
    start_cause_ = CauseOf(guarded);
    SendKill();
  } else if (phase_ == WorkerPhase::kDoomed) {
    SendKill();
  } else {
    Enter(WorkerPhase::kStarting, thread_->clock.Now() + origin_.start_timeout);
  }
  WatchWritable(channel_->Flush());  // SETUP, perhaps
  TellReady();
  thread_->attend(this);
}

absl::Status WorkerProcess::Guard() {
  pidfd_ = OpenPidFd(pid_);
  if (!pidfd_) return absl::ResourceExhaustedError(std::string("cannot be watched: ") + strerror(errno));
  absl::Status watched = pid_watch_.Start(thread_->loop, pidfd_.get(), [this] {
    TakeExit();
    thread_->attend(this);
  });
  if (!watched.ok()) return watched;
  pid_watch_.Want(true, false);
  return zygote_->sets_limits() ? absl::OkStatus() : LimitResources(pid_, origin_.limits);
}

void WorkerProcess::OnCloneFailed(const std::string& why, core::LossCause cause) {
  Enter(WorkerPhase::kNeverMade);
  if (start_failure_.empty()) {
    start_failure_ = why;
    start_cause_ = cause;
  }
  thread_->attend(this);
}

void WorkerProcess::TellReady() {
  if (!ready_ || ready_->told || pid_ <= 0 || !start_failure_.empty()) return;
  ready_->told = true;
  if (phase_ == WorkerPhase::kStarting) {
    Enter(WorkerPhase::kReady);
  } else if (phase_ == WorkerPhase::kStopping && channel_->StopSent()) {
    deadline_ = thread_->clock.Now() + thread_->options.exit_timeout;
  }
  channel_->SetAbilities(ready_->uses_page, ready_->abilities);
  base::Log(base::Level::kDebug, "worker_ready", {{"worker", static_cast<std::uint64_t>(id())}, {"pid", pid_}});
  thread_->batch.AddWorkerReady(id(), pid_, *ready_->functions, ready_->uses_page);
}

void WorkerProcess::Kill(core::Nanos grace) {
  if (grace <= 0 || !HasProcess(phase_)) return KillNow();
  if (phase_ == WorkerPhase::kKilled) return;
  const core::Nanos at = thread_->clock.Now() + grace;
  if (phase_ == WorkerPhase::kTerminating) {
    deadline_ = std::min(deadline_, at);
  } else {
    SendSignal(pidfd_, SIGTERM);
    if (ended_by_ == EndedBy::kItself) ended_by_ = EndedBy::kOrder;
    Enter(WorkerPhase::kTerminating, at);
  }
  KeepDeadlines();
}

void WorkerProcess::KillNow() {
  if (phase_ == WorkerPhase::kCloning || phase_ == WorkerPhase::kDoomed) {
    const core::Nanos answer_by = std::min(deadline_, thread_->clock.Now() + kCloneGrace);
    if (phase_ == WorkerPhase::kCloning) Enter(WorkerPhase::kDoomed);
    deadline_ = answer_by;
    return KeepDeadlines();
  }
  if (HasProcess(phase_) && phase_ != WorkerPhase::kKilled) SendKill();
}

void WorkerProcess::SendKill() {
  if (ended_by_ == EndedBy::kItself) ended_by_ = EndedBy::kOrder;
  Enter(WorkerPhase::kKilled);
  if (scope_ != nullptr) scope_->KillAll();
  SendSignal(pidfd_, SIGKILL);
  if (!pidfd_) kill(pid_, SIGKILL);  // ours and not reaped
}

void WorkerProcess::KillWithReason(const std::string& why) {
  if (phase_ == WorkerPhase::kDead && ended_by_ != EndedBy::kItself) return;
  base::Log(base::Level::kWarning, "worker_killed",
            {{"worker", static_cast<std::uint64_t>(id())}, {"pid", pid_}, {"why", why}});
  LogTask(base::Level::kWarning);
  if (!told_ready() && start_failure_.empty()) start_failure_ = why;
  ended_by_ = EndedBy::kFault;
  KillNow();
}

// By what was asked of it: a line for each option that goes into the log.
void WorkerProcess::LogTask(base::Level level) {
  const std::shared_ptr<const core::TaskOptions> carried = channel_->CarriedOfOldest();
  if (carried == nullptr) return;
  core::ForEachCarried(*carried, [&](const option::Option& option, const std::string& text) {
    base::Log(level, "worker_ran", {{"worker", static_cast<std::uint64_t>(id())}, {"pid", pid_}, {option.name, text}});
  });
}

void WorkerProcess::ExpectExit() {
  const bool runs_on = phase_ == WorkerPhase::kStarting || phase_ == WorkerPhase::kReady;
  if (!runs_on && phase_ != WorkerPhase::kCloning) return;
  const bool stop_sent = channel_->StopSent();
  if (reader_.open() && !stop_sent) return;
  const core::Nanos now = thread_->clock.Now();
  if (!runs_on) {
    if (!stop_sent) deadline_ = std::min(deadline_, now + kHangUpGrace + kCloneGrace);
  } else if (!stop_sent) {
    Enter(WorkerPhase::kStopping, std::min(deadline_, now + kHangUpGrace));
  } else if (!channel_->Busy()) {
    Enter(WorkerPhase::kStopping, std::min(deadline_, now + thread_->options.exit_timeout));
  }
}

void WorkerProcess::KeepDeadlines() {
  const core::Nanos now = thread_->clock.Now();
  if (now >= deadline_) OnDeadline();
  results_.TellProgressDue(now);
  // Of a process that cannot be watched we look now and then whether it is dead.
  const bool watched = phase_ != WorkerPhase::kKilled || pid_watch_.started();
  const core::Nanos look_at = watched ? core::kNever : now + core::kMillisecond;
  const core::Nanos next = std::min({deadline_, look_at, results_.progress_due_at()});
  if (next == core::kNever || (next == armed_for_ && timer_.armed())) return;
  armed_for_ = next;
  timer_.Arm(next - now);
}

void WorkerProcess::OnDeadline() {
  switch (phase_) {
    case WorkerPhase::kCloning:
    case WorkerPhase::kDoomed:
      deadline_ = core::kNever;
      if (zygote_ != nullptr) zygote_->CloneOverdue();
      return;
    case WorkerPhase::kStarting:
      return KillWithReason("worker " + StartTimeText(origin_.start_timeout, doing_));
    case WorkerPhase::kStopping:
      return KillWithReason("worker closed its channel or was stopped, and did not exit");
    case WorkerPhase::kTerminating:
      return SendKill();
    default:
      return;
  }
}

void WorkerProcess::TakeExit() {
  if (!HasProcess(phase_)) return;
  const std::optional<Death> death = thread_->registry->children.Reap(pid_);
  if (!death) return;
  end_ = {.death = *death,
          .at = thread_->clock.Now(),
          .out_of_memory = death->signal == SIGKILL && scope_ != nullptr && scope_->OutOfMemory()};
  pid_watch_.Stop();
  Enter(WorkerPhase::kDead);
}

void WorkerProcess::Service() {
  if (gone()) return;
  if (!pid_watch_.started()) TakeExit();
  ReadSocket();
  if (!reader_.open()) socket_watch_.Stop();
  DrainRing();
  results_.DrainPipes(phase_ == WorkerPhase::kDead);
  CheckResults();
  if (phase_ == WorkerPhase::kDead || phase_ == WorkerPhase::kNeverMade) return Reap();
  ExpectExit();
  KeepDeadlines();
}

void WorkerProcess::SampleUsage(core::Nanos now) {
  if (!HasProcess(phase_) || now < next_usage_at_) return;
  next_usage_at_ = now + usage_period_;
  const std::uint64_t bytes = ReadResidentBytes(pid_, channel_->arena_bytes() + results_.arena_bytes());
  if (bytes > 0) thread_->batch.AddWorkerUsage(id(), bytes);
}

// ---- Reading ----

void WorkerProcess::DrainRing(wire::RingReader::Bell bell) {
  const bool was_open = reader_.open();
  results_.DrainRing(bell);
  CheckResults();
  // Perhaps this is not the process thread, which alone may touch the watch.
  if (was_open && !reader_.open()) thread_->attend(this);
}

void WorkerProcess::CheckResults() {
  if (results_.HasFault()) KillWithReason(results_.TakeFault());
  if (reader_.TakeLostFile()) GiveWay();
  if (!results_.TakeDropped() || std::exchange(drop_logged_, true)) return;
  base::Log(base::Level::kWarning, "result_dropped",
            {{"worker", static_cast<std::uint64_t>(id())}, {"pid", pid_}, {"why", "nothing of that ticket is here"}});
}

void WorkerProcess::GiveWay() {
  base::Log(base::Level::kWarning, "result_lost",
            {{"worker", static_cast<std::uint64_t>(id())}, {"pid", pid_}, {"why", "no descriptor was left for it"}});
  LogTask(base::Level::kWarning);
  channel_->RequestStop();
  thread_->attend(this);
}

void WorkerProcess::ReadSocket() {
  using Got = ChannelReader::Got;
  std::size_t total = 0;
  Got got = Got::kMore;
  while (ReadFrames() && got == Got::kMore && (total < ChannelReader::kBytesPerTurn || end_)) {
    got = reader_.Receive(&total);
    if (got == Got::kTooManyFiles) KillWithReason("worker sent more arenas than results");
  }
}

bool WorkerProcess::ReadFrames() {
  while (reader_.open()) {
    const auto frame = reader_.NextFrame();
    if (!frame.ok()) {
      KillWithReason("worker wrote a broken frame: " + std::string(wire::ToStd(frame.status().message())));
    } else if (*frame) {
      OnFrame(**frame);
    } else {
      return true;
    }
  }
  return false;
}

void WorkerProcess::OnFrame(const wire::Frame& frame) {
  absl::Status taken;
  switch (frame.kind) {
    case internal::FRAME_KIND_BELL:
      return;  // the ring is looked at in any case
    case internal::FRAME_KIND_RESULT_ARENA:
      if (!uses_page()) break;
      return;  // its descriptor waits for its record
    case internal::FRAME_KIND_READY:
      return OnReady(frame);
    case internal::FRAME_KIND_STARTING:
      if (!ready_) doing_ = ParseStarting(frame);
      return;
    case internal::FRAME_KIND_OUTCOMES:
    case internal::FRAME_KIND_OUTPUT:
    case internal::FRAME_KIND_PROGRESS:
      taken = results_.OnFrame(frame);
      if (!taken.ok()) KillWithReason(std::string(wire::ToStd(taken.message())));
      return CheckResults();
    case internal::FRAME_KIND_START_FAILED: {
      internal::StartFailed failed;
      if (!ready_ && Parse(frame, &failed) && start_failure_.empty()) start_failure_ = DescribeStartFailure(failed);
      return;
    }
    default:
      break;
  }
  KillWithReason("worker sent a frame that makes no sense, of kind " + std::to_string(frame.kind));
}

void WorkerProcess::OnReady(const wire::Frame& frame) {
  internal::Ready ready;
  if (ready_ || !Parse(frame, &ready)) return KillWithReason("worker sent a READY that makes no sense");
  if (ready.protocol_version() != wire::kProtocolVersion) {
    return KillWithReason("worker speaks protocol version " + std::to_string(ready.protocol_version()) +
                          ", this daemon speaks " + std::to_string(wire::kProtocolVersion) + ": build it again");
  }
  FunctionList functions = ready.same_functions() ? origin_.functions : TakeFunctions(&ready);
  if (const std::string wrong = WhatIsWrong(*functions); !wrong.empty()) return KillWithReason("worker " + wrong);
  // An arena stays mapped, and would count against what a task may use of the address space.
  const bool limited = origin_.limits.contains(core::ResourceKind::kAddressSpaceBytes);
  const Abilities abilities = {.descriptors = ready.takes_descriptors(), .arenas = ready.takes_arenas() && !limited};
  ready_ = {.functions = std::move(functions), .uses_page = ready.uses_page(), .abilities = abilities};
  results_.Begin(ready_->functions, ready_->uses_page);
  TellReady();
}

// ---- The end ----

void WorkerProcess::Reap() {
  if (scope_ != nullptr && !scope_->Empty()) {
    if (++reap_tries_ < kMaxReapTries) return timer_.Arm(core::kMillisecond * std::min(1 + reap_tries_ / 4, 20));
    base::Log(base::Level::kError, "worker_tree_survives",
              {{"worker", static_cast<std::uint64_t>(id())}, {"pid", pid_}, {"why", "SIGKILL did not end it"}});
  }
  // Everything of it is dead: what lies here now is all that will ever come.
  ReadSocket();
  DrainRing();
  results_.ReadLastOutput();
  results_.TellProgressDue(core::kNever);
  core::WorkerLoss loss = MakeLoss();
  if (end_) LogTask(base::Level::kInfo);

  timer_.Stop();
  socket_watch_.Stop();
  results_.output().Close();
  channel_->Close();
  scope_.reset();
  if (zygote_ != nullptr) std::exchange(zygote_, nullptr)->WorkerEnds(this);
  Enter(WorkerPhase::kGone);
  base::Log(base::Level::kDebug, "worker_ended",
            {{"worker", static_cast<std::uint64_t>(id())},
             {"pid", pid_},
             {"how", end_ ? Describe(end_->death) : "was not there yet"}});
  thread_->batch.AddWorkerLost(id(), std::move(loss));
}

core::WorkerLoss WorkerProcess::MakeLoss() {
  core::WorkerLoss loss;
  FindGuilty(&loss);
  Certify(&loss.death);
  loss.stdout_tail = results_.output().Tail(core::OutputStream::kStdout);
  loss.stderr_tail = results_.output().Tail(core::OutputStream::kStderr);
  loss.start_failure = StartFailure();
  loss.cause = StartCause();
  return loss;
}

std::string WorkerProcess::StartFailure() const {
  if (told_ready()) return "";
  if (!start_failure_.empty() && !end_) return start_failure_;
  std::string words = start_failure_;
  if (words.empty()) {
    words = "worker " + Describe(end_->death) + " before it was ready" + While(doing_) + Suspicion(origin_.limits);
  }
  const std::string stderr_tail = results_.output().Tail(core::OutputStream::kStderr);
  return stderr_tail.empty() ? words : words + "; stderr: " + stderr_tail;
}

core::LossCause WorkerProcess::StartCause() const {
  if (!start_failure_.empty() || !end_ || ended_by_ != EndedBy::kItself) return start_cause_;
  return CauseOf(end_->death, origin_.limits, end_->out_of_memory);
}

void WorkerProcess::FindGuilty(core::WorkerLoss* loss) {
  absl::MutexLock lock(&channel_->mutex());
  SlotTable& slots = channel_->slots();
  Slot* guilty = nullptr;
  if (uses_page()) {
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
  certificate->generation = origin_.generation;
  if (!end_) return;
  const Death& death = end_->death;
  certificate->signal = death.signal;
  certificate->exit_code = death.exit_code;
  certificate->killed_by = ended_by_ == EndedBy::kFault   ? core::KilledBy::kItself
                           : ended_by_ == EndedBy::kOrder ? core::KilledBy::kUnspecified
                                                          : Blame(death, origin_.limits, end_->out_of_memory);
  certificate->peak_rss_bytes = death.peak_rss_bytes;
  certificate->cpu_time = death.cpu_time;
  certificate->wall_time = end_->at - started_at_;
  if (!uses_page() || death.signal == 0) return;
  // Its last words are of another fault when it lived on after them.
  auto crash = wire::ReadCrashNote(&channel_->page().page());
  if (crash && crash->signal == death.signal) certificate->backtrace = std::move(crash->backtrace);
}

}  // namespace poold::process
