// A child that a task forks never speaks for its parent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "harness.h"
#include "poold/codec/codec.h"

namespace poold::worker_test {
namespace {

using codec::EncodeArguments;
using wire::RecordKind;

class ChildrenTest : public ::testing::Test {
 protected:
  template <typename... Args>
  static TestTask Task(const std::string& function, const Args&... args) {
    return {.function = function, .args = EncodeArguments(args...)};
  }
  std::string Text(const TestTask& task) { return codec::Decode<std::string>(worker_->Call(task).bytes).value_or("?"); }
  // Nothing came that nobody waited for, and the worker still works.
  void ExpectNothingMore(std::size_t outcomes) {
    worker_->Drain();
    EXPECT_EQ(worker_->heard.size(), outcomes);
    EXPECT_EQ(Text(Task("both_return", "fork", 0)), "0");
  }

  TestZygote zygote_{{.setup = SetupWith({FORKS_MODULE})}};
  std::unique_ptr<TestWorker> worker_ = zygote_.MakeWorker();
};

TEST_F(ChildrenTest, OfTwoThatReturnTheParentIsHeard) {
  for (const char* how : {"fork", "clone"}) {
    EXPECT_EQ(Text(Task("both_return", how, 3)), "0ppp") << how;
    EXPECT_EQ(Text(Task("child_throws", how)), "1") << how;
  }
}

TEST_F(ChildrenTest, AChildWritesNoLargeResultEither) {
  for (const char* how : {"fork", "clone"}) {
    EXPECT_EQ(worker_->Call(Task("both_return_bytes", how, 200'000)).bytes, std::string(200'000, 'p')) << how;
  }
}

TEST_F(ChildrenTest, InAPidNamespaceOfItsOwnAChildIsAChild) {
  if (geteuid() != 0) GTEST_SKIP() << "needs the right to make PID namespaces";
  EXPECT_EQ(Text(Task("both_return", "namespace", 1)), "0p");
}

TEST_F(ChildrenTest, EachItemOfAChunkHasOneOutcome) {
  TestTask chunk{.function = "both_return"};
  for (int i = 0; i < 50; ++i) chunk.items.push_back(EncodeArguments("fork", 1));
  const std::uint32_t ticket = worker_->Run({chunk})[0];
  worker_->WaitForOutcomes(50);
  for (const Heard& outcome : worker_->OutcomesOf(ticket)) EXPECT_EQ(*codec::Decode<std::string>(outcome.bytes), "0p");
  ExpectNothingMore(50);
}

TEST_F(ChildrenTest, WhoBorrowsTheParentsStackAndUsesItUpEndsIt) {
  worker_->Run({Task("borrowed_return")});
  EXPECT_NE(WaitForExit(worker_->pid).signal, 0) << "what it would answer from there on nobody knows";
  worker_->Drain();
  EXPECT_TRUE(worker_->heard.empty() || worker_->heard[0].second.kind == RecordKind::kStderr);
  worker_->pid = -1;
}

TEST_F(ChildrenTest, ReportsAndBuffersOfAChildAreItsOwn) {
  EXPECT_EQ(Text(Task("child_speaks")), "0");
  for (const auto& [ticket, record] : worker_->heard) EXPECT_NE(record.kind, RecordKind::kProgress);
  for (const auto& [ticket, record] : worker_->heard) EXPECT_NE(record.kind, RecordKind::kStdout);
}

TEST_F(ChildrenTest, AChildOfAnInitializerOrPreloadFunctionIsNoWorkerAndNoZygote) {
  internal::Setup setup = SetupWith({FORKS_MODULE});
  setup.add_preload("fork_and_return");
  setup.set_initializer("fork_and_return");
  setup.set_initializer_args(EncodeArguments());
  setup.set_initializer_encoding(internal::ENCODING_MSGPACK);
  TestZygote zygote({.setup = setup});
  ASSERT_TRUE(zygote.ready());
  auto worker = zygote.MakeWorker();
  ASSERT_NE(worker, nullptr);
  EXPECT_EQ(worker->Call(Task("both_return", "fork", 0)).kind, RecordKind::kResult);
  EXPECT_NE(worker->peer->Receive(0).first, internal::FRAME_KIND_READY) << "who was ready for the second time?";
}

}  // namespace
}  // namespace poold::worker_test
