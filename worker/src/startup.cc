#include "startup.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clone.h"
#include "exec_function.h"
#include "failure.h"
#include "own_process.h"
#include "wire/absl_text.h"
#include "wire/frame.h"
#include "wire/readable.h"
#include "wire/worker_page.h"

namespace poold::worker {
namespace {

constexpr std::uint64_t kDefaultMaxResultBytes = std::uint64_t{1} << 30;
constexpr std::size_t kMaxHelpBytes = 4096;

internal::StartFailed Failed(const std::string& phase, const TaskFailure& failure) {
  internal::StartFailed failed;
  failed.set_phase(phase);
  *failed.mutable_failure() = ToProto(failure);
  return failed;
}

internal::StartFailed Failed(const std::string& phase, const std::string& type, const std::string& message) {
  return Failed(phase, TaskFailure{type, message, "", 0});
}

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

Startup::Startup(Fate fate) : fate_(fate), functions_(&host_) {}

std::optional<internal::StartFailed> Startup::Load(const internal::Setup& setup) {
  setup_ = setup;
  context_.pool = setup_.pool();
  if (setup.protocol_version() != wire::kProtocolVersion) {
    return Failed("protocol", "poold.ProtocolError",
                  absl::StrCat("the daemon speaks version ", setup.protocol_version(),
                               " of the worker protocol, this worker program version ", wire::kProtocolVersion));
  }
  if (!setup.exec_path().empty()) return std::nullopt;
  if (auto failed = CheckThreads("module", "the worker program")) return failed;
  absl::Status added = functions_.AddProgram();
  for (const std::string& path : setup.module_paths()) {
    if (added.ok()) added = LoadModule(path);
    if (added.ok()) {
      if (auto failed = CheckThreads("module", "module " + path)) return failed;
    }
  }
  if (added.ok() && setup.allow_exec()) added = functions_.AddBuiltIn(MakeExecFunction(MaxResultBytes(), &context_));
  if (!added.ok()) return Failed("module", "poold.ModuleError", std::string(wire::ToStd(added.message())));
  return std::nullopt;
}

absl::Status Startup::LoadModule(const std::string& path) {
  Announce("loading the module " + path);
  if (fate_ == Fate::kLocal) return functions_.AddModule(path);
  copies_.Before(path);
  absl::Status added = functions_.AddModule(path);
  LeaveIfChild(kChildReturned);
  absl::Status copied = copies_.After(path);
  return added.ok() ? copied : added;
}

std::uint64_t Startup::MaxResultBytes() const {
  return setup_.max_result_bytes() == 0 ? kDefaultMaxResultBytes : setup_.max_result_bytes();
}

std::optional<internal::StartFailed> Startup::CheckThreads(const std::string& phase, const std::string& who) const {
  if (fate_ != Fate::kCloned || IsAlone()) return std::nullopt;
  // Some are ended before a fork.
  absl::Status handled = PrepareToFork();
  const bool alone = BecomesAlone();
  if (handled.ok()) handled = AfterForkInParent();
  if (!handled.ok()) return Failed(phase, "poold.ThreadError", std::string(wire::ToStd(handled.message())));
  if (alone) return std::nullopt;
  const std::vector<OtherThread> threads = OtherThreads();
  return Failed(phase, "poold.ThreadError",
                absl::StrCat(who, " leaves ", threads.size(), threads.size() == 1 ? " thread" : " threads",
                             " running (", Describe(threads),
                             "): workers cloned from this process would not have them and would deadlock. End them "
                             "before it returns, start them in the initializer, or open the pool with "
                             "START_METHOD_SPAWN, whose workers start afresh and may have threads"));
}

std::optional<internal::StartFailed> Startup::Preload() {
  if (!setup_.exec_path().empty()) return std::nullopt;
  for (const std::string& name : setup_.preload()) {
    if (auto failed = CallByName("preload", name, Call{})) return failed;
    if (auto failed = CheckThreads("preload", "preload function '" + name + "'")) return failed;
    if (fate_ != Fate::kLocal) copies_.CopyMore();
  }
  return std::nullopt;
}

std::optional<internal::StartFailed> Startup::Initialize() {
  if (setup_.initializer().empty()) return std::nullopt;
  Call call;
  call.encoding = static_cast<Encoding>(setup_.initializer_encoding());
  call.args = setup_.initializer_args();
  return CallByName("initializer", setup_.initializer(), call);
}

std::optional<internal::StartFailed> Startup::CallByName(const std::string& phase, const std::string& name,
                                                         const Call& call) {
  const Function* const function = functions_.Find(name);
  if (function == nullptr) {
    return Failed(phase, "poold.UnknownFunction", absl::StrCat(phase, " '", name, "': no such function is registered"));
  }
  Call named = call;
  named.function = name;
  context_.function = function->name;
  Announce(absl::StrCat("running the ", phase, " '", name, "'"));
  Reply reply;
  try {
    function->invoke(named, &reply);
    LeaveIfChild(kChildReturned);
  } catch (...) {
    LeaveIfChild(kChildThrew);
    reply.failure = FailureOfException();
  }
  context_.function = {};
  if (!reply.failure) return std::nullopt;
  reply.failure->message = absl::StrCat(phase, " '", name, "': ", reply.failure->message);
  return Failed(phase, *reply.failure);
}

internal::Ready Startup::MakeReady() const {
  internal::Ready ready;
  ready.set_protocol_version(wire::kProtocolVersion);
  ready.set_uses_page(true);
  ready.set_takes_descriptors(true);
  ready.set_takes_arenas(true);
  for (const Function& function : functions_.functions()) {
    internal::Function* const told = ready.add_functions();
    told->set_name(function.name);
    told->set_result_type(function.result_type);
    told->set_help(wire::ReadableStart(function.help, kMaxHelpBytes));
    for (const std::string& argument : function.arguments) told->add_arguments(argument);
    told->set_result(function.result);
  }
  return ready;
}

internal::Ready Startup::MakeCloneReady() {
  internal::Ready ready;
  ready.set_protocol_version(wire::kProtocolVersion);
  ready.set_uses_page(true);
  ready.set_takes_descriptors(true);
  ready.set_takes_arenas(true);
  ready.set_same_functions(true);
  return ready;
}

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
