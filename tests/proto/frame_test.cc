// Bytes <-> frames, however the bytes are cut or broken.
#include "wire/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

namespace poold::wire {
namespace {

struct Seen {
  internal::FrameKind kind;
  std::string message;
  std::string blob;
  friend bool operator==(const Seen&, const Seen&) = default;
};

internal::Setup SomeSetup() {
  internal::Setup setup;
  setup.set_pool("default");
  setup.add_module_paths("/a/b.so");
  return setup;
}

// Three frames: with message, with message and blob, with neither.
std::string ThreeFrames(std::vector<Seen>* expected) {
  const internal::Setup setup = SomeSetup();
  std::string bytes;
  AppendFrame(internal::FRAME_KIND_SETUP, &setup, {}, &bytes);
  AppendFrame(internal::FRAME_KIND_RUN, &setup, "blob\0bytes", &bytes);
  AppendFrame(internal::FRAME_KIND_BELL, nullptr, {}, &bytes);
  *expected = {{internal::FRAME_KIND_SETUP, setup.SerializeAsString(), ""},
               {internal::FRAME_KIND_RUN, setup.SerializeAsString(), "blob"},
               {internal::FRAME_KIND_BELL, "", ""}};
  return bytes;
}

void Feed(FrameParser* parser, std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(parser->Reserve(bytes.size()), bytes.data(), bytes.size());
  parser->Commit(bytes.size());
}

// Returns false where the parser finds the stream broken.
bool TakeAll(FrameParser* parser, std::vector<Seen>* seen) {
  while (true) {
    const auto frame = parser->Next();
    if (!frame.ok()) return false;
    if (!*frame) return true;
    seen->push_back({(*frame)->kind, std::string((*frame)->message), std::string((*frame)->blob)});
  }
}

std::string Header(std::uint32_t message, std::uint16_t kind, std::uint16_t zero, std::uint64_t blob) {
  std::string bytes(kFrameHeaderBytes, '\0');
  std::memcpy(bytes.data(), &message, 4);
  std::memcpy(bytes.data() + 4, &kind, 2);
  std::memcpy(bytes.data() + 6, &zero, 2);
  std::memcpy(bytes.data() + 8, &blob, 8);
  return bytes;
}

std::string ErrorOf(const std::string& bytes) {
  FrameParser parser(1000);
  Feed(&parser, bytes);
  return std::string(parser.Next().status().ToString());
}

TEST(FrameTest, FramesCutAnywhereArriveWhole) {
  std::vector<Seen> expected;
  const std::string bytes = ThreeFrames(&expected);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    FrameParser parser(1000);
    std::vector<Seen> seen;
    Feed(&parser, std::string_view(bytes).substr(0, cut));
    ASSERT_TRUE(TakeAll(&parser, &seen));
    Feed(&parser, std::string_view(bytes).substr(cut));
    ASSERT_TRUE(TakeAll(&parser, &seen));
    EXPECT_EQ(seen, expected) << "cut at " << cut;
  }
}

TEST(FrameTest, FramesComeByteByByte) {
  std::vector<Seen> expected, seen;
  const std::string bytes = ThreeFrames(&expected);
  FrameParser parser(1000);
  for (const char byte : bytes) {
    EXPECT_GE(parser.Wanted(), 1u);
    Feed(&parser, {&byte, 1});
    ASSERT_TRUE(TakeAll(&parser, &seen));
  }
  EXPECT_EQ(seen, expected);
}

TEST(FrameTest, WantedSaysHowMuchIsMissing) {
  FrameParser parser(1000);
  EXPECT_EQ(parser.Wanted(), kFrameHeaderBytes);
  Feed(&parser, Header(0, internal::FRAME_KIND_RUN, 0, 500));
  EXPECT_EQ(parser.Wanted(), 500u);
  Feed(&parser, std::string(499, 'x'));
  EXPECT_EQ(parser.Wanted(), 1u);
}

TEST(FrameTest, OutcomesWithALargerBlobComeWithoutItAndTheNextFrameIsWhole) {
  internal::Outcomes outcomes;
  outcomes.add_ticket(7);
  std::string bytes;
  AppendFrame(internal::FRAME_KIND_OUTCOMES, &outcomes, std::string(5000, 'x'), &bytes);
  AppendFrame(internal::FRAME_KIND_OUTPUT, nullptr, "blob", &bytes);
  FrameParser parser(1000);
  std::vector<std::string> blobs;
  bool without = false;
  for (std::size_t at = 0; at < bytes.size(); at += 700) {
    Feed(&parser, std::string_view(bytes).substr(at, 700));
    while (true) {
      const auto frame = parser.Next();
      ASSERT_TRUE(frame.ok()) << frame.status();
      if (!*frame) break;
      without |= (*frame)->without_blob && (*frame)->message == outcomes.SerializeAsString();
      blobs.emplace_back((*frame)->blob);
    }
  }
  EXPECT_TRUE(without);
  EXPECT_EQ(blobs, (std::vector<std::string>{"", "blob"}));
}

TEST(FrameTest, TheHeadOfAFrameIsTheFrameWithoutItsBlob) {
  const internal::Setup setup = SomeSetup();
  std::string whole, head;
  AppendFrame(internal::FRAME_KIND_RUN, &setup, "blob", &whole);
  AppendFrameHead(internal::FRAME_KIND_RUN, &setup, 4, &head);
  EXPECT_EQ(head + "blob", whole);
}

TEST(FrameTest, BrokenHeadersAreRefusedBeforeTheirBytesCome) {
  EXPECT_THAT(ErrorOf(Header(0, 999, 0, 0)), ::testing::HasSubstr("no such kind"));
  EXPECT_THAT(ErrorOf(Header(0, 0, 0, 0)), ::testing::HasSubstr("no such kind"));
  EXPECT_THAT(ErrorOf(Header(0, internal::FRAME_KIND_RUN, 1, 0)), ::testing::HasSubstr("no such kind"));
  EXPECT_THAT(ErrorOf(Header(kMaxFrameMessageBytes + 1, internal::FRAME_KIND_RUN, 0, 0)),
              ::testing::HasSubstr("a message of"));
  EXPECT_THAT(ErrorOf(Header(0, internal::FRAME_KIND_RUN, 0, 1001)), ::testing::HasSubstr("a blob of 1001"));
  EXPECT_THAT(ErrorOf(Header(0, internal::FRAME_KIND_RUN, 0, ~std::uint64_t{0})), ::testing::HasSubstr("a blob of"));
}

TEST(FrameTest, RandomBytesNeverHarm) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    FrameParser parser(1 << 16);
    std::vector<Seen> seen;
    for (int part = 0; part < 20; ++part) {
      std::string bytes(random() % 64, '\0');
      for (char& byte : bytes) byte = static_cast<char>(random() % 4 == 0 ? random() : random() % 3);
      Feed(&parser, bytes);
      (void)parser.Wanted();
      if (!TakeAll(&parser, &seen)) break;
    }
  }
}

}  // namespace
}  // namespace poold::wire
