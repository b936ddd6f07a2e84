#include "daemon_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

extern char** environ;

namespace poold::client {

std::string DaemonTest::FreeAddress() {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof name;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&name), bytes), 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&name), &bytes);
  close(fd);
  return "127.0.0.1:" + std::to_string(ntohs(name.sin_port));
}

void DaemonTest::SetUp() {
  std::string folder = std::filesystem::temp_directory_path() / "poold-client-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  folder_ = folder;
  if (std::getenv("POOLD_TEST_TCP") != nullptr) tcp_address_ = FreeAddress();
  StartDaemon();
}

void DaemonTest::TearDown() {
  KillDaemon();
  std::filesystem::remove_all(folder_);
}

void DaemonTest::StartDaemon() {
  const std::string program = POOLD_BIN_DIR "/poold";
  std::vector<std::string> arguments{program, "--listen", address(), "--log-level", "warning"};
  if (!tcp_address_.empty()) arguments.insert(arguments.end(), {"--listen", tcp_address_});
  for (const std::string& flag : MoreFlags()) arguments.push_back(flag);
  if (const char* const shards = std::getenv("POOLD_TEST_SHARDS")) {
    arguments.insert(arguments.end(), {"--shards", shards});
  }
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ASSERT_EQ(posix_spawn(&daemon_, program.c_str(), nullptr, nullptr, argv.data(), environ), 0) << program;
  ASSERT_TRUE(MakeConnection({.address = address(), .wait_for_daemon = true}).ok());
}

void DaemonTest::KillDaemon() { EndDaemon(SIGKILL); }

void DaemonTest::StopDaemon() { EndDaemon(SIGTERM); }

void DaemonTest::EndDaemon(int signal) {
  if (daemon_ <= 0) return;
  kill(daemon_, signal);
  waitpid(daemon_, nullptr, 0);
  daemon_ = -1;
}

Client DaemonTest::Connect(ClientOptions options) {
  if (options.address.empty()) options.address = tcp_address_.empty() ? address() : tcp_address_;
  if (std::getenv("POOLD_TEST_ONLY_GRPC") != nullptr) options.only_grpc = true;
  auto client = Client::Connect(std::move(options));
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

Pool DaemonTest::OpenPool(const Client& client, const std::string& name, unsigned workers) {
  auto pool = client.OpenPool({.name = name, .workers = workers, .modules = {"testing"}});
  EXPECT_TRUE(pool.ok()) << pool.status();
  return *std::move(pool);
}

}  // namespace poold::client
