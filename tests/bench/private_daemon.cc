#include "private_daemon.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "connect_to.h"

namespace poold::bench {
namespace {

namespace fs = std::filesystem;

fs::path OwnFolder() { return fs::path(OwnPath()).parent_path(); }

std::string BesideUs() { return OwnFolder() / "poold"; }

// With the module `testing`, which an installed daemon does not look for by itself.
std::vector<std::string> ModuleFolders() {
  const fs::path root = OwnFolder().parent_path() / "lib" / "poold";
  if (!fs::exists(root / "testing")) return {};
  return {"--module-folder", root / "modules", "--module-folder", root / "testing"};
}

}  // namespace

int FreePort() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const wire::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) return 0;
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

PrivateDaemon::PrivateDaemon(PrivateFolder folder)
    : folder_(std::move(folder)),
      socket_(folder_.At("poold.sock")),
      tcp_address_(absl::StrCat("127.0.0.1:", FreePort())) {}

absl::StatusOr<std::unique_ptr<PrivateDaemon>> PrivateDaemon::Start(const std::vector<std::string>& more) {
  const std::string program = BesideUs();
  if (access(program.c_str(), X_OK) != 0) {
    return absl::NotFoundError(absl::StrCat("there is no program ", program, " to start; name a poold by --address"));
  }
  auto folder = PrivateFolder::Make();
  if (!folder.ok()) return folder.status();
  std::unique_ptr<PrivateDaemon> daemon(new PrivateDaemon(*std::move(folder)));
  std::vector<std::string> arguments = {"--listen",    daemon->address(), "--listen", daemon->tcp_address(),
                                        "--log-level", "warning"};
  const std::vector<std::string> folders = ModuleFolders();
  arguments.insert(arguments.end(), folders.begin(), folders.end());
  arguments.insert(arguments.end(), more.begin(), more.end());
  auto child = Child::Run(program, arguments);
  if (!child.ok()) return child.status();
  daemon->child_ = *std::move(child);
  while (!ConnectTo(daemon->socket_)) {
    if (daemon->child_.ended()) {
      return absl::UnavailableError(absl::StrCat(program, " ended at its start; its log says why"));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  return daemon;
}

}  // namespace poold::bench
