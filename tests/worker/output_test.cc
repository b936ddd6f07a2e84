// What tasks print is theirs, also among neighbours that were sent together.
#include <gtest/gtest.h>
#include <signal.h>

#include "harness.h"
#include "poold/codec/codec.h"

namespace poold::worker_test {
namespace {

using codec::EncodeArguments;
using wire::RecordKind;

class OutputTest : public ::testing::Test {
 protected:
  static TestTask Print(const std::string& text, const std::string& function = "print") {
    return {.function = function, .args = EncodeArguments(text)};
  }
  // The places of a ticket's output and outcome in the order of arrival.
  bool OutputPrecedesOutcome(std::uint32_t ticket) const {
    bool outcome = false;
    for (const auto& [of, record] : worker_->heard) {
      if (of != ticket) continue;
      if (record.kind <= RecordKind::kFailure) outcome = true;
      if (record.kind >= RecordKind::kStdout && outcome) return false;
    }
    return outcome;
  }
  std::unique_ptr<TestZygote> zygote_ = TestingZygote();
  std::unique_ptr<TestWorker> worker_ = zygote_->MakeWorker();
};

TEST_F(OutputTest, NeighboursKeepTheirOutputApart) {
  std::vector<TestTask> tasks;
  for (int i = 0; i < 64; ++i) {
    const std::string text = "line " + std::to_string(i);
    tasks.push_back(i % 3 == 0 ? Print(text) : i % 3 == 1 ? Print(text, "print_part") : Print(text, "print_err"));
  }
  const std::vector<std::uint32_t> tickets = worker_->Run(tasks);
  worker_->WaitForOutcomes(64);
  for (int i = 0; i < 64; ++i) {
    const RecordKind kind = i % 3 == 2 ? RecordKind::kStderr : RecordKind::kStdout;
    const std::string text = "line " + std::to_string(i) + (i % 3 == 1 ? "" : "\n");
    EXPECT_EQ(worker_->OutputOf(tickets[i], kind), text);
    EXPECT_TRUE(OutputPrecedesOutcome(tickets[i])) << i;
  }
}

TEST_F(OutputTest, ItemsOfAChunkKeepTheirOutputApart) {
  TestTask chunk{.function = "print"};
  for (int i = 0; i < 20; ++i) chunk.items.push_back(EncodeArguments("item " + std::to_string(i)));
  worker_->Run({chunk});
  worker_->WaitForOutcomes(20);
  int outcomes = 0;
  for (const auto& [ticket, record] : worker_->heard) {
    if (record.kind == RecordKind::kStdout) {
      EXPECT_EQ(record.bytes, "item " + std::to_string(outcomes) + "\n");
    }
    outcomes += record.kind <= RecordKind::kFailure;
  }
  EXPECT_EQ(outcomes, 20);
}

TEST_F(OutputTest, LinesAreSeenWhileTheTaskRuns) {
  worker_->Run({Print("soon"), {.function = "sleep", .args = EncodeArguments(600'000)}});
  worker_->WaitForOutcomes(1);
  TestZygote examples({.setup = SetupWith({EXAMPLES_MODULE})});
  auto other = examples.MakeWorker();
  other->Run({{.function = "func_ms", .args = EncodeArguments("hello 0", 600'000)}});
  char text[64] = {};
  ASSERT_GT(read(other->stdout_read.get(), text, sizeof text - 1), 0);
  EXPECT_STREQ(text, "msg: hello 0\n");
  EXPECT_EQ(other->page().running.load(), 1u);
}

TEST_F(OutputTest, ADaemonThatReadsHoldsTheBoundaryBack) {
  worker_->page().output_lock.store(static_cast<std::uint32_t>(wire::OutputLock::kDaemon));
  const std::uint32_t ticket = worker_->Run({Print("x")})[0];
  EXPECT_EQ(worker_->peer->Receive(100).first, internal::FRAME_KIND_UNSPECIFIED);
  worker_->page().output_lock.store(static_cast<std::uint32_t>(wire::OutputLock::kFree));
  worker_->WaitForOutcomes(1);
  EXPECT_EQ(worker_->OutputOf(ticket), "x\n");
}

TEST_F(OutputTest, AfterACrashTheRestLiesInThePipe) {
  worker_->Run({{.function = "crash", .args = EncodeArguments(SIGABRT)}});
  EXPECT_EQ(WaitForExit(worker_->pid).signal, SIGABRT);
  worker_->pid = -1;
  char text[64] = {};
  ASSERT_GT(read(worker_->stderr_read.get(), text, sizeof text - 1), 0);
  EXPECT_STREQ(text, "crash: raising signal 6\n");
  EXPECT_EQ(worker_->page().running.load(), 1u);
}

}  // namespace
}  // namespace poold::worker_test
