#include "exec_function.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "contract/option.h"
#include "poold/codec/codec.h"
#include "wire/absl_text.h"
#include "wire/unique_fd.h"

extern char** environ;

namespace poold::worker {
namespace {

constexpr std::size_t kPipeReadBytes = 64 * 1024;

absl::Status CannotStart(const Program& program, int error) {
  return absl::ErrnoToStatus(error, absl::StrCat("cannot start '", program.argv[0], "'"));
}

struct Pipe {
  wire::UniqueFd read;
  wire::UniqueFd write;
};

// Above the standard descriptors, so that giving them to the program cannot overwrite one that is still to be given.
wire::UniqueFd Raised(int fd) {
  const wire::UniqueFd low(fd);
  return wire::UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

bool MakePipe(Pipe* pipe) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  pipe->read = Raised(ends[0]);
  pipe->write = Raised(ends[1]);
  return pipe->read && pipe->write;
}

void MakeNonBlocking(const wire::UniqueFd& fd) { fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK); }

void WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// While it lives a pipe without a reader is an error, not our end.
class PipesBreakQuietly {
 public:
  PipesBreakQuietly() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, &before_);
  }
  ~PipesBreakQuietly() { sigaction(SIGPIPE, &before_, nullptr); }
  PipesBreakQuietly(const PipesBreakQuietly&) = delete;
  PipesBreakQuietly& operator=(const PipesBreakQuietly&) = delete;

 private:
  struct sigaction before_ {};
};

// Pointers to texts, for the system.
std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> MergedEnvironment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> merged;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view text = *at;
    if (!added.contains(std::string(text.substr(0, text.find('='))))) merged.emplace_back(text);
  }
  for (const auto& [name, value] : added) merged.push_back(name + "=" + value);
  return merged;
}

class Running {
 public:
  explicit Running(const Program& program) : program_(program) {}
  // Not left behind when something is thrown.
  ~Running() {
    if (pid_ > 0) Kill();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  absl::Status Start();
  absl::StatusOr<ProgramEnd> Finish();

 private:
  absl::Status Spawn();
  void Kill() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  void Feed();
  // False: nothing more is there now.
  bool Take(wire::UniqueFd* from, int mirror, Bytes* into);
  bool TooMuch() const {
    return end_.standard_output.data.size() + end_.standard_error.data.size() > program_.max_output_bytes;
  }

  const Program& program_;
  pid_t pid_ = -1;
  wire::UniqueFd ended_;
  Pipe in_, out_, err_;
  std::size_t fed_ = 0;
  ProgramEnd end_;
  char buffer_[kPipeReadBytes];
};

absl::Status Running::Start() {
  if (!MakePipe(&out_) || !MakePipe(&err_)) return CannotStart(program_, errno);
  if (program_.standard_input ? !MakePipe(&in_) : !(in_.read = Raised(open("/dev/null", O_RDONLY | O_CLOEXEC)))) {
    return CannotStart(program_, errno);
  }
  if (absl::Status spawned = Spawn(); !spawned.ok()) return spawned;
  in_.read.Reset();
  out_.write.Reset();
  err_.write.Reset();
  for (const wire::UniqueFd* fd : {&in_.write, &out_.read, &err_.read}) {
    if (*fd) MakeNonBlocking(*fd);
  }
  ended_.Reset(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  return ended_ ? absl::OkStatus() : CannotStart(program_, errno);
}

absl::Status Running::Spawn() {
  if (program_.directory && access(program_.directory->c_str(), X_OK) != 0) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("cannot start '", program_.argv[0], "' in '", *program_.directory, "'"));
  }
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in_.read.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out_.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, err_.write.get(), STDERR_FILENO);
  if (program_.directory) posix_spawn_file_actions_addchdir_np(&files, program_.directory->c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigaddset(&signals, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &signals);

  const std::vector<std::string> environment = MergedEnvironment(program_.environment);
  const int error = posix_spawnp(&pid_, program_.argv[0].c_str(), &files, &attributes, Pointers(program_.argv).data(),
                                 Pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error == 0) return absl::OkStatus();
  pid_ = -1;
  return CannotStart(program_, error);
}

absl::StatusOr<ProgramEnd> Running::Finish() {
  bool ended = false;
  while (!ended) {
    Feed();
    pollfd ready[] = {{in_.write.get(), POLLOUT, 0},
                      {out_.read.get(), POLLIN, 0},
                      {err_.read.get(), POLLIN, 0},
                      {ended_.get(), POLLIN, 0}};
    poll(ready, std::size(ready), -1);
    // Looked at before the pipes: what it wrote before its end is there then.
    ended = ready[3].revents != 0;
    bool more = true;
    while (more && !TooMuch()) {
      more = Take(&out_.read, STDOUT_FILENO, &end_.standard_output);
      more |= Take(&err_.read, STDERR_FILENO, &end_.standard_error);
    }
    if (TooMuch()) {
      Kill();
      return absl::ResourceExhaustedError(absl::StrCat("'", program_.argv[0], "' printed more than a result may have (",
                                                       program_.max_output_bytes, " bytes) and was killed"));
    }
  }
  int status = 0;
  if (waitpid(std::exchange(pid_, -1), &status, 0) < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("how '", program_.argv[0], "' ended is not known"));
  }
  if (WIFEXITED(status)) end_.exit_status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end_.signal = WTERMSIG(status);
  return std::move(end_);
}

void Running::Feed() {
  while (in_.write) {
    const std::string& input = program_.standard_input->data;
    const ssize_t written = write(in_.write.get(), input.data() + fed_, input.size() - fed_);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) return;
    // All of it, or it is not interested.
    if (written < 0 || (fed_ += static_cast<std::size_t>(written)) == input.size()) in_.write.Reset();
  }
}

bool Running::Take(wire::UniqueFd* from, int mirror, Bytes* into) {
  if (!*from) return false;
  const ssize_t got = read(from->get(), buffer_, sizeof buffer_);
  if (got < 0) return errno == EINTR;
  if (got == 0) from->Reset();
  if (got == 0) return false;
  const std::string_view bytes(buffer_, static_cast<std::size_t>(got));
  into->data.append(bytes);
  WriteAll(mirror, bytes);
  return true;
}

// The result's own frame around the outputs.
constexpr std::uint64_t kFrameBytes = 128;

void Append(std::string* out, const ProgramEnd& end) {
  codec::StringSink sink{out};
  codec::Packer packer(sink);
  packer.pack_map(4);
  const auto field = [&](const char* name, const auto& value) {
    codec::Convert<const char*>::Write(packer, name);
    codec::Convert<std::decay_t<decltype(value)>>::Write(packer, value);
  };
  field("exit_status", end.exit_status);
  field("signal", end.signal);
  field("stdout", end.standard_output);
  field("stderr", end.standard_error);
}

bool HasZero(const std::string& text) { return text.find('\0') != std::string::npos; }

// Why it is no argument list; empty: `program` has it.
std::string ReadArguments(const msgpack::object& list, Program* program) {
  if (list.type != msgpack::type::ARRAY || list.via.array.size < 1 || list.via.array.size > 4) {
    return "wanted 1 to 4 arguments (argv, stdin, environment, directory), given " + codec::Describe(list);
  }
  codec::Mismatch mismatch;
  std::optional<std::map<std::string, std::string>> environment;
  std::string wrong;
  const auto read = [&](std::uint32_t place, auto* into) {
    using Value = std::remove_pointer_t<decltype(into)>;
    if (place >= list.via.array.size) return true;
    if (codec::Convert<Value>::Read(list.via.array.ptr[place], into, &mismatch)) return true;
    wrong = "argument " + std::to_string(place + 1) + ": " + mismatch.Text();
    return false;
  };
  if (!read(0, &program->argv) || !read(1, &program->standard_input) || !read(2, &environment) ||
      !read(3, &program->directory)) {
    return wrong;
  }
  if (environment) program->environment = *std::move(environment);
  if (program->argv.empty() || program->argv[0].empty()) return "argument 1: argv names no program";
  bool zero = program->directory && HasZero(*program->directory);
  for (const std::string& text : program->argv) zero |= HasZero(text);
  for (const auto& [name, value] : program->environment) {
    zero |= HasZero(name + value);
    if (name.empty() || name.find('=') != std::string::npos) return "argument 3: '" + name + "' is no variable's name";
  }
  return zero ? "no argument but stdin may hold a zero byte" : "";
}

void Refuse(const std::string& why, Reply* reply) {
  reply->failure = TaskFailure{"poold.ArgumentError", "exec: " + why, "", 0};
}

// Options of the task that programs find in their environment. What the caller says of these variables counts.
void AddVariables(const TaskContext& task, Program* program) {
  for (const option::Option& option : option::kTaskOptions) {
    const std::string_view text = option.variable.empty() ? std::string_view() : task.Option(option.name);
    if (!text.empty()) program->environment.try_emplace(std::string(option.variable), text);
  }
}

void Exec(const Call& call, std::uint64_t max_output_bytes, const TaskContext& task, Reply* reply) {
  if (call.encoding != Encoding::kMsgpack) {
    return Refuse("wanted arguments encoded as msgpack, given " + EncodingName(call.encoding), reply);
  }
  Program program;
  program.max_output_bytes = max_output_bytes;
  std::string wrong;
  const absl::Status parsed =
      codec::VisitValue(call.args, [&](const msgpack::object& list) { wrong = ReadArguments(list, &program); });
  if (!parsed.ok()) wrong = std::string(parsed.message());
  if (!wrong.empty()) return Refuse(wrong, reply);

  AddVariables(task, &program);
  const auto end = RunProgram(program);
  if (end.ok()) return Append(&reply->data, *end);
  const bool too_much = end.status().code() == absl::StatusCode::kResourceExhausted;
  reply->failure = TaskFailure{too_much ? "poold.ResultError" : "poold.ExecError",
                               std::string(wire::ToStd(end.status().message())), "", end.status().raw_code()};
}

}  // namespace

absl::StatusOr<ProgramEnd> RunProgram(const Program& program) {
  const PipesBreakQuietly guard;
  Running running(program);
  if (absl::Status started = running.Start(); !started.ok()) return started;
  return running.Finish();
}

Function MakeExecFunction(std::uint64_t max_result_bytes, const TaskContext* task) {
  const std::uint64_t most = max_result_bytes > kFrameBytes ? max_result_bytes - kFrameBytes : 0;
  return {"exec",
          "exec(argv, stdin, environment, directory): runs a program; exit_status, signal, stdout, stderr",
          "",
          [most, task](const Call& call, Reply* reply) { Exec(call, most, *task, reply); },
          {"array of string", "bytes or nil", "map from string to string", "string or nil"},
          "map from string to any value"};
}

}  // namespace poold::worker
