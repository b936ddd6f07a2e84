// Addresses and sockets: what is refused, what is replaced, what is left behind.
#include "transport/listen.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "server_fixture.h"
#include "transport/acceptor.h"
#include "transport/grpc/grpc_refusals.h"
#include "transport/local/payload_socket.h"

namespace poold::transport {
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

// Who is silent is not handed over.
wire::UniqueFd ConnectAndSpeak(const std::string& path) {
  wire::UniqueFd fd = Connect(path);
  EXPECT_EQ(send(fd.get(), "x", 1, MSG_NOSIGNAL), 1);
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

// Greets, and closes its end when the peer is gone.
class Greeter {
 public:
  explicit Greeter(const std::string& path, ConnectionTable::Bounds bounds)
      : table(std::make_shared<ConnectionTable>(bounds, "full")) {
    std::vector<Door> doors;
    doors.push_back({ListenSocket::Open({.unix_path = path}).value(), Transport::kLocal, table, 1,
                     [this](wire::UniqueFd* fd, Ticket* ticket) {
                       std::lock_guard lock(mu);
                       guests.emplace_back(std::move(*fd), std::move(*ticket));
                       EXPECT_EQ(send(guests.back().first.get(), "hello", 5, MSG_NOSIGNAL), 5);
                       return absl::OkStatus();
                     }});
    acceptor = std::make_unique<Acceptor>(std::move(doors));
  }

  void Start() { EXPECT_TRUE(acceptor->Start().ok()); }

  std::shared_ptr<ConnectionTable> table;
  std::mutex mu;
  std::vector<std::pair<wire::UniqueFd, Ticket>> guests;
  std::unique_ptr<Acceptor> acceptor;
};

std::string Heard(const wire::UniqueFd& fd) {
  char words[32];
  const ssize_t got = recv(fd.get(), words, sizeof words, 0);
  return got < 0 ? "" : std::string(words, static_cast<std::size_t>(got));
}

TEST(Acceptor, TellsWhoIsOneTooManyAndLetsInAgainWhenOneIsGone) {
  const PrivateFolder folder;
  const std::string path = folder / "poold.sock";
  Greeter greeter(path, {.all = 1, .per_peer = 1});
  greeter.Start();
  const wire::UniqueFd first = ConnectAndSpeak(path);
  EXPECT_EQ(Heard(first), "hello");
  {
    std::lock_guard lock(greeter.mu);
    greeter.guests[0].second->BeginCall();
  }
  // Refused before it speaks.
  const wire::UniqueFd second = Connect(path);
  EXPECT_EQ(Heard(second), LocalFarewell());
  EXPECT_EQ(Heard(second), "");
  {
    std::lock_guard lock(greeter.mu);
    greeter.guests.clear();
  }
  EXPECT_EQ(Heard(ConnectAndSpeak(path)), "hello");
  greeter.acceptor->Stop();
  EXPECT_FALSE(Exists(path));
}

TEST(Acceptor, MakesNoRoomForConnectionsThatEndedBeforeTheyWereAccepted) {
  const PrivateFolder folder;
  const std::string path = folder / "poold.sock";
  Greeter greeter(path, {.all = 1, .per_peer = 1});
  Connect(path).Reset();
  const wire::UniqueFd live = ConnectAndSpeak(path);
  greeter.Start();
  EXPECT_EQ(Heard(live), "hello");
}

TEST(Acceptor, KeepsWhoIsSilentUntilItSpeaks) {
  const PrivateFolder folder;
  const std::string path = folder / "poold.sock";
  Greeter greeter(path, {});
  greeter.Start();
  const wire::UniqueFd silent = Connect(path);
  EXPECT_EQ(Heard(ConnectAndSpeak(path)), "hello");
  {
    std::lock_guard lock(greeter.mu);
    EXPECT_EQ(greeter.guests.size(), 1u);
  }
  EXPECT_EQ(send(silent.get(), "x", 1, MSG_NOSIGNAL), 1);
  EXPECT_EQ(Heard(silent), "hello");
}

TEST(Acceptor, KnowsWhoComes) {
  const PrivateFolder folder;
  const std::string path = folder / "poold.sock";
  Greeter greeter(path, {});
  greeter.Start();
  const wire::UniqueFd first = ConnectAndSpeak(path), second = ConnectAndSpeak(path);
  EXPECT_EQ(Heard(first) + Heard(second), "hellohello");
  std::lock_guard lock(greeter.mu);
  const Peer& peer = greeter.guests[0].second->peer();
  EXPECT_EQ(peer.uid, geteuid());
  EXPECT_EQ(peer.gid, getegid());
  EXPECT_EQ(peer.pid, getpid());
  EXPECT_NE(peer.connection, 0u);
  EXPECT_NE(peer.connection, greeter.guests[1].second->peer().connection);
}

}  // namespace
}  // namespace poold::transport
