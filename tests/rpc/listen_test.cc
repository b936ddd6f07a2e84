// Addresses and sockets: what is refused, what is replaced, what is left behind.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <fstream>

#include "rpc/acceptor.h"
#include "rpc/listen_address.h"
#include "rpc/listen_socket.h"
#include "server_fixture.h"

namespace poold::rpc {
namespace {

bool Exists(const std::string& path) {
  struct stat found {};
  return lstat(path.c_str(), &found) == 0;
}

mode_t ModeOf(const std::string& path) {
  struct stat found {};
  return lstat(path.c_str(), &found) == 0 ? found.st_mode & 0777 : 0;
}

wire::UniqueFd Connect(const std::string& path) {
  wire::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  strcpy(name.sun_path, path.c_str());
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)) != 0) fd.Reset();
  return fd;
}

TEST(ListenAddress, LoopbackAndUnixAreTaken) {
  EXPECT_EQ(ParseListenAddress("unix:/run/p.sock")->unix_path, "/run/p.sock");
  EXPECT_EQ(ParseListenAddress("unix:///run/p.sock")->unix_path, "/run/p.sock");
  EXPECT_EQ(ParseListenAddress("/run/p.sock")->ToString(), "unix:/run/p.sock");
  EXPECT_EQ(ParseListenAddress("localhost:7340")->ToString(), "127.0.0.1:7340");
  EXPECT_EQ(ParseListenAddress("tcp:[::1]:7340")->ToString(), "[::1]:7340");
}

TEST(ListenAddress, EverythingElseIsRefusedWithAdvice) {
  for (const char* text : {"0.0.0.0:1", "192.168.1.1:80", "example.org:80", "[::]:1", ":80"}) {
    const auto parsed = ParseListenAddress(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_NE(parsed.status().message().find(text), absl::string_view::npos);
  }
  EXPECT_NE(ParseListenAddress("0.0.0.0:1").status().message().find("loopback"), absl::string_view::npos);
  EXPECT_FALSE(ParseListenAddress("127.0.0.1:99999").ok());
  EXPECT_FALSE(ParseListenAddress("unix:relative").ok());
  EXPECT_FALSE(ParseListenAddress("unix:/" + std::string(107, 'x')).ok());
  EXPECT_TRUE(ParseListenAddress("unix:/" + std::string(106, 'x')).ok());
}

TEST(ListenSocket, IsPrivateAndGoesWithItsOwner) {
  const PrivateFolder folder;
  const std::string path = folder / "inner/poold.sock";
  {
    const auto socket = ListenSocket::Open({.unix_path = path});
    ASSERT_TRUE(socket.ok()) << socket.status();
    EXPECT_EQ(ModeOf(path), 0600u);
    EXPECT_EQ(ModeOf(folder / "inner"), 0700u);
  }
  EXPECT_FALSE(Exists(path));
}

TEST(ListenSocket, ALiveOneIsRefused) {
  const PrivateFolder folder;
  const ListenAddress address{.unix_path = folder / "poold.sock"};
  const auto first = ListenSocket::Open(address);
  ASSERT_TRUE(first.ok());
  const auto second = ListenSocket::Open(address);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_NE(second.status().message().find("a running daemon answers there"), absl::string_view::npos);
  EXPECT_TRUE(Exists(address.unix_path));
}

TEST(ListenSocket, AStaleOneIsReplaced) {
  const PrivateFolder folder;
  const std::string path = folder / "poold.sock";
  {
    const wire::UniqueFd left(socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    strcpy(name.sun_path, path.c_str());
    ASSERT_EQ(bind(left.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
  }
  ASSERT_TRUE(Exists(path));
  EXPECT_TRUE(ListenSocket::Open({.unix_path = path}).ok());
}

TEST(ListenSocket, AnotherFileIsNotTouched) {
  const PrivateFolder folder;
  const std::string path = folder / "poold.sock";
  std::ofstream(path) << "precious";
  EXPECT_FALSE(ListenSocket::Open({.unix_path = path}).ok());
  EXPECT_TRUE(Exists(path));
}

TEST(ListenSocket, ATcpPortInUseIsNamed) {
  const auto first = ListenSocket::Open({.host = "127.0.0.1"});
  ASSERT_TRUE(first.ok());
  const auto second = ListenSocket::Open(first->address());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_NE(second.status().message().find(std::to_string(first->address().port)), absl::string_view::npos);
}

TEST(Acceptor, RefusesAboveTheCapAndAcceptsAgainWhenOneIsGone) {
  const PrivateFolder folder;
  const std::string path = folder / "poold.sock";
  std::vector<ListenSocket> sockets;
  sockets.push_back(ListenSocket::Open({.unix_path = path}).value());
  // Stands for gRPC: greets, and closes its end when the peer is gone.
  std::mutex mu;
  std::vector<wire::UniqueFd> handed_over;
  Acceptor acceptor(std::move(sockets), 1, [&](int fd) {
    std::lock_guard lock(mu);
    handed_over.emplace_back(fd);
    EXPECT_EQ(send(fd, "x", 1, MSG_NOSIGNAL), 1);
  });
  ASSERT_TRUE(acceptor.Start().ok());
  const auto greeted = [](const wire::UniqueFd& fd) {
    char byte = 0;
    return recv(fd.get(), &byte, 1, 0) == 1;
  };
  wire::UniqueFd first = Connect(path);
  EXPECT_TRUE(greeted(first));
  EXPECT_FALSE(greeted(Connect(path)));
  first.Reset();
  {
    std::lock_guard lock(mu);
    handed_over.clear();
  }
  // The hang-up is noticed by the acceptor's thread: until then it refuses.
  bool again = false;
  for (int tries = 0; tries < 100'000 && !again; ++tries) again = greeted(Connect(path));
  EXPECT_TRUE(again);
  acceptor.Stop();
  EXPECT_FALSE(Exists(path));
}

}  // namespace
}  // namespace poold::rpc
