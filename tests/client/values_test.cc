// What a client sends and asks for: values, times, counts, and the texts of refusals.
#include <cmath>
#include <limits>
#include <sstream>

#include "convert.h"
#include "error.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "poold/client.h"
#include "poold/mocks/mock_connection.h"

namespace poold::client {
namespace {

using ::testing::NiceMock;
using namespace std::chrono_literals;

class ValuesTest : public ::testing::Test {
 protected:
  // The one argument as it travels; its result is the same.
  template <typename T>
  std::string ArgumentOf(const T& value) {
    std::string sent;
    EXPECT_CALL(*connection_, Submit).WillOnce([&](const TaskCall& call) {
      EXPECT_EQ(call.encoding, Encoding::kMsgpack);
      sent = std::string(call.args);
      return MakeFinishedTaskOf({.encoding = call.encoding, .type_name = "", .data = sent.substr(1)});
    });
    const auto back = pool_.Apply<T>("same", value);
    EXPECT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(back.ok() ? codec::Encode(*back) : "", codec::Encode(value));
    return sent.substr(1);
  }

  std::shared_ptr<NiceMock<MockConnection>> connection_ = std::make_shared<NiceMock<MockConnection>>();
  Pool pool_ = Client(connection_).Default();
};

TEST_F(ValuesTest, FloatsTravelAsTheyAre) {
  EXPECT_EQ(ArgumentOf(7.0), std::string("\xcb\x40\x1c\0\0\0\0\0\0", 9));
  EXPECT_EQ(ArgumentOf(-0.0), std::string("\xcb\x80\0\0\0\0\0\0\0", 9));
  EXPECT_EQ(ArgumentOf(7.0f), std::string("\xca\x40\xe0\0\0", 5));
}

TEST_F(ValuesTest, ListsOfBytesTravelAsBytesAndComeFromAnyEncoding) {
  const std::vector<std::uint8_t> list{0, 255};
  EXPECT_EQ(ArgumentOf(list), std::string("\xc4\x02\x00\xff", 4));
  EXPECT_CALL(*connection_, Submit)
      .WillOnce([](const TaskCall&) { return MakeFinishedTask(Bytes{"ab"}); })
      .WillOnce([&](const TaskCall&) { return MakeFinishedTask(list); })
      .WillOnce([](const TaskCall&) { return MakeFinishedTask(Bytes{"abc"}); });
  EXPECT_EQ(pool_.Apply<std::vector<char>>("f").value(), (std::vector<char>{'a', 'b'}));
  EXPECT_EQ(pool_.Apply<Bytes>("f")->data, std::string("\0\xff", 2));
  using Two = std::array<std::uint8_t, 2>;
  EXPECT_THAT(std::string(pool_.Apply<Two>("f").status().message()),
              ::testing::HasSubstr("not of the type asked for: wanted exactly 2 bytes, got 3"));
}

class TakesPieces : public NiceMock<MockConnection> {
 public:
  internal::TaskRef SubmitPieces(const TaskCall&, std::span<const std::string_view> pieces) override {
    taken.assign(pieces.begin(), pieces.end());
    return MakeFinishedTask(1);
  }
  std::vector<std::string_view> taken;
};

TEST(PiecesTest, LargeListsOfBytesAreNotCopiedBeforeTheyAreOnTheirWay) {
  const auto connection = std::make_shared<TakesPieces>();
  const std::vector<std::uint8_t> list(100'000, 7);
  EXPECT_TRUE(Client(connection).Default().Apply<int>("f", list).ok());
  ASSERT_EQ(connection->taken.size(), 3u);
  EXPECT_EQ(static_cast<const void*>(connection->taken[1].data()), list.data());
}

TEST(DurationTest, NoneWraps) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(Duration(std::chrono::hours(10'000'000)), kForever);
  EXPECT_EQ(Duration(std::chrono::seconds::max()), kForever);
  EXPECT_EQ(Duration(std::chrono::duration<double>(kInfinity)), kForever);
  EXPECT_EQ(Duration(std::chrono::duration<double>(1e300)), kForever);
  EXPECT_EQ(Duration(std::chrono::nanoseconds::max()), kForever);
  EXPECT_EQ(Duration(std::chrono::hours(-10'000'000)), Duration::min());
  EXPECT_EQ(Duration(std::chrono::duration<double>(-kInfinity)), Duration::min());
  EXPECT_LT(Duration(std::chrono::duration<double>(NAN)), Duration::zero());
  EXPECT_EQ(Duration(std::chrono::duration<double>(1.5)), 1500ms);
  EXPECT_EQ(Duration(-1ns).count(), -1);
}

TEST(DurationTest, TheContractSaysTheSame) {
  google::protobuf::Duration message;
  internal::ToProto(kForever, &message);
  EXPECT_EQ(message.seconds(), 9'223'372'036);
  internal::ToProto(Duration::min(), &message);
  EXPECT_EQ(message.seconds(), -9'223'372'036);
  internal::ToProto(Duration(-1500ms), &message);
  EXPECT_EQ(message.seconds(), -1);
  EXPECT_EQ(message.nanos(), -500'000'000);
}

TEST(DurationTest, ADeadlineFarAwayIsFarAway) {
  EXPECT_TRUE(internal::Deadline(std::chrono::hours(10'000'000)).never());
  EXPECT_FALSE(internal::Deadline(std::chrono::hours(800'000)).passed());
  EXPECT_TRUE(internal::Deadline(Duration::min()).passed());
}

TEST(CountTest, NoneWraps) {
  const auto workers = [](Count count) { return ToProto(PoolSpec{.workers = count}).workers(); };
  EXPECT_EQ(workers(8), 8u);
  EXPECT_EQ(workers(1ull << 32), 4'294'967'295u);
  EXPECT_EQ(workers((1ull << 32) + 1), 4'294'967'295u);
  EXPECT_EQ(workers(~0ull), 4'294'967'295u);
  EXPECT_EQ(workers(-1), 0u);
  EXPECT_EQ(ToProto(PoolSpec{.max_queued_bytes = ~0ull}).max_queued_bytes(), ~0ull);
}

google::rpc::Status Refusal() {
  google::rpc::Status refusal;
  refusal.set_code(static_cast<int>(absl::StatusCode::kResourceExhausted));
  refusal.set_message("the queue is full");
  google::rpc::ErrorInfo info;
  info.set_reason("QUEUE_FULL");
  (*info.mutable_metadata())["subject"] = "max_queued_tasks";
  refusal.add_details()->PackFrom(info);
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_nanos(250'000'000);
  refusal.add_details()->PackFrom(retry);
  return refusal;
}

TEST(RefusalTest, WhoPrintsItReadsIt) {
  const absl::Status status = internal::FromProto(Refusal());
  EXPECT_EQ(ReasonOf(status), "QUEUE_FULL");
  EXPECT_EQ(FieldOf(status), "max_queued_tasks");
  EXPECT_EQ(RetryDelayOf(status), 250ms);
  std::ostringstream printed;
  printed << status;
  EXPECT_THAT(printed.str(), ::testing::StartsWith("RESOURCE_EXHAUSTED: the queue is full ["));
  EXPECT_THAT(printed.str(), ::testing::HasSubstr("[poold/reason='QUEUE_FULL']"));
  EXPECT_THAT(printed.str(), ::testing::HasSubstr("[poold/retry_after='250ms']"));
  EXPECT_EQ(printed.str().find('\\'), std::string::npos);
}

TEST(RefusalTest, WhatIsNotSaidIsEmpty) {
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
  EXPECT_EQ(FieldOf(absl::InternalError("")), "");
  EXPECT_EQ(RetryDelayOf(absl::InternalError("")), std::nullopt);
}

}  // namespace
}  // namespace poold::client
