// What a task tells of itself while it runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "harness.h"
#include "poold/codec/codec.h"
#include "wire/outcome_ring.h"

namespace poold::worker_test {
namespace {

using codec::EncodeArguments;
using ::testing::ElementsAre;
using wire::ProgressNote;
using wire::RecordKind;

class ProgressTest : public ::testing::Test {
 protected:
  static TestTask Progress(int steps, int ms) { return {.function = "progress", .args = EncodeArguments(steps, ms)}; }
  std::vector<ProgressNote> NotesOf(std::uint32_t ticket, std::uint32_t item = 0) const {
    std::vector<ProgressNote> notes;
    for (const auto& [of, record] : worker_->heard) {
      if (of != ticket || record.item != item || record.kind != RecordKind::kProgress) continue;
      notes.push_back(wire::ReadProgressNote(record.bytes).value());
    }
    return notes;
  }
  TestZygote zygote_{{.setup = SetupWith({TESTING_MODULE, REPORTS_MODULE})}};
  std::unique_ptr<TestWorker> worker_ = zygote_.MakeWorker();
};

TEST_F(ProgressTest, EachStepReportsItsFractionAndText) {
  const std::uint32_t ticket = worker_->Run({Progress(2, 0)})[0];
  worker_->WaitForOutcomes(1);
  EXPECT_THAT(NotesOf(ticket), ElementsAre(ProgressNote{0.5, "step 1 of 2"}, ProgressNote{1, "step 2 of 2"}));
}

TEST_F(ProgressTest, AReportIsSeenWhileTheTaskRuns) {
  const std::uint32_t ticket = worker_->Run({{.function = "report_then_sleep", .args = EncodeArguments("reading")}})[0];
  EXPECT_EQ(worker_->peer->Receive().first, internal::FRAME_KIND_BELL);
  worker_->Drain();
  EXPECT_THAT(NotesOf(ticket), ElementsAre(ProgressNote{-1, "reading"}));
}

TEST_F(ProgressTest, AMillionReportsAreAFewOfThemAndTheLatest) {
  const std::uint32_t ticket = worker_->Run({Progress(1'000'000, 0)})[0];
  worker_->WaitForOutcomes(1);
  const std::vector<ProgressNote> notes = NotesOf(ticket);
  ASSERT_GE(notes.size(), 2u);
  EXPECT_LT(notes.size(), 1000u);
  EXPECT_EQ(notes.front().text, "step 1 of 1000000");
  EXPECT_EQ(notes.back(), (ProgressNote{1, "step 1000000 of 1000000"}));
  EXPECT_LE(worker_->heard.back().second.kind, RecordKind::kFailure) << "the outcome comes last";
}

TEST_F(ProgressTest, TheLatestReportComesThroughThoughItSaysNothingOfAnEnd) {
  const std::uint32_t ticket =
      worker_->Run({{.function = "report_all", .args = EncodeArguments(std::vector<double>{0.1, 0.2, -3, 0.4})}})[0];
  worker_->WaitForOutcomes(1);
  ASSERT_FALSE(NotesOf(ticket).empty());
  EXPECT_EQ(NotesOf(ticket).front().fraction, 0.1);
  EXPECT_EQ(NotesOf(ticket).back().fraction, 0.4);
}

TEST_F(ProgressTest, EachItemOfAChunkReportsForItself) {
  const TestTask chunk{.function = "progress",
                       .items = {EncodeArguments(1, 0), EncodeArguments(2, 0), EncodeArguments(3, 0)}};
  const std::uint32_t ticket = worker_->Run({chunk})[0];
  worker_->WaitForOutcomes(3);
  for (std::uint32_t item = 0; item < 3; ++item) {
    EXPECT_EQ(NotesOf(ticket, item).back().text,
              "step " + std::to_string(item + 1) + " of " + std::to_string(item + 1));
  }
}

TEST_F(ProgressTest, AThreadOfTheTaskMayReport) {
  const std::uint32_t ticket = worker_->Run({{.function = "report_from_threads", .args = EncodeArguments(4)}})[0];
  worker_->WaitForOutcomes(1);
  EXPECT_FALSE(NotesOf(ticket).empty());
}

TEST_F(ProgressTest, AThreadThatATaskLeftBehindReportsForNobody) {
  worker_->Call({.function = "leave_straggler", .args = EncodeArguments()});
  const auto straggled = [&] {
    return *codec::Decode<std::uint64_t>(worker_->Call({.function = "straggled", .args = EncodeArguments()}).bytes);
  };
  const std::uint64_t before = straggled();
  worker_->heard.clear();
  // Between the tasks: nothing is asked of the worker while it reports a thousand times and more.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  worker_->Drain();
  EXPECT_TRUE(worker_->heard.empty());
  EXPECT_GT(straggled(), before + 1000);
}

TEST_F(ProgressTest, AChildOfTheTaskReportsNothing) {
  const std::uint32_t ticket = worker_->Run({{.function = "report_from_child", .args = EncodeArguments()}})[0];
  worker_->WaitForOutcomes(1);
  EXPECT_TRUE(NotesOf(ticket).empty());
}

TEST_F(ProgressTest, OutsideATaskAReportHasNoEffect) {
  internal::Setup setup = SetupWith({TESTING_MODULE});
  setup.set_initializer("progress");
  setup.set_initializer_args(EncodeArguments(1, 0));
  setup.set_initializer_encoding(internal::ENCODING_MSGPACK);
  TestZygote zygote({.setup = setup});
  auto worker = zygote.MakeWorker();
  ASSERT_NE(worker, nullptr);
  worker->Drain();
  EXPECT_TRUE(worker->heard.empty());
}

TEST_F(ProgressTest, AFunctionKnowsTheNumberOfItsAttempt) {
  EXPECT_EQ(*codec::Decode<int>(worker_->Call({.function = "attempt", .args = EncodeArguments()}).bytes), 1);
  EXPECT_EQ(*codec::Decode<int>(worker_->Call({.function = "attempt", .args = EncodeArguments(), .attempt = 3}).bytes),
            3);
}

}  // namespace
}  // namespace poold::worker_test
