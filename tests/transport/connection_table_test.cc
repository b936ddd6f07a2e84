// Who may come in, and who makes room.
#include "transport/connection_table.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "wire/unique_fd.h"

namespace poold::transport {
namespace {

// One client: both ends of its connection.
class Guest {
 public:
  Guest(ConnectionTable& table, pid_t pid) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    client_.Reset(ends[0]);
    server_.Reset(ends[1]);
    absl::StatusOr<Ticket> ticket = table.Admit({.transport = Transport::kGrpcUnix, .uid = 1, .pid = pid}, ends[1]);
    why_not = ticket.status();
    if (ticket.ok()) ticket_ = *std::move(ticket);
  }

  bool is_in() const { return why_not.ok(); }
  Connection& connection() { return *ticket_.connection(); }
  void CallOnce() {
    connection().BeginCall();
    connection().EndCall();
  }
  // What it was told when it had to make room; nothing: it is still welcome.
  std::optional<std::string> Told() const {
    char words[64];
    const ssize_t got = recv(client_.get(), words, sizeof words, MSG_DONTWAIT);
    return got < 0 ? std::nullopt : std::optional(std::string(words, static_cast<std::size_t>(got)));
  }

  absl::Status why_not;

 private:
  wire::UniqueFd client_, server_;
  Ticket ticket_;
};

class ConnectionTables : public testing::Test {
 protected:
  std::shared_ptr<ConnectionTable> table_ =
      std::make_shared<ConnectionTable>(ConnectionTable::Bounds{.all = 4, .per_peer = 2}, "full");
};

TEST_F(ConnectionTables, TheOldestStrangerOfAPeerMakesRoomForItsNext) {
  Guest oldest(*table_, 1), second(*table_, 1), third(*table_, 1);
  EXPECT_TRUE(third.is_in());
  EXPECT_EQ(oldest.Told(), "full");
  EXPECT_EQ(second.Told(), std::nullopt);
  EXPECT_EQ(table_->size(), 2u);
}

TEST_F(ConnectionTables, WhoHasCalledStaysAndTheBoundIsNamed) {
  Guest first(*table_, 1), second(*table_, 1);
  first.CallOnce();
  second.CallOnce();
  const Guest third(*table_, 1);
  EXPECT_FALSE(third.is_in());
  EXPECT_TRUE(absl::StrContains(third.why_not.message(), "max_connections_per_peer")) << third.why_not;
  EXPECT_EQ(first.Told(), std::nullopt);
}

TEST_F(ConnectionTables, WhenAllAreFriendsTheNewestStrangerIsRefused) {
  Guest a(*table_, 1), b(*table_, 2), c(*table_, 3), d(*table_, 4);
  for (Guest* guest : {&a, &b, &c, &d}) guest->CallOnce();
  const Guest newcomer(*table_, 5);
  EXPECT_FALSE(newcomer.is_in());
  EXPECT_TRUE(absl::StrContains(newcomer.why_not.message(), "too many connections")) << newcomer.why_not;
}

TEST_F(ConnectionTables, AStrangerMakesRoomBeforeAnIdleFriend) {
  Guest a(*table_, 1), b(*table_, 1), stranger(*table_, 2), d(*table_, 3);
  for (Guest* guest : {&a, &b, &d}) guest->CallOnce();
  EXPECT_TRUE(Guest(*table_, 5).is_in());
  EXPECT_EQ(stranger.Told(), "full");
}

TEST_F(ConnectionTables, WhatIsIdleForLongestOfWhoHasMostMakesRoom) {
  Guest busy(*table_, 1), a(*table_, 1), b(*table_, 2), c(*table_, 2);
  for (Guest* guest : {&b, &c, &a}) guest->CallOnce();
  busy.connection().BeginCall();
  EXPECT_TRUE(Guest(*table_, 5).is_in());
  EXPECT_EQ(b.Told(), "full");
  for (Guest* guest : {&busy, &a, &c}) EXPECT_EQ(guest->Told(), std::nullopt);
}

TEST_F(ConnectionTables, WhatIsInUseNeverMakesRoom) {
  Guest a(*table_, 1), b(*table_, 1), c(*table_, 2), d(*table_, 2);
  for (Guest* guest : {&a, &b, &c, &d}) guest->connection().BeginCall();
  EXPECT_FALSE(Guest(*table_, 5).is_in());
  EXPECT_EQ(table_->OldestStrangerNumber(), ConnectionTable::kNobody);
  EXPECT_FALSE(table_->ShedStranger());
}

TEST_F(ConnectionTables, AConnectionIsFoundAsLongAsItIsThere) {
  std::optional<Guest> guest(std::in_place, *table_, 7);
  const std::uint64_t number = guest->connection().peer().connection;
  ASSERT_NE(table_->Find(number), nullptr);
  EXPECT_EQ(table_->Find(number)->peer().pid, 7);
  guest.reset();
  EXPECT_EQ(table_->Find(number), nullptr);
  EXPECT_EQ(table_->size(), 0u);
}

}  // namespace
}  // namespace poold::transport
