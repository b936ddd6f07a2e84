// What is borne of a client's frames, and what is not.
#include "transport/grpc/http2_guard.h"

#include <gtest/gtest.h>

#include <string>

namespace poold::transport {
namespace {

constexpr core::Nanos kNow = 10 * core::kSecond;

std::string Frame(int type, int flags, std::uint32_t stream, const std::string& payload = "") {
  return BigEndian(static_cast<std::uint32_t>(payload.size()), 3) + static_cast<char>(type) + static_cast<char>(flags) +
         BigEndian(stream, 4) + payload;
}

std::string Headers(std::uint32_t stream, std::size_t bytes = 20, bool end = true) {
  return Frame(1, end ? 4 : 0, stream, std::string(bytes, 'h'));
}
std::string Continuation(std::uint32_t stream, std::size_t bytes) {
  return Frame(9, 0, stream, std::string(bytes, 'h'));
}
std::string Window(std::uint32_t stream, std::uint32_t bytes) { return Frame(8, 0, stream, BigEndian(bytes, 4)); }
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

// ---- Messages that have not wholly come ----

constexpr std::uint64_t kBlock = HalfMessages::kBlockBytes;

std::string Data(std::uint32_t stream, const std::string& payload, int flags = 0) {
  return Frame(0, flags, stream, payload);
}
std::string Padded(std::uint32_t stream, const std::string& payload, std::size_t padding, int flags = 0) {
  return Frame(0, flags | 8, stream, static_cast<char>(padding) + payload + std::string(padding, 'p'));
}
// What begins a message of so many bytes, and so many of them.
std::string Message(std::uint32_t bytes, std::size_t sent) {
  return std::string(1, '\0') + BigEndian(bytes, 4) + std::string(sent, 'm');
}
// In frames as gRPC sends them.
std::string ManyFrames(std::uint32_t stream, const std::string& payload) {
  std::string frames;
  for (std::size_t at = 0; at < payload.size(); at += 16'384) frames += Data(stream, payload.substr(at, 16'384));
  return frames;
}

TEST_F(Http2Guards, AMessageCountsUntilItsLastByteIsThere) {
  EXPECT_EQ(Take(Headers(1) + Data(1, Message(100, 99))), "");
  EXPECT_GE(guard_.half_read(), kBlock);
  EXPECT_EQ(Take(Data(1, "m")), "");
  EXPECT_EQ(guard_.half_read(), 0u);
  EXPECT_EQ(Take(Data(1, Message(0, 0) + Message(7, 7) + Message(1, 0).substr(0, 1))), "") << "a byte of a head, too";
  EXPECT_GE(guard_.half_read(), kBlock);
}

TEST_F(Http2Guards, ALargeMessageCountsAsItComes) {
  EXPECT_EQ(Take(Headers(1) + ManyFrames(1, Message(10 << 20, 1 << 20))), "");
  EXPECT_GE(guard_.half_read(), 1u << 20);
  EXPECT_LE(guard_.half_read(), (1u << 20) + 3 * kBlock);
  EXPECT_EQ(Take(ManyFrames(1, std::string(9 << 20, 'm'))), "");
  EXPECT_EQ(guard_.half_read(), 0u);
}

TEST_F(Http2Guards, StreamsBesideEachOtherShareBlocks) {
  std::string bytes;
  for (std::uint32_t stream = 1; stream < 200; stream += 2) bytes += Headers(stream);
  for (int i = 0; i < 50; ++i) {
    for (std::uint32_t stream = 1; stream < 200; stream += 2) {
      bytes += Data(stream, i == 0 ? Message(1 << 20, 1000) : std::string(1000, 'm'));
    }
  }
  EXPECT_EQ(Take(bytes), "");
  EXPECT_GE(guard_.half_read(), bytes.size());
  EXPECT_LE(guard_.half_read(), bytes.size() * 5 / 4 + 3 * kBlock);
}

TEST_F(Http2Guards, AByteKeepsItsWholeBlock) {
  std::string bytes = Headers(1) + Data(1, Message(1 << 20, 0));
  for (std::uint32_t stream = 3; stream < 23; stream += 2) {
    bytes += Headers(stream) + ManyFrames(stream, Message(kBlock, kBlock)) + Data(1, "m");
  }
  EXPECT_EQ(Take(bytes), "");
  EXPECT_GE(guard_.half_read(), 10 * kBlock);
}

TEST_F(Http2Guards, MessagesThatNobodyReadsCountUntilTheServerEndsTheirStream) {
  EXPECT_EQ(Take(Headers(1) + Data(1, Message(10, 10))), "");
  EXPECT_EQ(guard_.half_read(), 0u) << "the call's own";
  EXPECT_EQ(Take(ManyFrames(1, Message(30'000, 30'000) + Message(20'000, 20'000))), "");
  guard_.TakeSent(kSettings + Window(0, 1 << 20) + Window(1, 15));
  EXPECT_GE(guard_.half_read(), kBlock) << "the server has read its own";
  EXPECT_EQ(Take(Data(1, "", 1)), "");
  EXPECT_GE(guard_.half_read(), kBlock);
  guard_.TakeSent(Frame(1, 5, 1, "h"));
  EXPECT_EQ(guard_.half_read(), 0u);
}

TEST_F(Http2Guards, MessagesThatAreReadCountNoMore) {
  EXPECT_EQ(Take(Headers(1)), "");
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Take(ManyFrames(1, Message(20'000, 20'000))), "");
    EXPECT_LE(guard_.half_read(), 3 * kBlock);
    for (const char byte : Window(1, 20'005)) guard_.TakeSent({&byte, 1});
    ASSERT_EQ(guard_.half_read(), 0u) << i;
  }
  // The server lets a message that it waits for come before it has come.
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Take(ManyFrames(1, Message(1 << 20, 0))), "");
    guard_.TakeSent(Window(1, (1 << 20) + 5));
    EXPECT_EQ(Take(ManyFrames(1, std::string(1 << 20, 'm'))), "");
    ASSERT_EQ(guard_.half_read(), 0u) << i;
  }
}

TEST_F(Http2Guards, AStreamThatEndedCountsNoMoreWhoeverEndedIt) {
  const std::string half = Data(1, Message(100, 50));
  for (const std::string& end : {Reset(1), Data(1, "m", 1), Data(1, "", 1), Padded(1, "", 9, 1), Frame(1, 5, 1, "h")}) {
    Http2Guard guard(&budget_);
    EXPECT_EQ(guard.Take(kPreface + Headers(1) + half, 0, kNow), "");
    EXPECT_GT(guard.half_read(), 0u);
    EXPECT_EQ(guard.Take(end, 0, kNow), "");
    EXPECT_EQ(guard.half_read(), 0u);
    EXPECT_EQ(guard.Take(half, 0, kNow), "") << "gRPC passes over it";
    EXPECT_EQ(guard.half_read(), 0u);
  }
  for (const std::string& end : {Reset(1), Frame(1, 5, 1, "h"), Data(1, "answer", 1)}) {
    Http2Guard guard(&budget_);
    EXPECT_EQ(guard.Take(kPreface + Headers(1) + half, 0, kNow), "");
    const std::string sent = kSettings + Frame(1, 4, 1, "h") + Data(1, "answer");
    guard.TakeSent(sent);
    EXPECT_GT(guard.half_read(), 0u);
    for (const char byte : end) guard.TakeSent({&byte, 1});
    EXPECT_EQ(guard.half_read(), 0u);
    EXPECT_EQ(guard.Take(half, 0, kNow), "");
    EXPECT_EQ(guard.half_read(), 0u);
  }
}

TEST_F(Http2Guards, AFrameThatEndsItsStreamCountsUntilItIsWhole) {
  const std::string last = Data(1, std::string(1000, 'm'), 1);
  EXPECT_EQ(Take(Headers(1) + Data(1, Message(100'000, 10)) + last.substr(0, last.size() - 1)), "");
  EXPECT_GE(guard_.half_read(), kBlock);
  EXPECT_EQ(Take("m"), "");
  EXPECT_EQ(guard_.half_read(), 0u);
}

TEST_F(Http2Guards, MessagesAreFollowedHoweverTheirBytesAreCut) {
  std::string bytes = kPreface + Headers(1) + Headers(3) + Headers(5);
  bytes += Data(1, Message(300, 100)) + Padded(3, Message(20, 20) + Message(9, 0).substr(0, 3), 7) + Data(5, "");
  bytes += Padded(1, std::string(200, 'm'), 0) + Data(5, Message(3, 3)) + Padded(3, "", 3);
  const std::string tail = Message(9, 9).substr(3);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Http2Guard guard(&budget_);
    EXPECT_EQ(guard.Take(std::string_view(bytes).substr(0, cut), 0, kNow), "");
    EXPECT_EQ(guard.Take(std::string_view(bytes).substr(cut), 0, kNow), "");
    ASSERT_GE(guard.half_read(), kBlock) << "of stream 3, three bytes of a head: " << cut;
    EXPECT_EQ(guard.Take(Data(3, tail), 0, kNow), "");
    guard.TakeSent(kSettings + Window(3, 1000));
    ASSERT_EQ(guard.half_read(), 0u) << cut;
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
}  // namespace poold::transport
