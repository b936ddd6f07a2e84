// How outcomes are packed for a session and for readers of items.
#include "session/response_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/item_outcomes.h"
#include "api/watch_queue.h"
#include "core/errors.h"

namespace poold::session {
namespace {

struct StillClock final : base::Clock {
  std::int64_t Now() const override { return core::kSecond; }
  std::int64_t WallNow() const override { return 2 * core::kSecond; }
};

core::OutcomePtr Success(const std::string& result, std::uint32_t attempt = 1) {
  auto out = std::make_shared<core::Outcome>();
  out->state = core::TaskState::kSucceeded;
  out->attempt = attempt;
  out->result.encoding = core::Encoding::kRaw;
  out->result.data = core::Bytes(result);
  return out;
}

core::ItemBlockPtr Block(std::uint64_t first, const std::vector<std::string>& results) {
  auto out = std::make_shared<core::ItemBlock>();
  out->first_index = first;
  out->encoding = core::Encoding::kRaw;
  for (const std::string& result : results) {
    out->result_bytes.push_back(static_cast<std::uint32_t>(result.size()));
    out->results += result;
  }
  return out;
}

class Outbox : public testing::Test {
 protected:
  StillClock clock_;
  api::ServiceOptions options_;
  engine::ClientNames names_;
  std::atomic<std::uint32_t> short_rooms_ = 0;
  ResponseEncoder encoder_{options_, clock_, names_, short_rooms_};
  v1::SessionResponse message_;
};

TEST_F(Outbox, NothingIsSentWhenNothingWaits) {
  EXPECT_FALSE(encoder_.Fill(&message_));
  encoder_.SetTaken(1, false);
  EXPECT_FALSE(encoder_.Fill(&message_));
}

TEST_F(Outbox, TheLatestOfTheRoomIsToldOnceAlsoWhileMuchWaits) {
  encoder_.TellRoom();
  short_rooms_ = 1;
  encoder_.TellRoom();
  ASSERT_TRUE(encoder_.Fill(&message_));
  EXPECT_TRUE(message_.room_is_short());
  EXPECT_FALSE(encoder_.Fill(&message_));
  for (std::uint64_t i = 0; i < 2; ++i) encoder_.AddOutcome({1, i}, Success(std::string(1 << 20, 'x')));
  ASSERT_TRUE(encoder_.Fill(&message_));
  EXPECT_FALSE(message_.has_room_is_short());
  short_rooms_ = 0;
  encoder_.TellRoom();
  ASSERT_TRUE(encoder_.Fill(&message_));
  EXPECT_TRUE(message_.has_room_is_short());
}

TEST_F(Outbox, PlainSuccessesArePackedAsTheyCome) {
  const core::Bytes seven = core::Bytes::Few("7");
  const core::Bytes none;
  encoder_.AddSuccess({1, 5}, {core::Encoding::kRaw, seven});
  encoder_.AddSuccess({1, 9}, {core::Encoding::kRaw, none});
  encoder_.AddSuccess({1, 10}, {core::Encoding::kMsgpack, seven});
  encoder_.AddSuccess({2, 1}, {core::Encoding::kMsgpack, seven});
  EXPECT_EQ(encoder_.waiting(), 4);
  ASSERT_TRUE(encoder_.Fill(&message_));
  EXPECT_EQ(encoder_.waiting(), 0);
  ASSERT_EQ(message_.succeeded_size(), 3);
  EXPECT_THAT(message_.succeeded(0).id_low(), testing::ElementsAre(5, 9));
  EXPECT_THAT(message_.succeeded(0).result_bytes(), testing::ElementsAre(1, 0));
  EXPECT_EQ(message_.succeeded(0).results(), "7");
  EXPECT_EQ(message_.succeeded(1).encoding(), v1::ENCODING_MSGPACK);
  EXPECT_EQ(message_.succeeded(2).id_high(), 2);
  EXPECT_FALSE(encoder_.Fill(&message_));
}

TEST_F(Outbox, PackedSuccessesAreSentInMessagesOfBoundedSize) {
  constexpr std::uint64_t kTasks = 100'000;
  const core::Bytes result = core::Bytes::Few("12345678");
  for (std::uint64_t low = 0; low < kTasks; ++low) encoder_.AddSuccess({1, low}, {core::Encoding::kRaw, result});
  std::uint64_t next = 0;
  while (encoder_.Fill(&message_)) {
    EXPECT_LE(message_.ByteSizeLong(), 2u << 20);
    for (const v1::OutcomeGroup& group : message_.succeeded()) {
      EXPECT_EQ(group.results().size(), 8u * group.id_low_size());
      for (const std::uint64_t low : group.id_low()) ASSERT_EQ(low, next++);
    }
  }
  EXPECT_EQ(next, kTasks);
  EXPECT_EQ(encoder_.waiting(), 0);
}

TEST_F(Outbox, OnlySoMuchOfLargerResultsIsCopiedWhileNobodyReads) {
  constexpr int kTasks = 1000;
  auto text = std::make_shared<const std::string>(10'000, 'x');
  const core::Bytes result(text, *text);
  for (std::uint64_t low = 0; low < kTasks; ++low) encoder_.AddSuccess({1, low}, {core::Encoding::kRaw, result});
  // Those that were not copied refer to it.
  EXPECT_GT(text.use_count(), kTasks * 8 / 10);
  int tasks = 0;
  while (encoder_.Fill(&message_)) {
    for (const v1::OutcomeGroup& group : message_.succeeded()) tasks += group.id_low_size();
  }
  EXPECT_EQ(tasks, kTasks);
}

TEST_F(Outbox, WhatNobodyReadsCountsUntilItIsSent) {
  options_.memory = std::make_shared<const base::MemoryBudget>(16 << 20);
  const base::Quota& unsent = *options_.memory->unsent;
  ResponseEncoder outbox(options_, clock_, names_, short_rooms_);
  const core::Bytes result = core::Bytes::Few("12345678");
  outbox.AddSuccess({1, 1}, {core::Encoding::kRaw, result});
  EXPECT_EQ(unsent.used(), 0u) << "little is not counted";
  std::uint64_t low = 2;
  for (; !outbox.over_quota(); ++low) {
    outbox.AddSuccess({1, low}, {core::Encoding::kRaw, result});
    ASSERT_LT(low, 200'000u);
  }
  EXPECT_GT(unsent.used(), unsent.max() / 2);
  EXPECT_LE(unsent.used(), unsent.max());
  std::uint64_t told = 1;
  while (outbox.Fill(&message_)) {
    for (const v1::OutcomeGroup& group : message_.succeeded()) told += group.id_low_size();
  }
  EXPECT_EQ(told, low) << "nothing is lost";
  EXPECT_EQ(unsent.used(), 0u);
  EXPECT_FALSE(outbox.over_quota());
}

TEST_F(Outbox, AResultThatIsNotToldInlineIsNotPacked) {
  options_.max_inline_result_bytes = 4;
  ResponseEncoder outbox(options_, clock_, names_, short_rooms_);
  const core::Bytes result = core::Bytes::Few("12345");
  outbox.AddSuccess({1, 5}, {core::Encoding::kRaw, result, 1, 2, 3});
  ASSERT_TRUE(outbox.Fill(&message_));
  ASSERT_EQ(message_.others_size(), 1);
  EXPECT_EQ(message_.others(0).outcome().result().size_bytes(), 5);
  EXPECT_EQ(message_.others(0).outcome().result().data(), "");
}

TEST_F(Outbox, PlainSuccessesOfOneKindSharePacks) {
  encoder_.AddOutcome({1, 5}, Success("ab"));
  encoder_.AddOutcome({1, 9}, Success(""));
  encoder_.AddOutcome({2, 1}, Success("c"));
  ASSERT_TRUE(encoder_.Fill(&message_));
  ASSERT_EQ(message_.succeeded_size(), 2);
  EXPECT_EQ(message_.succeeded(0).results(), "ab");
  EXPECT_EQ(message_.succeeded(0).id_low(1), 9u);
  EXPECT_EQ(message_.succeeded(1).id_high(), 2u);
  EXPECT_FALSE(encoder_.Fill(&message_));
  EXPECT_EQ(encoder_.waiting(), 0u);
}

TEST_F(Outbox, ASecondAttemptIsTold) {
  encoder_.AddOutcome({1, 5}, Success("ab", 2));
  ASSERT_TRUE(encoder_.Fill(&message_));
  EXPECT_EQ(message_.others(0).outcome().attempt(), 2u);
}

TEST_F(Outbox, ResultsAreToldByTheirSizeFromWhereTheClientWantsIt) {
  encoder_.ShareMemory(3);
  encoder_.AddOutcome({1, 5}, Success("abc"));
  encoder_.AddOutcome({1, 6}, Success("abcd"));
  ASSERT_TRUE(encoder_.Fill(&message_));
  ASSERT_EQ(message_.succeeded_size(), 1);
  EXPECT_EQ(message_.succeeded(0).results(), "abc");
  ASSERT_EQ(message_.others_size(), 1);
  EXPECT_EQ(message_.others(0).outcome().result().data(), "");
  EXPECT_EQ(message_.others(0).outcome().result().size_bytes(), 4u);
}

TEST_F(Outbox, AnOutcomeThatManyTasksHaveIsToldOnce) {
  const core::OutcomePtr cancelled = Success("", 2);
  for (std::uint64_t low = 1; low <= 10'000; ++low) encoder_.AddOutcome({1, low}, cancelled);
  encoder_.AddOutcome({2, 7}, cancelled);
  encoder_.AddOutcome({2, 8}, Success("", 3));
  ASSERT_TRUE(encoder_.Fill(&message_));
  ASSERT_EQ(message_.others_size(), 2);
  EXPECT_THAT(message_.others(0).ids().high(), testing::ElementsAre(1, 2));
  EXPECT_THAT(message_.others(0).ids().low(), testing::ElementsAre(1, 7));
  EXPECT_THAT(message_.others(0).ids().count(), testing::ElementsAre(10'000, 1));
  EXPECT_EQ(message_.others(1).outcome().attempt(), 3u);
  EXPECT_FALSE(encoder_.Fill(&message_));
  EXPECT_EQ(encoder_.waiting(), 0u);
}

TEST_F(Outbox, SuchAnOutcomeIsToldInEachMessageThatNamesSomeOfThem) {
  const core::OutcomePtr cancelled = Success("", 2);
  for (std::uint64_t low = 1; low <= 100'000; ++low) encoder_.AddOutcome({1, low}, cancelled);
  std::uint64_t next = 1;
  while (encoder_.Fill(&message_)) {
    ASSERT_EQ(message_.others_size(), 1);
    EXPECT_EQ(message_.others(0).outcome().attempt(), 2u);
    EXPECT_EQ(message_.others(0).ids().low(0), next);
    next += message_.others(0).ids().count(0);
    EXPECT_LT(message_.others(0).ids().count(0), 50'000u) << "a client would have to do it all in one go";
  }
  EXPECT_EQ(next, 100'001u);
}

TEST_F(Outbox, TheTakenCountRidesAlongAndNeverFallsBack) {
  encoder_.SetTaken(3, false);
  encoder_.AddOutcome({1, 1}, Success("x"));
  ASSERT_TRUE(encoder_.Fill(&message_));
  EXPECT_EQ(message_.taken_requests(), 3u);
  encoder_.AddOutcome({1, 2}, Success("x"));
  ASSERT_TRUE(encoder_.Fill(&message_));
  EXPECT_EQ(message_.taken_requests(), 3u);
}

TEST_F(Outbox, MessagesAreBoundedAndNothingIsLostBetweenThem) {
  for (int i = 0; i < 10; ++i)
    encoder_.AddOutcome({1, static_cast<std::uint64_t>(i)}, Success(std::string(400'000, 'x')));
  std::vector<std::uint64_t> seen;
  int messages = 0;
  while (encoder_.Fill(&message_)) {
    ++messages;
    EXPECT_LT(message_.ByteSizeLong(), 2u << 20);
    for (const auto& group : message_.succeeded())
      seen.insert(seen.end(), group.id_low().begin(), group.id_low().end());
  }
  EXPECT_GT(messages, 2);
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST_F(Outbox, OutcomesWaitUntilTheOutputBeforeThemIsSent) {
  for (int i = 0; i < 10; ++i)
    encoder_.AddOutput({{1, 1}, core::OutputStream::kStdout, core::Bytes(std::string(100'000, 'o'))});
  encoder_.AddOutcome({1, 1}, Success("x"));
  std::size_t output = 0;
  while (encoder_.Fill(&message_)) {
    for (const v1::Output& one : message_.outputs()) output += one.data().size();
    EXPECT_TRUE(message_.succeeded_size() == 0 || output == 1'000'000u);
  }
  EXPECT_EQ(output, 1'000'000u);
}

core::ProgressEvent Progress(std::uint64_t low, double fraction) {
  core::ProgressEvent out;
  out.id = {1, low};
  out.progress.fraction = fraction;
  return out;
}

TEST_F(Outbox, OfWhatATaskSaysOfItsProgressOnlyTheLatestIsSentAndBeforeItsOutcome) {
  encoder_.AddProgress(Progress(1, 0.1));
  encoder_.AddProgress(Progress(2, 0.2));
  encoder_.AddProgress(Progress(1, 0.9));
  encoder_.AddOutcome({1, 1}, Success("x"));
  EXPECT_EQ(encoder_.waiting(), 3u);
  ASSERT_TRUE(encoder_.Fill(&message_));
  ASSERT_EQ(message_.progress_size(), 2);
  EXPECT_EQ(message_.progress(0).id(), api::IdBytes({1, 1}));
  EXPECT_EQ(message_.progress(0).fraction(), 0.9);
  EXPECT_EQ(message_.progress(1).fraction(), 0.2);
  EXPECT_EQ(message_.succeeded_size(), 1);
  EXPECT_EQ(encoder_.waiting(), 0u);
  encoder_.AddProgress(Progress(1, 1));
  ASSERT_TRUE(encoder_.Fill(&message_));
  EXPECT_EQ(message_.progress(0).fraction(), 1);
}

TEST_F(Outbox, OutcomesWaitUntilTheProgressBeforeThemIsSent) {
  for (std::uint64_t i = 0; i < 3000; ++i) {
    core::ProgressEvent progress = Progress(i, 0.5);
    progress.progress.text = std::string(1000, 't');
    encoder_.AddProgress(progress);
  }
  encoder_.AddOutcome({1, 2999}, Success("x"));
  int progress = 0;
  while (encoder_.Fill(&message_)) {
    EXPECT_LT(message_.ByteSizeLong(), 2u << 20);
    progress += message_.progress_size();
    EXPECT_TRUE(message_.succeeded_size() == 0 || progress == 3000);
  }
  EXPECT_EQ(progress, 3000);
}

TEST_F(Outbox, ARefusalIsNeverToldAfterTheCountOfItsRequest) {
  // Outcomes fill the first message; more refusals than one message holds come behind them.
  for (std::uint64_t i = 0; i < 5; ++i) encoder_.AddOutcome({1, i}, Success(std::string(400'000, 'x')));
  ASSERT_TRUE(encoder_.Fill(&message_));
  std::vector<RefusedHandle> refused(5000, {api::IdBytes({9, 9}), absl::ResourceExhaustedError("full")});
  encoder_.AddRefused(std::move(refused));
  encoder_.SetTaken(7, true);
  int told = 0;
  while (encoder_.Fill(&message_)) {
    told += message_.refused_size();
    EXPECT_EQ(message_.taken_requests(), told == 5000 ? 7u : 0u);
  }
  EXPECT_EQ(told, 5000);
  EXPECT_EQ(encoder_.acknowledged(), 7u);
}

TEST_F(Outbox, TooMuchOutputDropsTheOldestAndCounts) {
  const core::Bytes text(std::string(1 << 20, 'o'));
  for (int i = 0; i < 10; ++i) encoder_.AddOutput({{1, 1}, core::OutputStream::kStdout, text});
  EXPECT_EQ(encoder_.dropped_output_bytes(), 6u << 20);
  EXPECT_EQ(encoder_.waiting(), 4u);
}

TEST_F(Outbox, ItemsOfAMapComeBeforeItsEnd) {
  core::MapView end;
  end.id = {1, 1};
  end.done = true;
  encoder_.AddItems({1, 1}, Block(0, {"a", "b"}));
  encoder_.AddItems({1, 1}, Block(2, {std::string(2 << 20, 'x'), "c"}));
  encoder_.AddMapEnd(end);
  std::vector<std::uint64_t> sizes;
  bool ended = false;
  while (encoder_.Fill(&message_)) {
    for (const v1::MapOutcomes& map : message_.maps()) {
      EXPECT_FALSE(ended);
      for (const v1::ItemOutcomes& part : map.outcomes()) {
        for (const v1::ItemOutcome& other : part.others()) sizes.push_back(other.outcome().result().size_bytes());
      }
      ended = ended || map.end().done();
    }
  }
  EXPECT_TRUE(ended);
  EXPECT_EQ(sizes, (std::vector<std::uint64_t>{2 << 20}));
}

TEST_F(Outbox, ManyItemsAreCutAndTheLongOnesAmongThemNamed) {
  options_.max_inline_result_bytes = 10;
  ResponseEncoder outbox(options_, clock_, names_, short_rooms_);
  std::vector<std::string> results(40'000, "short");
  results[7] = results[30'000] = "longer than ten bytes";
  outbox.AddItems({1, 1}, Block(0, results));
  std::uint64_t next = 0;
  std::vector<std::uint64_t> others;
  std::string text;
  while (outbox.Fill(&message_)) {
    for (const v1::MapOutcomes& map : message_.maps()) {
      for (const v1::ItemOutcomes& part : map.outcomes()) {
        EXPECT_EQ(part.first_index(), next);
        next += static_cast<std::uint64_t>(part.result_bytes_size());
        text += part.results();
        for (const v1::ItemOutcome& other : part.others()) others.push_back(other.index());
      }
    }
  }
  EXPECT_EQ(next, results.size());
  EXPECT_EQ(others, (std::vector<std::uint64_t>{7, 30'000}));
  EXPECT_EQ(text.size(), (results.size() - 2) * 5);
}

std::string ReadAll(api::ItemSource* source) {
  std::string out;
  v1::GetItemsResponse message;
  while (source->Fill(&message)) {
    for (const v1::ItemOutcomes& part : message.outcomes()) out += part.results();
    if (message.has_end()) out += ".";
    message.Clear();
  }
  return out;
}

TEST(ItemSource, KeepsTheOrderOfTheItems) {
  const StillClock clock;
  const engine::ClientNames names;
  api::ItemSource source(0, false, 1000, clock, names);
  source.Add(Block(2, {"c", "d"}));
  EXPECT_EQ(ReadAll(&source), "");
  source.Add(Block(0, {"a", "b"}));
  EXPECT_EQ(ReadAll(&source), "abcd");
  source.AddEnd(core::MapView());
  EXPECT_EQ(ReadAll(&source), ".");
}

TEST(ItemSource, OrGivesThemAsTheyCome) {
  const StillClock clock;
  const engine::ClientNames names;
  api::ItemSource source(1, true, 1000, clock, names);
  source.Add(Block(2, {"c", "d"}));
  source.Add(Block(0, {"a", "b"}));
  source.AddEnd(core::MapView());
  EXPECT_EQ(ReadAll(&source), "cdb.");
}

TEST(ItemSource, GapsDoNotHoldBackTheEnd) {
  const StillClock clock;
  const engine::ClientNames names;
  api::ItemSource source(0, false, 1000, clock, names);
  source.Add(Block(5, {"f"}));
  source.AddEnd(core::MapView());
  EXPECT_EQ(ReadAll(&source), "f.");
}

// Beside what each watcher has of its own.
std::shared_ptr<base::Quota> EventRoom(std::uint64_t events) {
  return std::make_shared<base::Quota>(events * api::WatchQueue::kEventBytes);
}

core::TaskView TaskIn(std::uint64_t low, core::TaskState state) {
  core::TaskView task;
  task.id = {1, low};
  task.state = state;
  return task;
}

std::uint64_t LostEvents(api::WatchQueue* queue) {
  v1::WatchResponse event;
  return queue->Next(&event) ? event.resync().lost_events() : 0;
}

TEST(WatchQueue, WhoDoesNotReadLosesEverythingAndIsToldOnce) {
  constexpr std::uint64_t kOwn = api::WatchQueue::kOwnBytes / api::WatchQueue::kEventBytes;
  const StillClock clock;
  const engine::ClientNames names;
  const std::shared_ptr<base::Quota> room = EventRoom(100);
  api::WatchQueue queue(10, room, clock, names);
  for (std::uint64_t i = 0; i < kOwn + 100; ++i) queue.Add(TaskIn(i, core::TaskState::kRunning));
  EXPECT_EQ(LostEvents(&queue), 0u);  // one was read, so one more fits
  queue.Add(TaskIn(1, core::TaskState::kRunning));
  queue.Add(TaskIn(2, core::TaskState::kRunning));
  queue.Add(TaskIn(3, core::TaskState::kRunning));
  queue.End();
  EXPECT_FALSE(queue.over());
  EXPECT_EQ(room->used(), room->max());  // it is in memory still
  queue.DropLost();
  EXPECT_EQ(room->used(), 0u);
  EXPECT_EQ(LostEvents(&queue), kOwn + 100 - 1 + 3);
  EXPECT_TRUE(queue.over());
  queue.Add(TaskIn(4, core::TaskState::kRunning));  // told anew
  v1::WatchResponse event;
  ASSERT_TRUE(queue.Next(&event));
  EXPECT_EQ(event.task().id(), api::IdBytes({1, 4}));
}

TEST(WatchQueue, WhoReadsKeepsAShareWhateverOthersLeaveUnread) {
  const StillClock clock;
  const engine::ClientNames names;
  const std::shared_ptr<base::Quota> room = EventRoom(100);
  api::WatchQueue idle(10, room, clock, names);
  for (std::uint64_t i = 0; room->used() < room->max(); ++i) idle.Add(TaskIn(i, core::TaskState::kRunning));
  api::WatchQueue queue(10, room, clock, names);
  for (std::uint64_t i = 0; i < api::WatchQueue::kOwnBytes / api::WatchQueue::kEventBytes; ++i) {
    queue.Add(TaskIn(i, core::TaskState::kRunning));
  }
  EXPECT_EQ(LostEvents(&queue), 0u);
}

TEST(WatchQueue, AResultThatNobodyReadsIsNotKept) {
  const StillClock clock;
  const engine::ClientNames names;
  api::WatchQueue queue(10, EventRoom(100), clock, names);
  const auto bytes = std::make_shared<const std::string>(1000, 'x');
  auto outcome = std::make_shared<core::Outcome>();
  outcome->state = core::TaskState::kSucceeded;
  outcome->result.data = core::Bytes(bytes, *bytes);
  core::TaskView task = TaskIn(1, core::TaskState::kSucceeded);
  task.outcome = std::move(outcome);
  queue.Add(std::move(task));
  EXPECT_EQ(bytes.use_count(), 1);
  v1::WatchResponse event;
  ASSERT_TRUE(queue.Next(&event));
  EXPECT_EQ(event.task().outcome().result().size_bytes(), 1000u);
}

TEST(WatchQueue, KeepsStatesAndTellsTheGapInTheOutput) {
  const StillClock clock;
  const engine::ClientNames names;
  api::WatchQueue queue(10, EventRoom(100), clock, names);
  core::TaskView task;
  task.id = {1, 1};
  task.state = core::TaskState::kRunning;
  queue.Add(task);
  for (int i = 0; i < 3; ++i)
    queue.Add(core::OutputEvent{{1, 1}, core::OutputStream::kStdout, core::Bytes("12345678")});
  task.state = core::TaskState::kSucceeded;
  queue.Add(task);
  queue.End();
  v1::WatchResponse event;
  std::string seen;
  while (queue.Next(&event)) {
    if (event.has_task()) seen += std::to_string(event.task().state());
    if (event.has_output()) seen += "o";
    if (event.dropped_output_bytes() > 0) seen += "-" + std::to_string(event.dropped_output_bytes()) + "-";
    event.Clear();
  }
  EXPECT_EQ(seen, "2o-16-3");
  EXPECT_TRUE(queue.over());
}

TEST(WatchQueue, OfProgressOnlyTheLatestOfEachTaskWaits) {
  const StillClock clock;
  const engine::ClientNames names;
  api::WatchQueue queue(10, EventRoom(100), clock, names);
  for (const double fraction : {0.1, 0.2, 0.3}) {
    queue.Add(Progress(1, fraction));
    queue.Add(Progress(2, fraction / 2));
  }
  core::TaskView task;
  task.id = {1, 1};
  task.state = core::TaskState::kSucceeded;
  queue.Add(task);
  v1::WatchResponse event;
  ASSERT_TRUE(queue.Next(&event));
  EXPECT_EQ(event.progress().id(), api::IdBytes({1, 1}));
  EXPECT_EQ(event.progress().fraction(), 0.3);
  ASSERT_TRUE(queue.Next(&event));
  EXPECT_EQ(event.progress().fraction(), 0.15);
  event.Clear();
  ASSERT_TRUE(queue.Next(&event));
  EXPECT_TRUE(event.has_task());
  EXPECT_FALSE(queue.Next(&event));
}

TEST(WatchQueue, OfAPoolOnlyTheLatestWaits) {
  const StillClock clock;
  const engine::ClientNames names;
  api::WatchQueue queue(10, EventRoom(100), clock, names);
  for (const auto state : {core::PoolState::kStarting, core::PoolState::kRunning}) {
    core::PoolView pool;
    pool.spec.name = "p";
    pool.state = state;
    queue.Add(pool);
  }
  v1::WatchResponse event;
  ASSERT_TRUE(queue.Next(&event));
  EXPECT_EQ(event.pool().state(), v1::POOL_STATE_RUNNING);
  EXPECT_FALSE(queue.Next(&event));
}

}  // namespace
}  // namespace poold::session
