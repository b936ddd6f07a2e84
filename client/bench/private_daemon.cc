#include "bench/private_daemon.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"

namespace poold::bench {
namespace {

std::string SocketIn(const std::string& folder) { return folder + "/poold.sock"; }

std::string BesideUs() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "poold";
}

bool Listens(const std::string& socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_path.c_str(), sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return connected;
}

// In the child. Does not come back.
[[noreturn]] void Become(const std::string& program, const std::string& address, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
  execl(program.c_str(), program.c_str(), "--listen", address.c_str(), "--log-level", "warning", nullptr);
  _exit(127);
}

}  // namespace

PrivateDaemon::PrivateDaemon(std::string folder, pid_t pid)
    : folder_(std::move(folder)), socket_(SocketIn(folder_)), pid_(pid) {}

absl::StatusOr<std::unique_ptr<PrivateDaemon>> PrivateDaemon::Start() {
  const std::string program = BesideUs();
  if (access(program.c_str(), X_OK) != 0) {
    return absl::NotFoundError(absl::StrCat("--spawn: there is no program ", program, "; start poold yourself"));
  }
  std::string folder = (std::filesystem::temp_directory_path() / "poold-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return absl::InternalError(absl::StrCat("no folder ", folder));
  const std::string address = "unix:" + SocketIn(folder);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) Become(program, address, parent);
  if (pid < 0) return absl::InternalError("fork failed");
  std::unique_ptr<PrivateDaemon> daemon(new PrivateDaemon(folder, pid));
  while (!Listens(daemon->socket_)) {
    siginfo_t ended{};
    if (waitid(P_PID, pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == pid) {
      return absl::UnavailableError(absl::StrCat(program, " ended at its start; its log says why"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return daemon;
}

PrivateDaemon::~PrivateDaemon() {
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace poold::bench
