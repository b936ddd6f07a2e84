// What was sent ahead to one worker, by ticket, by token, by age.
#include "process/slot_table.h"

#include <gtest/gtest.h>

namespace poold::process {
namespace {

Slot& Take(SlotTable& table, std::uint64_t token) {
  Slot& slot = table.at(table.Take(/*chunk=*/false));
  slot.token = core::AttemptToken{token};
  slot.ticket = wire::MakeTicket(slot.index, static_cast<std::uint16_t>(token));
  return slot;
}

TEST(SlotTable, AllSlotsOfThePageCanBeTakenAndNoMore) {
  SlotTable table;
  for (std::uint64_t i = 0; i < wire::kClaimSlots; ++i) {
    ASSERT_FALSE(table.full());
    EXPECT_EQ(Take(table, i + 1).index, i);
  }
  EXPECT_TRUE(table.full());
  table.Free(table.Oldest());
  EXPECT_FALSE(table.full());
}

TEST(SlotTable, TheOldestIsWhatWasSentFirstWhateverSlotItHas) {
  SlotTable table;
  for (std::uint64_t token = 1; token <= 3; ++token) Take(table, token);
  table.Free(table.ByToken(core::AttemptToken{1}));
  Take(table, 4);  // in the slot of the first one
  std::vector<std::uint64_t> order;
  while (Slot* oldest = table.Oldest()) {
    order.push_back(static_cast<std::uint64_t>(oldest->token));
    table.Free(oldest);
  }
  EXPECT_EQ(order, (std::vector<std::uint64_t>{2, 3, 4}));
  EXPECT_EQ(table.live(), 0u);
}

TEST(SlotTable, ATicketOfAFormerLifeFindsNothing) {
  SlotTable table;
  const std::uint32_t ticket = Take(table, 1).ticket;
  ASSERT_NE(table.ByTicket(ticket), nullptr);
  table.Free(table.ByTicket(ticket));
  EXPECT_EQ(table.ByTicket(ticket), nullptr);
  Take(table, 2);
  EXPECT_EQ(table.ByTicket(ticket), nullptr);
  EXPECT_EQ(table.ByTicket(wire::MakeTicket(wire::kClaimSlots - 1, 1)), nullptr);
}

}  // namespace
}  // namespace poold::process
