#include "process/zygote_client.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/descriptors.h"
#include "base/log.h"
#include "process/death.h"
#include "process/spawn.h"
#include "process/worker_messages.h"
#include "process/worker_process.h"

namespace poold::process {
namespace {

constexpr int kChannelFd = 3;
constexpr int kCgroupKillFd = 4;
constexpr std::size_t kZygoteReadBytes = 64 * 1024;

}  // namespace

ZygoteClient::ZygoteClient(ProcessThread* thread, core::PoolId pool, std::uint32_t generation, core::PoolSpec spec)
    : thread_(thread),
      pool_(pool),
      generation_(generation),
      spec_(std::move(spec)),
      output_(thread->options.limits.output_tail_bytes),
      parser_(0) {
  timer_.Open(thread_->loop, [this] { OnTime(); });
}

void ZygoteClient::OnTime() {
  if (HasProcess(phase_) && phase_ != ZygotePhase::kKilled) {
    if (!socket_watch_.started()) {
      KillWithReason("zygote closed its channel");
    } else if (!ready_) {
      KillWithReason("zygote " + StartTimeText(StartTimeout(spec_, thread_->options.limits), doing_));
    }
  }
  thread_->attend_zygote(this);
}

void ZygoteClient::Start() {
  const absl::Status spawned = Spawn();
  if (spawned.ok()) {
    Transition(&phase_, ZygotePhase::kStarting);
    timer_.Arm(StartTimeout(spec_, thread_->options.limits));
    return;
  }
  failure_ = std::string(wire::ToStd(spawned.message()));
  cause_ = CauseOf(spawned);
  if (pid_ > 0) {
    Kill();
    return;
  }
  Transition(&phase_, ZygotePhase::kGone);
  thread_->batch.AddZygoteLost(pool_, generation_, failure_, cause_);
  thread_->attend_zygote(this);
}

absl::Status ZygoteClient::Spawn() {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return absl::ResourceExhaustedError(std::string("cannot make the zygote's channel: ") + strerror(errno));
  }
  socket_.Reset(pair[0]);
  const wire::UniqueFd channel(pair[1]);
  if (base::IsReserved(channel.get())) return TooFewDescriptors();
  ChildPipeEnds ends[2];
  for (int i = 0; i < 2; ++i) {
    auto made = pipes_[i].Open(thread_->loop, [this] { thread_->attend_zygote(this); });
    if (!made.ok()) return made.status();
    ends[i] = std::move(*made);
  }
  const auto limits = ToKernel(spec_.resource_limits);
  if (!limits.ok()) {
    return absl::Status(limits.status().code(), "a worker " + std::string(wire::ToStd(limits.status().message())));
  }
  auto made = thread_->registry->containment->MakeZygoteScope(pool_, generation_);
  if (!made.ok()) return made.status();
  scope_ = std::move(made->scope);
  absl::Status status = SpawnProgram(channel.get(), ends[0].write_end.get(), ends[1].write_end.get(), *made);
  if (!status.ok()) return status;

  // It waits for SETUP; until then it runs nothing of others.
  status = scope_->Admit(pid_);
  if (!status.ok()) return status;
  const auto process = static_cast<id_t>(pid_);
  const int nice = std::min(getpriority(PRIO_PROCESS, process) + static_cast<int>(spec_.nice), 19);
  if (spec_.nice != 0 && setpriority(PRIO_PROCESS, process, nice) != 0) {
    return absl::PermissionDeniedError("cannot set nice to " + std::to_string(spec_.nice) + ": " + strerror(errno));
  }
  const bool launcher = spec_.start_method == core::StartMethod::kSpawn;
  const std::string exec_path = !launcher                    ? ""
                                : spec_.program_path.empty() ? thread_->options.pool_worker_path
                                                             : spec_.program_path;
  const std::uint64_t max_result_bytes = thread_->options.limits.max_payload_bytes;
  if (launcher) worker_setup_ = MakeSetupFrame(spec_, generation_, max_result_bytes, "", {});
  outgoing_.tail()->append(MakeSetupFrame(spec_, generation_, max_result_bytes, exec_path, *limits));
  Flush();
  return absl::OkStatus();
}

absl::Status ZygoteClient::SpawnProgram(int channel, int out, int err, const ZygoteScope& made) {
  SpawnOptions options;
  const std::string& ours = thread_->options.pool_worker_path;
  const bool launcher = spec_.start_method == core::StartMethod::kSpawn;
  program_ = launcher || spec_.program_path.empty() ? ours : spec_.program_path;
  options.program = program_;
  options.environment = BaseEnvironment();
  // Names are looked up once, here, and not in each clone, which would copy the pages where they are written. The
  // program takes both variables back.
  if (!launcher && program_ == ours && !spec_.environment.contains("LD_BIND_NOW")) {
    options.environment["LD_BIND_NOW"] = options.environment["POOLD_BIND_NOW"] = "1";
  }
  if (!thread_->client_address.empty()) options.environment["POOLD_ADDRESS"] = thread_->client_address;
  for (const auto& [name, value] : spec_.environment) options.environment[name] = value;
  DivideComputeThreads(thread_->options.cpus, spec_.workers, &options.environment);
  if (!thread_->options.worker_secret.empty()) options.environment["POOLD_WORKER"] = thread_->options.worker_secret;
  for (const auto& [name, value] : made.environment) options.environment[name] = value;
  options.environment["POOLD_ROLE"] = "zygote";
  options.environment["POOLD_CHANNEL_FD"] = std::to_string(kChannelFd);
  options.working_directory = spec_.working_directory.empty() ? "/" : spec_.working_directory;
  options.descriptors = {-1, out, err, channel};
  if (made.kill_all) {
    options.environment["POOLD_CGROUP_KILL_FD"] = std::to_string(kCgroupKillFd);
    options.descriptors.push_back(made.kill_all.get());
  }
  PendingChild pending_child(&thread_->registry->children);
  auto pid = process::Spawn(options);
  if (!pid.ok()) {
    pending_child.Failed();
    return pid.status();
  }
  // Another zygote, which has run code of others, may have named it before we could. Then it is that one's.
  if (!pending_child.Add(*pid)) return absl::UnavailableError("the zygote was taken for a worker by another one");
  pid_ = *pid;
  limits_ = InheritedLimits::Look();
  pidfd_ = OpenPidFd(pid_);
  absl::Status watched = pidfd_
                             ? pid_watch_.Start(thread_->loop, pidfd_.get(), [this] { thread_->attend_zygote(this); })
                             : absl::ResourceExhaustedError(std::string("cannot watch the zygote: ") + strerror(errno));
  if (watched.ok()) {
    pid_watch_.Want(true, false);
    watched = socket_watch_.Start(thread_->loop, socket_.get(), [this] { thread_->attend_zygote(this); });
  }
  if (!watched.ok()) kill(pid_, SIGKILL);  // ours and not reaped
  socket_watch_.Want(true, false);
  return watched;
}

void ZygoteClient::Stop() {
  stop_wanted_ = true;
  if (phase_ == ZygotePhase::kStarting || phase_ == ZygotePhase::kReady) Transition(&phase_, ZygotePhase::kStopping);
  // Its workers may need it: the kernel ends a PID namespace with its zygote, and of a cgroup it is the zygote that
  // guards the pool against the daemon's sudden end.
  if (workers_.empty()) Kill();
}

void ZygoteClient::WorkerEnds(WorkerProcess* worker) {
  workers_.erase(worker);
  if (stop_wanted_ && workers_.empty()) Kill();
}

void ZygoteClient::Kill() {
  if (phase_ != ZygotePhase::kNew && !HasProcess(phase_)) return;
  if (phase_ != ZygotePhase::kKilled) Transition(&phase_, ZygotePhase::kKilled);
  SendSignal(pidfd_, SIGKILL);
  if (!pidfd_) {
    // Without a watch we look now and then.
    kill(pid_, SIGKILL);
    timer_.Arm(core::kMillisecond);
  }
}

void ZygoteClient::KillWithReason(const std::string& why) {
  if (failure_.empty()) failure_ = why;
  base::Log(base::Level::kWarning, "zygote_killed", {{"pool", spec_.name}, {"pid", pid_}, {"why", why}});
  Kill();
}

void ZygoteClient::Clone(WorkerProcess* worker, std::vector<wire::UniqueFd> fds, bool has_cgroup) {
  if (std::exchange(clone_failed_, false)) limits_.Lift(pid_);
  internal::Clone clone;
  clone.set_worker_id(static_cast<std::uint64_t>(worker->id()));
  clone.set_has_cgroup(has_cgroup);
  outgoing_.AttachFds(std::move(fds));
  wire::AppendFrame(internal::FRAME_KIND_CLONE, &clone, {}, outgoing_.tail());
  clones_.insert_or_assign(worker->id(), Asked{worker, PendingChild(&thread_->registry->children)});
  Flush();
}

void ZygoteClient::Flush() {
  if (outgoing_.empty()) return;
  const auto progress = outgoing_.Write(socket_.get());
  // A broken channel is that of a dead zygote, of which the pidfd tells.
  socket_watch_.Want(true, progress.ok() && *progress == Outgoing::Progress::kWouldBlock);
}

void ZygoteClient::TakeExit() {
  if (!HasProcess(phase_)) return;
  const std::optional<Death> death = thread_->registry->children.Reap(pid_);
  if (!death) return;
  pid_watch_.Stop();
  end_ = {.death = *death, .killed = phase_ == ZygotePhase::kKilled};
  Transition(&phase_, ZygotePhase::kDead);
}

void ZygoteClient::Service() {
  if (gone()) return;
  TakeExit();
  DrainPipes();
  ReadSocket();
  if (!end_) return Flush();
  // Workers that never came to be are told first: their loss says why the pool does not start, its own does not.
  if (FailClones()) return thread_->attend_zygote(this);
  Reap();
}

void ZygoteClient::ReadSocket() {
  while (socket_watch_.started()) {
    char* const room = parser_.Reserve(kZygoteReadBytes);
    const ssize_t got = recv(socket_.get(), room, kZygoteReadBytes, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (got <= 0) {
      // Mostly it is about to end, and tells better by its exit why.
      socket_watch_.Stop();
      timer_.Arm(core::kSecond);
      return;
    }
    parser_.Commit(static_cast<std::size_t>(got));
    for (;;) {
      const auto frame = parser_.Next();
      if (!frame.ok()) {
        socket_watch_.Stop();
        return KillWithReason("zygote wrote a broken frame: " + std::string(wire::ToStd(frame.status().message())));
      }
      if (!*frame) break;
      OnFrame(**frame);
    }
    if (got < static_cast<ssize_t>(kZygoteReadBytes)) return;
  }
}

void ZygoteClient::OnFrame(const wire::Frame& frame) {
  switch (frame.kind) {
    case internal::FRAME_KIND_READY:
      return OnReady(frame);
    case internal::FRAME_KIND_CLONED:
      return OnCloned(frame);
    case internal::FRAME_KIND_STARTING:
      doing_ = ParseStarting(frame);
      return;
    case internal::FRAME_KIND_START_FAILED: {
      internal::StartFailed failed;
      if (failed.ParseFromArray(frame.message.data(), static_cast<int>(frame.message.size())) && failure_.empty()) {
        failure_ = DescribeStartFailure(failed);
        if (failed.shortage()) cause_ = core::LossCause::kResources;
      }
      return;
    }
    case internal::FRAME_KIND_CLONE_FAILED: {
      internal::CloneFailed failed;
      if (!failed.ParseFromArray(frame.message.data(), static_cast<int>(frame.message.size()))) break;
      const auto found = clones_.find(core::WorkerId{failed.worker_id()});
      if (found == clones_.end()) break;
      WorkerProcess* const worker = found->second.worker;
      clones_.erase(found);
      clone_failed_ = true;
      worker->OnCloneFailed("zygote could not clone a worker: " + failed.message(),
                            failed.shortage() ? core::LossCause::kResources : core::LossCause::kItself);
      return;
    }
    default:
      break;
  }
  KillWithReason("zygote sent a frame that makes no sense, of kind " + std::to_string(frame.kind));
}

void ZygoteClient::OnReady(const wire::Frame& frame) {
  internal::Ready ready;
  if (ready_ || !ready.ParseFromArray(frame.message.data(), static_cast<int>(frame.message.size()))) {
    return KillWithReason("zygote sent a READY that makes no sense");
  }
  if (ready.protocol_version() != wire::kProtocolVersion) {
    return KillWithReason(program_ + " speaks protocol version " + std::to_string(ready.protocol_version()) +
                          ", this daemon speaks " + std::to_string(wire::kProtocolVersion) + ": build it again");
  }
  FunctionList functions = TakeFunctions(&ready);
  if (const std::string wrong = WhatIsWrong(*functions); !wrong.empty()) return KillWithReason(program_ + " " + wrong);
  ready_ = {.functions = std::move(functions), .sets_limits = ready.sets_limits()};
  if (phase_ == ZygotePhase::kStarting) Transition(&phase_, ZygotePhase::kReady);
  timer_.Disarm();
  scope_->OnZygoteReady(pid_);
  if (!stop_wanted_) thread_->batch.AddZygoteReady(pool_, generation_);
}

void ZygoteClient::OnCloned(const wire::Frame& frame) {
  internal::Cloned cloned;
  const bool parsed = cloned.ParseFromArray(frame.message.data(), static_cast<int>(frame.message.size()));
  const auto found = clones_.find(core::WorkerId{cloned.worker_id()});
  if (!parsed || found == clones_.end()) return KillWithReason("zygote cloned a worker that nobody asked for");
  WorkerProcess* const worker = found->second.worker;
  const pid_t pid = static_cast<pid_t>(cloned.pid());
  // The zygote has run code of others: only a child of ours that is nobody else's is believed.
  const bool plausible = found->second.pending_child.Add(pid);
  clones_.erase(found);
  if (plausible) return worker->OnCloned(pid);
  worker->OnCloneFailed(
      "zygote named process " + std::to_string(cloned.pid()) + " as the worker, which is no child of the daemon",
      core::LossCause::kItself);
  KillWithReason("zygote named a process that it did not clone");
}

void ZygoteClient::DrainPipes() {
  for (OutputPipe& pipe : pipes_) {
    pipe.Read(kPipeBytesPerTurn, [this](std::string_view text) { output_.Append(text); });
  }
}

std::string ZygoteClient::Words() const {
  if (!failure_.empty()) return failure_;
  if (stop_wanted_) return "";
  std::string words = "zygote " + Describe(end_->death) + (ready_ ? "" : " before it was ready" + While(doing_));
  const std::string output = output_.Last();
  return output.empty() ? words : words + "; output: " + output;
}

core::LossCause ZygoteClient::Cause() const {
  if (!failure_.empty() || !end_ || end_->killed) return cause_;
  return CauseOf(end_->death, {}, end_->death.signal == SIGKILL && scope_ != nullptr && scope_->OutOfMemory());
}

bool ZygoteClient::FailClones() {
  if (clones_.empty()) return false;
  const std::string words = Words();
  auto clones = std::move(clones_);
  clones_.clear();
  for (auto& [id, asked] : clones) {
    asked.worker->OnCloneFailed(words.empty() ? "its zygote was stopped" : "its zygote is gone: " + words, Cause());
  }
  return true;
}

void ZygoteClient::Reap() {
  // What it left may have nothing to do with its workers, which live on.
  if (scope_ != nullptr && !scope_->Empty()) {
    if (++reap_tries_ < kMaxReapTries) return timer_.Arm(core::kMillisecond * std::min(1 + reap_tries_ / 4, 20));
    base::Log(base::Level::kError, "zygote_tree_survives",
              {{"pool", spec_.name}, {"pid", pid_}, {"why", "SIGKILL did not end it"}});
  }
  timer_.Stop();
  socket_watch_.Stop();
  for (OutputPipe& pipe : pipes_) pipe.Close();
  for (WorkerProcess* worker : workers_) worker->ZygoteGone();
  Transition(&phase_, ZygotePhase::kGone);
  thread_->batch.AddZygoteLost(pool_, generation_, Words(), Cause());
}

}  // namespace poold::process
