// Tasks that wait for tasks.
#include "fakes.h"

namespace poold::core::testing {
namespace {

class Deadlock : public ::testing::Test {
 protected:
  // The worker that runs this task, which has begun.
  WorkerId Runner(HandleId task) {
    for (auto& [id, worker] : story.processes.workers) {
      story.processes.Begin(worker);
    }
    return std::get<TaskView>(*story.core.ViewHandle(task)).worker;
  }
  SubscriberId Get(HandleId task, WorkerId from, Nanos wait = kSecond) {
    const SubscriberId call = story.NewCall();
    story.core.OnGet(story.now, call, task, wait, from);
    return call;
  }
  SubscriberId WaitFor(const std::vector<HandleId>& tasks, WaitMode mode, WorkerId from) {
    const SubscriberId call = story.NewCall();
    story.core.OnWait(story.now, call, tasks, mode, kSecond, from);
    return call;
  }
  // "": it waits.
  std::string Refused(SubscriberId call) {
    const auto got = story.clients.gets.find(call);
    if (got != story.clients.gets.end()) return ReasonOf(got->second.status());
    const auto waited = story.clients.waits.find(call);
    return waited == story.clients.waits.end() ? "" : ReasonOf(waited->second.status());
  }
  Story story;
};

TEST_F(Deadlock, ATaskThatWaitsOnItsOwnPoolWhenNoWorkerIsLeftIsToldSo) {
  story.Open("p", 1);
  const HandleId parent = story.Submit("p", "f");
  const HandleId child = story.Submit("p", "f");
  const WorkerId worker = Runner(parent);
  const SubscriberId call = Get(child, worker);
  EXPECT_EQ(Refused(call), "WOULD_DEADLOCK");
  const absl::Status why = story.clients.gets.at(call).status();
  EXPECT_EQ(why.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(why.message().find("more workers"), absl::string_view::npos) << why;
  story.RunAll();
  EXPECT_EQ(story.StateOf(child), TaskState::kSucceeded) << "what it submitted runs when it has ended";
}

TEST_F(Deadlock, WaitsAreFineWhileAWorkerIsLeft) {
  story.Open("p", 2);
  const HandleId first = story.Submit("p", "f");
  const HandleId second = story.Submit("p", "g");
  const HandleId child = story.Submit("p", "h");
  const WorkerId one = Runner(first);
  const WorkerId other = Runner(second);
  const SubscriberId waits = Get(child, one);
  EXPECT_EQ(Refused(waits), "");
  EXPECT_NE(story.core.Explain(story.now, child)->waits_for.find("1 of them waits for other tasks"), std::string::npos)
      << story.core.Explain(story.now, child)->waits_for;
  EXPECT_EQ(Refused(Get(child, other)), "WOULD_DEADLOCK") << "the one that closes the circle";
  EXPECT_EQ(Refused(waits), "") << "it goes on when the other one has ended";
  story.RunOne(other);
  story.RunOne(other);
  EXPECT_TRUE(story.clients.gets.contains(waits));
}

TEST_F(Deadlock, WhatRunsAlreadyMayBeWaitedFor) {
  story.Open("p", 2);
  const HandleId first = story.Submit("p", "f");
  const HandleId second = story.Submit("p", "g");
  const WorkerId one = Runner(first);
  EXPECT_EQ(Refused(Get(first, one)), "WOULD_DEADLOCK") << "nobody may wait for himself";
  EXPECT_EQ(Refused(Get(second, one)), "");
}

TEST_F(Deadlock, OneOfSeveralIsEnoughForTheFirst) {
  story.Open("p", 1);
  story.Open("q", 1);
  const HandleId parent = story.Submit("p", "f");
  const HandleId own = story.Submit("p", "f");
  const HandleId elsewhere = story.Submit("q", "f");
  const WorkerId worker = Runner(parent);
  EXPECT_EQ(Refused(WaitFor({own, elsewhere}, WaitMode::kFirstCompleted, worker)), "");
  EXPECT_EQ(Refused(WaitFor({own, elsewhere}, WaitMode::kAllCompleted, worker)), "");
  EXPECT_EQ(Refused(WaitFor({own}, WaitMode::kFirstCompleted, worker)), "")
      << "another thread of it waits for what can end";
}

TEST_F(Deadlock, WhatHasEndedNeedsNoWorkerAnyMore) {
  story.Open("p", 1);
  story.Open("q", 1);
  const HandleId ended = story.Submit("p", "f");
  story.RunAll();
  const HandleId parent = story.Submit("p", "f");
  const HandleId elsewhere = story.Submit("q", "f");
  const WorkerId worker = Runner(parent);
  const SubscriberId call = WaitFor({ended, elsewhere}, WaitMode::kAllCompleted, worker);
  EXPECT_EQ(Refused(call), "") << "its pool has no other worker, but it needs none";
  story.RunAll();
  EXPECT_EQ(story.StateOf(parent), TaskState::kSucceeded);
  ASSERT_TRUE(story.clients.waits.contains(call));
  ASSERT_TRUE(story.clients.waits.at(call).ok());
  EXPECT_EQ(story.clients.waits.at(call)->done.size(), 2u);
}

TEST_F(Deadlock, WhatHasEndedDoesNotEndAWaitForAFirstFailure) {
  story.Open("p", 2);
  const HandleId ended = story.Submit("p", "f");
  story.RunAll();
  const HandleId parent = story.Submit("p", "f");
  const WorkerId worker = Runner(parent);
  EXPECT_EQ(Refused(WaitFor({ended, parent}, WaitMode::kFirstException, worker)), "WOULD_DEADLOCK");
}

TEST_F(Deadlock, ACircleOverTwoPoolsIsOne) {
  story.Open("p", 1);
  story.Open("q", 1);
  const HandleId in_p = story.Submit("p", "f");
  const HandleId in_q = story.Submit("q", "f");
  const HandleId next_p = story.Submit("p", "f");
  const HandleId next_q = story.Submit("q", "f");
  const WorkerId p = Runner(in_p);
  const WorkerId q = Runner(in_q);
  EXPECT_EQ(Refused(Get(next_q, p)), "");
  EXPECT_EQ(Refused(Get(next_p, q)), "WOULD_DEADLOCK");
}

TEST_F(Deadlock, LooksAndOtherClientsAreNeverRefused) {
  story.Open("p", 1);
  const HandleId parent = story.Submit("p", "f");
  const HandleId child = story.Submit("p", "f");
  const WorkerId worker = Runner(parent);
  EXPECT_EQ(Refused(Get(child, worker, 0)), "");
  EXPECT_EQ(Refused(Get(child, WorkerId{})), "");
  EXPECT_EQ(Refused(Get(child, WorkerId{777})), "") << "a worker that is not here";
}

TEST_F(Deadlock, AWaitOfATaskThatHasEndedDoesNotCount) {
  story.Open("p", 1);
  const HandleId first = story.Submit("p", "f");
  const WorkerId worker = Runner(first);
  story.Open("q", 1);
  const HandleId elsewhere = story.Submit("q", "f");
  Get(elsewhere, worker);
  story.RunOne(worker);  // it did not wait for the answer
  const HandleId second = story.Submit("p", "f");
  const HandleId third = story.Submit("q", "f");
  ASSERT_EQ(Runner(second), worker);
  EXPECT_EQ(Refused(Get(third, worker)), "");
}

}  // namespace
}  // namespace poold::core::testing
