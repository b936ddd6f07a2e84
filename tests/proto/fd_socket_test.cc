// Bytes and descriptors through a socket.
#include "wire/fd_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

namespace poold::wire {
namespace {

struct Pair {
  UniqueFd a, b;
  explicit Pair(int flags = 0) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0, ends), 0);
    a.Reset(ends[0]);
    b.Reset(ends[1]);
  }
};

TEST(FdSocketTest, ADescriptorArrivesOpenAndCloseOnExec) {
  Pair pair;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const UniqueFd read_end(ends[0]), write_end(ends[1]);
  const int sent[] = {write_end.get(), read_end.get()};
  ASSERT_TRUE(SendAll(pair.a.get(), "frame", sent).ok());
  char bytes[16];
  std::vector<UniqueFd> descriptors;
  const auto received = Receive(pair.b.get(), bytes, sizeof bytes, &descriptors);
  ASSERT_TRUE(received.ok());
  EXPECT_EQ(received->bytes, 5u);
  ASSERT_EQ(descriptors.size(), 2u);
  EXPECT_EQ(fcntl(descriptors[0].get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EXPECT_EQ(write(descriptors[0].get(), "x", 1), 1);
  EXPECT_EQ(read(read_end.get(), bytes, 1), 1);
}

TEST(FdSocketTest, DescriptorsThatNobodyAskedForAreClosed) {
  Pair pair;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_TRUE(SendAll(pair.a.get(), "x", {ends[1]}).ok());
  close(ends[1]);
  char byte;
  ASSERT_EQ(Receive(pair.b.get(), &byte, 1)->bytes, 1u);
  EXPECT_EQ(read(ends[0], &byte, 1), 0) << "no write end is open any more";
  close(ends[0]);
}

TEST(FdSocketTest, ADescriptorForWhichThereIsNoRoomIsToldAndTheBytesAreThere) {
  Pair pair;
  ASSERT_TRUE(SendAll(pair.a.get(), "frame", {pair.a.get()}).ok());
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const UniqueFd next(dup(pair.a.get()));
  const rlimit low{static_cast<rlim_t>(next.get()), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  char bytes[16];
  std::vector<UniqueFd> descriptors;
  const auto received = Receive(pair.b.get(), bytes, sizeof bytes, &descriptors);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(received.ok()) << received.status();
  EXPECT_EQ(received->bytes, 5u);
  EXPECT_TRUE(received->lost_descriptors);
  EXPECT_TRUE(descriptors.empty());
}

TEST(FdSocketTest, AnEmptyNonBlockingSocketSaysSo) {
  Pair pair(SOCK_NONBLOCK);
  char byte;
  const auto received = Receive(pair.b.get(), &byte, 1);
  ASSERT_TRUE(received.ok());
  EXPECT_TRUE(received->would_block);
  EXPECT_FALSE(received->end_of_file);
}

TEST(FdSocketTest, TheEndOfThePeerIsAnEndAndNoSignal) {
  Pair pair;
  pair.a.Reset();
  char byte;
  EXPECT_TRUE(Receive(pair.b.get(), &byte, 1)->end_of_file);
  EXPECT_EQ(SendAll(pair.b.get(), "x").code(), absl::StatusCode::kUnavailable);
}

TEST(FdSocketTest, MoreThanTheSocketHoldsIsSentWhole) {
  Pair pair(SOCK_NONBLOCK);
  const std::string large(5'000'000, 'x');
  std::thread sender([&] { EXPECT_TRUE(SendAll(pair.a.get(), large).ok()); });
  std::size_t total = 0;
  std::string part(65536, '\0');
  while (total < large.size()) {
    const auto received = Receive(pair.b.get(), part.data(), part.size());
    ASSERT_TRUE(received.ok());
    total += received->bytes;
  }
  sender.join();
  EXPECT_EQ(total, large.size());
}

}  // namespace
}  // namespace poold::wire
