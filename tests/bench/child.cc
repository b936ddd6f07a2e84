#include "child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "roles.h"
#include "transfer.h"

namespace poold::bench {
namespace {

// In the child, where only what is safe in a signal handler may be called: its parent may have had threads.
[[noreturn]] void Become(const char* program, char* const* argv, int socket, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
  dup2(socket, STDIN_FILENO);
  dup2(socket, STDOUT_FILENO);
  execv(program, argv);
  _exit(127);
}

}  // namespace

std::optional<std::string> FindProgram(const std::string& name) {
  for (const char* folder : {"/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/"}) {
    const std::string path = folder + name;
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return std::nullopt;
}

std::string OwnPath() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error);
}

absl::StatusOr<Child> Child::Run(const std::string& program, const std::vector<std::string>& arguments, End end) {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) return absl::InternalError("no socketpair");
  wire::UniqueFd ours(sockets[0]);
  wire::UniqueFd theirs(sockets[1]);
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) Become(program.c_str(), argv.data(), theirs.get(), parent);
  if (pid < 0) return absl::InternalError("fork failed");
  return Child(program, pid, std::move(ours), end);
}

absl::StatusOr<Child> Child::RunRole(const std::string& role, std::vector<std::string> arguments, End end) {
  arguments.insert(arguments.begin(), {kRoleFlag, role});
  return Run(OwnPath(), arguments, end);
}

absl::StatusOr<std::vector<Child>> Child::RunRoles(std::uint32_t count, const std::string& role,
                                                   const std::vector<std::string>& arguments, End end) {
  std::vector<Child> children;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto child = RunRole(role, arguments, end);
    if (!child.ok()) return child.status();
    children.push_back(*std::move(child));
  }
  return children;
}

Child::Child(Child&& other) noexcept
    : name_(std::move(other.name_)),
      pid_(std::exchange(other.pid_, 0)),
      socket_(std::move(other.socket_)),
      end_(other.end_),
      read_(std::move(other.read_)) {}

Child& Child::operator=(Child&& other) noexcept {
  Stop();
  name_ = std::move(other.name_);
  pid_ = std::exchange(other.pid_, 0);
  socket_ = std::move(other.socket_);
  end_ = other.end_;
  read_ = std::move(other.read_);
  return *this;
}

void Child::Stop() {
  if (pid_ == 0) return;
  socket_ = wire::UniqueFd();
  if (end_ == End::kSignal) kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

bool Child::ended() const {
  siginfo_t ended{};
  return waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == pid_;
}

absl::Status Child::WriteLine(const std::string& line) {
  if (WriteAll(socket_.get(), absl::StrCat(line, "\n"))) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(name_, " is gone"));
}

absl::StatusOr<std::string> Child::ReadLine() {
  std::size_t end;
  while ((end = read_.find('\n')) == std::string::npos) {
    char part[4096];
    const ssize_t got = read(socket_.get(), part, sizeof part);
    if (got <= 0) return absl::UnavailableError(absl::StrCat(name_, " ended without an answer"));
    read_.append(part, static_cast<std::size_t>(got));
  }
  std::string line = read_.substr(0, end);
  read_.erase(0, end + 1);
  return line;
}

}  // namespace poold::bench
