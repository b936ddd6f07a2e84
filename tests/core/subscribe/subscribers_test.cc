// A stream is kept for as long as somebody refers to it.
#include "core/subscribe/subscribers.h"

#include <gtest/gtest.h>

namespace poold::core {
namespace {

std::vector<std::uint64_t> HeardBy(const SubscriptionList& list) {
  std::vector<std::uint64_t> heard;
  list.ForEach([&](const Subscription& one) { heard.push_back(static_cast<std::uint64_t>(one.to->id)); });
  return heard;
}

TEST(Subscribers, NobodyIsNoStream) {
  Subscribers streams;
  EXPECT_EQ(streams.Find(kNobody), nullptr);
  streams.Leave(nullptr);
  streams.DropUnused(nullptr);
  EXPECT_EQ(streams.size(), 0u);
}

TEST(Subscribers, AStreamThatNobodyWantedIsForgotten) {
  Subscribers streams;
  Subscriber* stream = streams.Find(SubscriberId{1});
  EXPECT_EQ(streams.Find(SubscriberId{1}), stream);
  EXPECT_NE(streams.Check(), "");
  streams.DropUnused(stream);
  EXPECT_EQ(streams.size(), 0u);
  EXPECT_EQ(streams.Check(), "");
}

TEST(Subscribers, TheLastReferenceForgetsTheStream) {
  Subscribers streams;
  Subscriber* stream = streams.Find(SubscriberId{1});
  Subscribers::Enter(stream);
  SubscriptionList list;
  streams.Add(list, {stream, 3});
  EXPECT_TRUE(list.Holds(stream));
  streams.Leave(stream);
  EXPECT_EQ(streams.known(), 1u);
  streams.Clear(list);
  EXPECT_EQ(streams.known(), 0u);
  EXPECT_EQ(streams.size(), 0u);
}

TEST(Subscribers, AStreamThatHasEndedHearsNothingAndGoesWithTheNextSubscription) {
  Subscribers streams;
  SubscriptionList list;
  streams.Add(list, {streams.Find(SubscriberId{1}), 0});
  streams.Add(list, {streams.Find(SubscriberId{2}), 0});
  streams.Gone(SubscriberId{1});
  EXPECT_EQ(HeardBy(list), std::vector<std::uint64_t>{2});
  EXPECT_EQ(streams.size(), 2u);
  EXPECT_EQ(streams.known(), 1u);
  streams.Add(list, {streams.Find(SubscriberId{3}), 0});
  EXPECT_EQ(HeardBy(list), (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(streams.size(), 2u);
  EXPECT_EQ(streams.Check(), "");
}

TEST(Subscribers, AnIdThatComesAgainIsANewStream) {
  Subscribers streams;
  SubscriptionList list;
  Subscriber* first = streams.Find(SubscriberId{1});
  streams.Add(list, {first, 0});
  streams.Gone(SubscriberId{1});
  Subscriber* second = streams.Find(SubscriberId{1});
  EXPECT_NE(first, second);
  EXPECT_FALSE(list.Holds(second));
}

}  // namespace
}  // namespace poold::core
