// Messages through a socket whose ends do not wait.
#include "wire/message_socket.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "poold/v1/session.pb.h"

namespace poold::wire {
namespace {

using Found = MessageSocket::Found;
using Received = MessageSocket::Received;
using Sent = MessageSocket::Sent;

class MessageSockets : public testing::Test {
 protected:
  static constexpr std::uint32_t kMost = 8 << 20;

  MessageSockets() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    here_ = std::make_unique<MessageSocket>(UniqueFd(ends[0]), kMost);
    there_ = std::make_unique<MessageSocket>(UniqueFd(ends[1]), kMost);
  }

  static v1::TaskGroup Group(const std::string& args) {
    v1::TaskGroup group;
    group.set_args(args);
    return group;
  }
  static void Await(MessageSocket& socket, short events) {
    pollfd one{socket.fd(), events, 0};
    poll(&one, 1, 60'000);
  }
  static bool SendAll(MessageSocket& socket) {
    while (true) {
      const Sent sent = socket.Send();
      if (sent != Sent::kFull) return sent == Sent::kAll;
      Await(socket, POLLOUT);
    }
  }
  // The next message; nothing more: "end".
  static std::string Next(MessageSocket& socket, bool* last = nullptr) {
    MessageSocket::Message message;
    while (socket.Next(&message) == Found::kNone) {
      Await(socket, POLLIN);
      const Received received = socket.Receive();
      if (received == Received::kEnd || received == Received::kBroken) return "end";
    }
    if (last != nullptr) *last = message.last;
    v1::TaskGroup group;
    EXPECT_TRUE(group.ParseFromArray(message.bytes.data(), static_cast<int>(message.bytes.size())));
    return group.args();
  }
  void SendRaw(const std::string& bytes) {
    EXPECT_EQ(send(there_->fd(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }

  std::unique_ptr<MessageSocket> here_;
  std::unique_ptr<MessageSocket> there_;
};

TEST_F(MessageSockets, MessagesOfAllSizesComeWholeAndInOrder) {
  std::vector<std::string> sizes;
  for (const std::size_t bytes : {0, 1, 100, 16'000, 17'000, 70'000, 300'000, 5'000'000, 3, 0, 200'000, 64'000}) {
    sizes.emplace_back(bytes, static_cast<char>('a' + sizes.size()));
  }
  std::thread sender([&] {
    for (const std::string& args : sizes) {
      there_->Put(Group(args));
      EXPECT_TRUE(SendAll(*there_));
    }
  });
  for (const std::string& args : sizes) EXPECT_EQ(Next(*here_), args);
  sender.join();
}

TEST_F(MessageSockets, ManyThatCameTogetherAreFoundOneByOne) {
  for (int i = 0; i < 200; ++i) {
    there_->Put(Group(std::to_string(i)));
    ASSERT_EQ(there_->Send(), Sent::kAll);
  }
  for (int i = 0; i < 200; ++i) EXPECT_EQ(Next(*here_), std::to_string(i));
  MessageSocket::Message message;
  EXPECT_EQ(here_->Next(&message), Found::kNone);
  EXPECT_EQ(here_->Receive(), Received::kNothing);
}

TEST_F(MessageSockets, TheLastOneSaysSo) {
  there_->Put(Group("one"));
  ASSERT_EQ(there_->Send(), Sent::kAll);
  there_->Put(Group("two"), /*last=*/true);
  ASSERT_EQ(there_->Send(), Sent::kAll);
  bool last = true;
  EXPECT_EQ(Next(*here_, &last), "one");
  EXPECT_FALSE(last);
  EXPECT_EQ(Next(*here_, &last), "two");
  EXPECT_TRUE(last);
  there_->Shut();
  EXPECT_EQ(Next(*here_), "end");
}

TEST_F(MessageSockets, AHeadThatComesByteByByteIsAHead) {
  v1::TaskGroup group = Group("x");
  const std::string bytes = std::string{static_cast<char>(group.ByteSizeLong()), 0, 0, 0} + group.SerializeAsString();
  MessageSocket::Message message;
  for (const char byte : bytes) {
    EXPECT_EQ(here_->Next(&message), Found::kNone);
    SendRaw(std::string(1, byte));
    EXPECT_EQ(here_->Receive(), Received::kSome);
  }
  EXPECT_EQ(Next(*here_), "x");
}

TEST_F(MessageSockets, WhatIsTooLongIsNotWaitedFor) {
  const std::uint32_t head = kMost + 1;
  SendRaw(std::string(reinterpret_cast<const char*>(&head), sizeof head));
  ASSERT_EQ(here_->Receive(), Received::kSome);
  MessageSocket::Message message;
  EXPECT_EQ(here_->Next(&message), Found::kTooLong);
}

TEST_F(MessageSockets, WhoDoesNotReadFillsTheSocketOnly) {
  Sent sent = Sent::kAll;
  int messages = 0;
  for (; sent == Sent::kAll; ++messages) {
    here_->Put(Group(std::string(50'000, 'x')));
    sent = here_->Send();
  }
  EXPECT_EQ(sent, Sent::kFull);
  EXPECT_FALSE(here_->everything_sent());
  std::thread reader([&] {
    for (int i = 0; i < messages; ++i) EXPECT_EQ(Next(*there_).size(), 50'000u);
  });
  EXPECT_TRUE(SendAll(*here_));
  reader.join();
}

TEST_F(MessageSockets, WhoIsGoneIsNotWrittenTo) {
  there_.reset();
  here_->Put(Group("x"));
  EXPECT_EQ(here_->Send(), Sent::kBroken);
  EXPECT_EQ(Next(*here_), "end");
}

}  // namespace
}  // namespace poold::wire
