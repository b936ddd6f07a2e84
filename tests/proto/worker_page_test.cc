// Claims: every item runs once, whoever is faster.
#include "wire/worker_page.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace poold::wire {
namespace {

std::unique_ptr<WorkerPage> MakePage() {
  auto page = std::make_unique<WorkerPage>();
  for (auto& claim : page->claims) claim.store(0);
  return page;
}

TEST(WorkerPageTest, ClaimsArePackedAndUnpacked) {
  const Claim claim{0xffff, kMaxChunkItems, kMaxChunkItems - 1};
  EXPECT_EQ(UnpackClaim(PackClaim(claim)), claim);
  EXPECT_EQ(TicketSlot(MakeTicket(255, 0xfffe)), 255);
  EXPECT_EQ(TicketSequence(MakeTicket(255, 0xfffe)), 0xfffe);
}

TEST(WorkerPageTest, ATaskIsClaimedOnce) {
  auto page = MakePage();
  const std::uint32_t ticket = OfferTask(*page, 3, 1);
  std::uint32_t item = 99;
  EXPECT_TRUE(ClaimNext(*page, ticket, &item));
  EXPECT_EQ(item, 0u);
  EXPECT_FALSE(ClaimNext(*page, ticket, &item));
  EXPECT_EQ(ReadClaim(*page, ticket), (Claim{TicketSequence(ticket), 1, 1}));
}

TEST(WorkerPageTest, WhatIsClaimedIsNotTakenBack) {
  auto page = MakePage();
  const std::uint32_t ticket = OfferTask(*page, 0, 10);
  std::uint32_t item;
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(ClaimNext(*page, ticket, &item));
  EXPECT_EQ(TakeBack(*page, ticket, 6), 0u);
  EXPECT_EQ(TakeBack(*page, ticket, 2), 4u);
  EXPECT_EQ(TakeBack(*page, ticket), 2u);
  EXPECT_EQ(TakeBack(*page, ticket), 0u);
  EXPECT_FALSE(ClaimNext(*page, ticket, &item));
  EXPECT_EQ(ReadClaim(*page, ticket), (Claim{TicketSequence(ticket), 4, 4}));
}

TEST(WorkerPageTest, AReusedSlotKnowsNothingOfItsFormerTask) {
  auto page = MakePage();
  const std::uint32_t old = OfferTask(*page, 5, 3);
  const std::uint32_t fresh = OfferTask(*page, 5, 3);
  std::uint32_t item;
  EXPECT_NE(old, fresh);
  EXPECT_FALSE(ClaimNext(*page, old, &item));
  EXPECT_EQ(TakeBack(*page, old), 0u);
  EXPECT_EQ(ReadClaim(*page, old), Claim{});
  EXPECT_TRUE(ClaimNext(*page, fresh, &item));
}

TEST(WorkerPageTest, SequenceNumbersWrapPastZero) {
  auto page = MakePage();
  for (int i = 0; i < 70'000; ++i) ASSERT_NE(TicketSequence(OfferTask(*page, 0, 1)), 0);
}

TEST(WorkerPageTest, ASlotOutsideOfThePageIsNothing) {
  auto page = MakePage();
  const std::uint32_t outside = MakeTicket(kClaimSlots, 0);
  std::uint32_t item;
  EXPECT_FALSE(ClaimNext(*page, outside, &item));
  EXPECT_EQ(TakeBack(*page, outside), 0u);
  EXPECT_EQ(ReadClaim(*page, outside), Claim{});
}

TEST(WorkerPageTest, ClaimerAndTakerShareEveryItemExactlyOnce) {
  for (int round = 0; round < 200; ++round) {
    auto page = MakePage();
    constexpr std::uint32_t kItems = 1000;
    const std::uint32_t ticket = OfferTask(*page, 1, kItems);
    std::uint32_t claimed = 0, taken = 0;
    std::thread worker([&] {
      std::uint32_t item;
      while (ClaimNext(*page, ticket, &item)) EXPECT_EQ(item, claimed++);
    });
    std::thread daemon([&] {
      for (std::uint32_t keep = 900; keep > 0; keep -= 100) taken += TakeBack(*page, ticket, keep);
      taken += TakeBack(*page, ticket);
    });
    worker.join();
    daemon.join();
    EXPECT_EQ(claimed + taken, kItems);
  }
}

}  // namespace
}  // namespace poold::wire
