// What is borne of a client's frames, and what is not.
#include "rpc/http2_guard.h"

#include <gtest/gtest.h>

#include <string>

namespace poold::rpc {
namespace {

constexpr core::Nanos kNow = 10 * core::kSecond;

std::string Frame(int type, int flags, std::uint32_t stream, const std::string& payload = "") {
  return BigEndian(static_cast<std::uint32_t>(payload.size()), 3) + static_cast<char>(type) +
         static_cast<char>(flags) + BigEndian(stream, 4) + payload;
}

std::string Headers(std::uint32_t stream, std::size_t bytes = 20, bool end = true) {
  return Frame(1, end ? 4 : 0, stream, std::string(bytes, 'h'));
}
std::string Continuation(std::uint32_t stream, std::size_t bytes) {
  return Frame(9, 0, stream, std::string(bytes, 'h'));
}
std::string Reset(std::uint32_t stream) { return Frame(3, 0, stream, std::string(4, '\0')); }
const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const std::string kSettings = Frame(4, 0, 0);
const std::string kSettingsAck = Frame(4, 1, 0);

class Http2Guards : public testing::Test {
 protected:
  Http2Guards() { EXPECT_EQ(Take(kPreface + kSettings), ""); }
  std::string Take(const std::string& bytes) { return std::string(guard_.Take(bytes, calls_, kNow)); }
  // Begins streams and resets them at once until it is cut, or so many.
  std::uint32_t ResetMany(std::uint32_t streams) {
    for (std::uint32_t i = 0; i < streams; ++i, next_ += 2) {
      if (!Take(Headers(next_) + Reset(next_)).empty()) return i;
    }
    return streams;
  }

  TokenBucket budget_{Http2Guard::kBudget, Http2Guard::kBudgetPerSecond};
  Http2Guard guard_{&budget_};
  std::uint64_t calls_ = 0;
  std::uint32_t next_ = 1;
};

TEST_F(Http2Guards, OrdinaryCallsAreBorneHoweverTheirBytesAreCut) {
  std::string bytes = kSettingsAck;
  for (std::uint32_t stream = 1; stream < 400; stream += 2) {
    bytes += Headers(stream) + Frame(0, 1, stream, "data") + Frame(8, 0, stream, std::string(4, '\1'));
  }
  for (std::size_t piece : {1, 7, 9, 10, 1000}) {
    Http2Guard guard(&budget_);
    const std::string all = kPreface + bytes;
    for (std::size_t at = 0; at < all.size(); at += piece) {
      ASSERT_EQ(guard.Take(std::string_view(all).substr(at, piece), 0, kNow), "") << piece << " " << at;
    }
  }
}

TEST_F(Http2Guards, MillionsOfCallsThatTheServerBeginsAreBorneCancelledOrNot) {
  EXPECT_EQ(Take(kSettingsAck), "");
  for (int i = 0; i < 100'000; ++i, next_ += 2, ++calls_) ASSERT_EQ(Take(Headers(next_) + Reset(next_)), "");
}

TEST_F(Http2Guards, ABurstOfCancelledCallsIsBorne) {
  EXPECT_EQ(Take(kSettingsAck), "");
  EXPECT_EQ(ResetMany(2000), 2000u);
}

TEST_F(Http2Guards, ARapidResetIsNotBorne) {
  EXPECT_EQ(Take(kSettingsAck), "");
  EXPECT_EQ(ResetMany(200'000), Http2Guard::kMaxStreams + Http2Guard::kBudget);
  guard_.End(calls_, kNow);
  EXPECT_GT(budget_.OwesFor(kNow), 0);
}

// The server resets the streams itself.
TEST_F(Http2Guards, StreamsThatAreBrokenInAnotherWayCountAlike) {
  EXPECT_EQ(Take(kSettingsAck), "");
  std::string fault;
  std::uint32_t streams = 0;
  for (; fault.empty() && streams < 10'000; ++streams, next_ += 2) {
    fault = Take(Headers(next_) + Frame(8, 0, next_, std::string(4, '\0')));
  }
  EXPECT_LT(streams, 10'000u);
}

TEST_F(Http2Guards, ConnectionAfterConnectionIsNoWayOut) {
  std::uint32_t streams = 0;
  for (int i = 0; i < 100 && budget_.OwesFor(kNow) == 0; ++i) {
    Http2Guard guard(&budget_);
    EXPECT_EQ(guard.Take(kPreface + kSettings + kSettingsAck, 0, kNow), "");
    for (std::uint32_t stream = 1; stream < 1600; stream += 2, ++streams) {
      EXPECT_EQ(guard.Take(Headers(stream) + Reset(stream), 0, kNow), "");
    }
    guard.End(0, kNow);
  }
  EXPECT_LE(streams, 3200u);
}

TEST_F(Http2Guards, SettingsThatAreNeverAcknowledgedAreNotBorne) {
  std::string fault;
  std::uint32_t streams = 0;
  for (; fault.empty() && streams < 10'000; ++streams, next_ += 2, ++calls_) fault = Take(Headers(next_));
  EXPECT_EQ(streams, Http2Guard::kMaxStreams + 1);
}

TEST_F(Http2Guards, AHeaderHasABoundInHoweverManyFrames) {
  EXPECT_EQ(Take(Headers(1, 8000, false) + Continuation(1, 8000)), "");
  EXPECT_NE(Take(Headers(3, 70'000)), "");
  for (std::size_t bytes : {0, 100, 16'000}) {
    Http2Guard guard(&budget_);
    EXPECT_EQ(guard.Take(kPreface + Headers(1, 1000, false), 0, kNow), "");
    std::size_t taken = 0;
    while (guard.Take(Continuation(1, bytes), 0, kNow).empty() && taken < 1'000'000) taken += 9 + bytes;
    EXPECT_LE(taken, Http2Guard::kMaxHeaderBytes) << bytes;
  }
}

TEST_F(Http2Guards, FramesThatCarryNothingHaveABound) {
  for (const std::string& frame : {Frame(0, 0, 1), Frame(2, 0, 1, "12345"), Frame(77, 0, 0), Reset(1)}) {
    TokenBucket budget(Http2Guard::kBudget, Http2Guard::kBudgetPerSecond);
    Http2Guard guard(&budget);
    EXPECT_EQ(guard.Take(kPreface, 0, kNow), "");
    int frames = 0;
    while (guard.Take(frame, 0, kNow).empty() && frames < 10'000) ++frames;
    EXPECT_EQ(frames, Http2Guard::kBudget);
  }
}

TEST(TokenBuckets, FillWithTime) {
  TokenBucket bucket(10, 5);
  EXPECT_TRUE(bucket.Take(10, kNow));
  EXPECT_FALSE(bucket.Take(1, kNow));
  EXPECT_TRUE(bucket.Take(5, kNow + core::kSecond));
  bucket.Owe(1000, kNow + core::kSecond);
  EXPECT_EQ(bucket.OwesFor(kNow + core::kSecond), 2 * core::kSecond);
  EXPECT_EQ(bucket.OwesFor(kNow + 3 * core::kSecond), 0);
}

}  // namespace
}  // namespace poold::rpc
