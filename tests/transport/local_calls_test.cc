// Calls through the payload socket: what is theirs alone. What all calls do, calls_test.cc and others test both ways.
#include <poll.h>

#include <string>

#include "local_stub.h"
#include "server_fixture.h"

namespace poold::transport {
namespace {

class LocalCallsTest : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    OpenPool("p");
  }
  std::string path() const { return folder_ / "poold.sock.payloads"; }
  // A connection that carries calls.
  wire::MessageSocket Connected() const {
    Caller caller(path());
    EXPECT_TRUE(caller.Send(wire::PayloadAsk::kCalls, std::string(16, '\0'), 0));
    EXPECT_EQ(caller.Answer(), wire::PayloadStatus::kTaken);
    return wire::MessageSocket(caller.Release(), 1u << 30);
  }
  static v1::CallHead HeadOf(const std::string& method) {
    v1::CallHead head;
    head.set_method(method);
    return head;
  }
  // Waits for the next message; an empty one where the connection ended.
  static std::string Next(wire::MessageSocket* socket, bool* last) {
    wire::MessageSocket::Message message;
    while (socket->Next(&message) != wire::MessageSocket::Found::kMessage) {
      pollfd one{socket->fd(), POLLIN, 0};
      poll(&one, 1, 60'000);
      const auto received = socket->Receive();
      if (received == wire::MessageSocket::Received::kEnd || received == wire::MessageSocket::Received::kBroken)
        return "";
    }
    *last = message.last;
    return std::string(message.bytes);
  }
  static google::rpc::Status StatusOf(wire::MessageSocket* socket) {
    bool last = false;
    std::string message;
    do {
      message = Next(socket, &last);
    } while (!last && !message.empty());
    google::rpc::Status status;
    EXPECT_TRUE(last && status.ParseFromString(message));
    return status;
  }
  // A call that waits for the task, and whose waiting shows in waiting_bytes.
  static void AskToWait(wire::MessageSocket* socket, const std::string& id) {
    v1::WaitRequest request;
    for (int i = 0; i < 1000; ++i) request.add_ids(id);
    request.mutable_wait_timeout()->set_seconds(600);
    socket->Put(HeadOf("Wait"));
    socket->Put(request, /*last=*/true);
    ASSERT_EQ(socket->Send(), wire::MessageSocket::Sent::kAll);
  }
  std::uint64_t waiting_bytes() const { return options_.memory->watchers->used(); }
  static v1::GetRequest GetOf(const std::string& id) {
    v1::GetRequest request;
    request.set_id(id);
    request.mutable_wait_timeout()->set_seconds(600);
    return request;
  }
};

TEST_F(LocalCallsTest, CallsComeOneAfterTheOtherAlsoWhenTheyAreSentTogether) {
  wire::MessageSocket socket = Connected();
  constexpr int kCalls = 50;
  for (int i = 0; i < kCalls; ++i) {
    socket.Put(HeadOf(i % 2 == 0 ? "GetServerInfo" : "ListPools"));
    socket.Put(v1::ListPoolsRequest(), /*last=*/true);
  }
  ASSERT_EQ(socket.Send(), wire::MessageSocket::Sent::kAll);
  for (int i = 0; i < kCalls; ++i) {
    bool last = true;
    const std::string answer = Next(&socket, &last);
    EXPECT_FALSE(last);
    v1::ListPoolsResponse pools;
    if (i % 2 == 1) {
      ASSERT_TRUE(pools.ParseFromString(answer));
      EXPECT_EQ(pools.pools_size(), 1);
    }
    EXPECT_EQ(StatusOf(&socket).code(), 0);
  }
}

TEST_F(LocalCallsTest, ACallIsCancelledWhenItsTimeIsOverAndTheNextOneComes) {
  const std::string held = Submit("hold");
  wire::MessageSocket socket = Connected();
  v1::CallHead head = HeadOf("Get");
  head.mutable_timeout()->set_nanos(20'000'000);
  socket.Put(head);
  socket.Put(GetOf(held), /*last=*/true);
  socket.Put(HeadOf("GetServerInfo"));
  socket.Put(v1::GetServerInfoRequest(), /*last=*/true);
  ASSERT_EQ(socket.Send(), wire::MessageSocket::Sent::kAll);
  EXPECT_EQ(StatusOf(&socket).code(), static_cast<int>(grpc::StatusCode::CANCELLED));
  EXPECT_EQ(StatusOf(&socket).code(), 0);
}

// A request that is not whole by then has no answer that could be told from the next call.
TEST_F(LocalCallsTest, ACallWhoseRequestComesTooLateEndsTheConnection) {
  wire::MessageSocket socket = Connected();
  v1::CallHead head = HeadOf("GetServerInfo");
  head.mutable_timeout()->set_nanos(1);
  socket.Put(head);
  ASSERT_EQ(socket.Send(), wire::MessageSocket::Sent::kAll);
  EXPECT_EQ(StatusOf(&socket).code(), static_cast<int>(grpc::StatusCode::CANCELLED));
  bool last = false;
  EXPECT_EQ(Next(&socket, &last), "");
}

TEST_F(LocalCallsTest, WhoHangsUpWaitsForNothingAnyMore) {
  const std::string held = Submit("hold");
  {
    wire::MessageSocket socket = Connected();
    AskToWait(&socket, held);
    Await([&] { return waiting_bytes() > 0; });
  }
  Await([&] { return waiting_bytes() == 0; });
  // Or shuts down the sending end.
  wire::MessageSocket socket = Connected();
  AskToWait(&socket, held);
  Await([&] { return waiting_bytes() > 0; });
  shutdown(socket.fd(), SHUT_WR);
  Await([&] { return waiting_bytes() == 0; });
}

TEST_F(LocalCallsTest, WhatIsNoCallEndsTheConnectionWithTheReason) {
  const auto status_after = [&](auto put) {
    wire::MessageSocket socket = Connected();
    put(&socket);
    EXPECT_EQ(socket.Send(), wire::MessageSocket::Sent::kAll);
    const google::rpc::Status status = StatusOf(&socket);
    bool last = false;
    EXPECT_EQ(Next(&socket, &last), "");
    return static_cast<grpc::StatusCode>(status.code());
  };
  using Socket = wire::MessageSocket;
  EXPECT_EQ(status_after([](Socket* to) { to->PutBytes("\xff\xff"); }), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status_after([](Socket* to) { to->Put(HeadOf("GetPool"), /*last=*/true); }),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status_after([](Socket* to) { to->Put(HeadOf("Dance")); }), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(status_after([](Socket* to) { to->Put(HeadOf("Session")); }), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(status_after([](Socket* to) {
              to->Put(HeadOf("GetPool"));
              to->Put(v1::GetPoolRequest());
            }),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(LocalCallsTest, AStoppingServerAnswersWhatIsUnderWayAndSaysThatItStops) {
  const std::string held = Submit("hold");
  wire::MessageSocket idle = Connected();
  wire::MessageSocket waits = Connected();
  waits.Put(HeadOf("Get"));
  waits.Put(GetOf(held), /*last=*/true);
  ASSERT_EQ(waits.Send(), wire::MessageSocket::Sent::kAll);
  wire::MessageSocket watches = Connected();
  v1::WatchRequest watch;
  watch.set_pool("p");
  watches.Put(HeadOf("Watch"));
  watches.Put(watch, /*last=*/true);
  ASSERT_EQ(watches.Send(), wire::MessageSocket::Sent::kAll);
  bool last = false;
  EXPECT_NE(Next(&watches, &last), "");
  server_->Shutdown(core::kSecond / 10);
  EXPECT_EQ(DetailsOf(StatusOf(&idle)).reason, "SHUTTING_DOWN");
  EXPECT_EQ(DetailsOf(StatusOf(&watches)).reason, "SHUTTING_DOWN");
  // Nothing ended it in time.
  EXPECT_EQ(Next(&waits, &last), "");
}

}  // namespace
}  // namespace poold::transport
