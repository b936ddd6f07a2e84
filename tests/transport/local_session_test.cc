// Sessions through the payload socket: what is theirs alone. What all sessions do, session_test.cc tests both ways.
#include <atomic>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "payload_caller.h"
#include "session_client.h"

namespace poold::transport {
namespace {

class LocalSessions : public SessionTest {
 protected:
  void SetUp() override {
    SessionTest::SetUp();
    TestSession::local_socket = folder_ / "poold.sock.payloads";
  }
  // A connection that the daemon takes for a session.
  Caller Asked() {
    Caller caller(TestSession::local_socket);
    EXPECT_TRUE(caller.Send(wire::PayloadAsk::kSession, std::string(16, '\0'), 0));
    return caller;
  }
  // Many tasks, so that their outcomes fill every buffer.
  static std::vector<v1::SessionRequest> ManyRequests() {
    std::vector<v1::SessionRequest> requests(400);
    requests[0] = TestSession::Hello();
    for (std::size_t i = 0; i < requests.size(); ++i) {
      AddTasks(&requests[i], "echo", i * kTasks, std::vector<std::string>(kTasks, "x"));
    }
    return requests;
  }
  // As somebody else sees it.
  bool HasEnded(std::uint64_t task) {
    grpc::ClientContext context;
    v1::GetRequest request;
    v1::GetResponse response;
    request.set_id(Id(task));
    return client_->Get(&context, request, &response).ok() && response.done();
  }
  static constexpr std::uint64_t kTasks = 500;
};

class TwoLocalSessions : public LocalSessions {
 protected:
  void Adjust(ServerOptions* options) override { options->max_connections = options->max_connections_per_peer = 2; }
};

TEST_F(LocalSessions, WhoSpeaksNoSessionIsToldSoAndDisturbsNobody) {
  for (const auto& [garbage, code] :
       {std::pair(std::string("\x05\0\0\0hello", 9), grpc::StatusCode::INVALID_ARGUMENT),
        std::pair(std::string("\xff\xff\xff\x7f", 4), grpc::StatusCode::RESOURCE_EXHAUSTED)}) {
    LocalWay way(TestSession::local_socket);
    ASSERT_TRUE(way.open());
    ASSERT_EQ(send(way.fd(), garbage.data(), garbage.size(), 0), static_cast<ssize_t>(garbage.size()));
    v1::SessionResponse response;
    EXPECT_FALSE(way.Read(&response));
    EXPECT_EQ(way.Finish().error_code(), code) << way.Finish().error_message();
  }
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  AddTasks(&request, "echo", 1, {"x"});
  session.Send(request);
  EXPECT_TRUE(session.ReadUntil([&] { return session.outcomes.size() == 1; }));
}

TEST_F(TwoLocalSessions, OneMoreIsToldToGoAnotherWay) {
  std::optional<Caller> first = Asked();
  Caller second = Asked();
  EXPECT_EQ(first->Answer(), wire::PayloadStatus::kTaken);
  EXPECT_EQ(second.Answer(), wire::PayloadStatus::kTaken);
  EXPECT_EQ(Asked().Answer(), wire::PayloadStatus::kNotThisWay);
  first.reset();
  Await([&] { return Asked().Answer() == wire::PayloadStatus::kTaken; });
}

TEST_F(LocalSessions, NothingMoreIsTakenFromWhoDoesNotReadUntilItDoes) {
  const std::vector<v1::SessionRequest> requests = ManyRequests();
  TestSession session(client_.get());
  std::atomic<std::size_t> sent = 0;
  std::thread sender([&] {
    for (const v1::SessionRequest& request : requests) sent += session.Send(request) ? 1 : 0;
  });
  // So many outcomes wait that the daemon stops.
  Await([&] { return HasEnded(66'000); });
  ASSERT_TRUE(session.ReadUntil([&] { return session.outcomes.size() == requests.size() * kTasks; }));
  sender.join();
  EXPECT_EQ(sent, requests.size());
  EXPECT_EQ(session.duplicates, 0u);
}

TEST_F(LocalSessions, WhoDoesNotReadDoesNotKeepTheServerFromStopping) {
  TestSession session(client_.get());
  std::thread sender([&] {
    for (const v1::SessionRequest& request : ManyRequests()) {
      if (!session.Send(request)) return;
    }
  });
  Await([&] { return HasEnded(66'000); });
  server_->Shutdown(core::kSecond / 10);
  sender.join();
}

}  // namespace
}  // namespace poold::transport
