// The life of single tasks: submission, outcome, retries, time limits, cancels.
#include "core/handle.h"
#include "fakes.h"

namespace poold::core::testing {
namespace {

TEST(Task, SucceedsAndItsSubscriberHearsItOnce) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f", {}, "seven");
  EXPECT_EQ(story.StateOf(task), TaskState::kRunning);
  story.RunAll();
  EXPECT_EQ(story.StateOf(task), TaskState::kSucceeded);
  EXPECT_EQ(story.OutcomeOf(task).result.data.view(), "seven");
  EXPECT_EQ(story.clients.outcomes[story.stream][task].size(), 1u);
}

TEST(Task, APlainSuccessTellsEverythingThatAnOutcomeTells) {
  Story story;
  story.Open("p");
  const Nanos submitted_at = story.now;
  const HandleId task = story.Submit("p", "f", {}, "seven");
  story.Pass(3 * kSecond);
  story.RunOne(story.FirstWorker(), true, kSecond);
  const auto told = story.clients.outcomes[story.stream][task].front();
  for (const Outcome* outcome : {told.get(), &story.OutcomeOf(task)}) {
    EXPECT_EQ(outcome->state, TaskState::kSucceeded);
    EXPECT_EQ(outcome->attempt, 1u);
    EXPECT_EQ(outcome->result.data.view(), "seven");
    EXPECT_EQ(outcome->detail, nullptr);
    EXPECT_EQ(outcome->submitted_at, submitted_at);
    EXPECT_EQ(outcome->started_at, story.now - kSecond);
    EXPECT_EQ(outcome->ended_at, story.now);
  }
  // Who comes later hears the same.
  const SubscriberId later{700'000};
  ASSERT_TRUE(story.core.OnSubscribe(story.now, later, task).ok());
  EXPECT_EQ(story.clients.outcomes[later][task].front()->ended_at, told->ended_at);
  EXPECT_EQ(story.core.ViewResult(task, 0)->data.view(), "seven");
  EXPECT_TRUE(story.core.OnRelease(story.now, task));
  EXPECT_EQ(story.Pool("p").stats.kept_outcome_bytes, 0u);
}

TEST(Task, FailsWithTheFunctionsWords) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f", {}, "no");
  story.RunOne(story.FirstWorker(), /*succeeded=*/false);
  EXPECT_EQ(story.StateOf(task), TaskState::kFailed);
  EXPECT_EQ(story.OutcomeOf(task).detail->failure->message, "no");
  EXPECT_EQ(story.OutcomeOf(task).attempt, 1u);
}

TEST(Task, OfAnUnknownFunctionIsRefusedByItsName) {
  Story story;
  story.processes.functions = {"square"};
  story.Open("p");
  const absl::Status status = story.SubmitAs({1, 1}, "p", "sqare");
  EXPECT_EQ(ReasonOf(status), "FUNCTION_NOT_FOUND");
  EXPECT_NE(status.message().find("'sqare'"), absl::string_view::npos) << status;
  EXPECT_EQ(DetailOf(status).pool, "p");
}

TEST(Task, OfAnUnknownFunctionThatCameBeforeTheWorkersFails) {
  Story story;
  story.AskOpen(SpecOf("p", 1));
  const HandleId task = story.Submit("p", "nonsense");
  story.StartAll();
  EXPECT_EQ(story.StateOf(task), TaskState::kFailed);
  EXPECT_EQ(story.OutcomeOf(task).detail->failure->type, "poold.UnknownFunction");
}

TEST(Task, SubmittedAgainIsTheSameHandle) {
  Story story;
  story.Open("p");
  ASSERT_TRUE(story.SubmitAs({1, 1}, "p", "f", {}, "a").ok());
  EXPECT_TRUE(story.SubmitAs({1, 1}, "p", "f", {}, "a").ok());
  EXPECT_EQ(story.Pool("p").stats.submitted, 1u);
  EXPECT_EQ(ReasonOf(story.SubmitAs({1, 1}, "p", "f", {}, "b")), "HANDLE_EXISTS");
  EXPECT_EQ(ReasonOf(story.SubmitAs({1, 1}, "p", "g", {}, "a")), "HANDLE_EXISTS");
}

TEST(Task, WithALargeBodySubmittedAgainIsToldFromAnotherOne) {
  Story story;
  story.Open("p");
  const std::string body(1 << 20, 'x');
  ASSERT_TRUE(story.SubmitAs({1, 1}, "p", "f", {}, body).ok());
  EXPECT_TRUE(story.SubmitAs({1, 1}, "p", "f", {}, body).ok());
  EXPECT_EQ(ReasonOf(story.SubmitAs({1, 1}, "p", "f", {}, "y" + body.substr(1))), "HANDLE_EXISTS");
  EXPECT_EQ(ReasonOf(story.SubmitAs({1, 1}, "p", "f", {}, body.substr(1) + "y")), "HANDLE_EXISTS");
  EXPECT_EQ(ReasonOf(story.SubmitAs({1, 1}, "p", "f", {}, body.substr(1))), "HANDLE_EXISTS");
}

TEST(Task, SubmittedAgainAfterItsPoolClosedIsStillTheSameHandle) {
  Story story;
  story.Open("p");
  ASSERT_TRUE(story.SubmitAs({1, 1}, "p", "f", {}, "a").ok());
  ASSERT_TRUE(story.Close("p").ok());
  EXPECT_TRUE(story.SubmitAs({1, 1}, "p", "f", {}, "a").ok());
}

TEST(Task, SubmittedAgainAfterItsReleaseIsRefusedNotRun) {
  Story story;
  story.Open("p");
  ASSERT_TRUE(story.SubmitAs({1, 1}, "p", "f").ok());
  story.RunAll();
  EXPECT_TRUE(story.core.OnRelease(story.now, {1, 1}));
  EXPECT_FALSE(story.core.OnRelease(story.now, {1, 1}));
  EXPECT_EQ(ReasonOf(story.SubmitAs({1, 1}, "p", "f")), "HANDLE_RELEASED");
}

TEST(Task, AboveTheQueueLimitIsRefusedWithATimeToComeBack) {
  Limits limits;
  limits.max_queued_tasks = 1;
  Story story(limits);
  story.Open("p");
  story.Submit("p", "f");  // runs
  story.Submit("p", "f");  // waits
  const absl::Status status = story.SubmitAs({1, 1}, "p", "f");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(DetailOf(status).subject, "max_queued_tasks");
  EXPECT_GT(DetailOf(status).retry_after, 0);
}

TEST(Task, MemoryForTasksIsBoundedOverAllPools) {
  Limits limits;
  limits.max_task_bytes = 4 * kTaskBytes;
  Story story(limits);
  story.Open("p");
  story.Open("q");
  std::uint64_t taken = 0;
  const auto submit_next = [&] {
    ++taken;
    return story.SubmitAs({1, taken}, taken % 2 == 0 ? "p" : "q", "f");
  };
  while (submit_next().ok()) ASSERT_LT(taken, 10u);
  EXPECT_GE(story.core.memory().task_bytes, limits.max_task_bytes);
  const absl::Status refused = story.SubmitAs({1, 99}, "q", "f");
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(DetailOf(refused).subject, "max_task_bytes");
  EXPECT_GT(DetailOf(refused).retry_after, 0);
  EXPECT_EQ(ReasonOf(story.Map({2, 1}, "p", "f", {"item"}).status()), "QUEUE_FULL");
  EXPECT_EQ(story.SubmitAs({1, 1}, "q", "f"), absl::OkStatus()) << "what is known is no new task";
  story.RunAll();
  EXPECT_EQ(story.core.memory().task_bytes, 0u) << "what has ended counts with the outcomes";
  EXPECT_TRUE(story.SubmitAs({1, 99}, "q", "f").ok());
}

TEST(Task, WithTooLargeArgumentsIsRefused) {
  Limits limits;
  limits.max_payload_bytes = 3;
  Story story(limits);
  story.Open("p");
  EXPECT_EQ(ReasonOf(story.SubmitAs({1, 1}, "p", "f", {}, "long")), "TOO_LARGE");
}

TEST(Task, ThatWaitsTooLongExpires) {
  Story story;
  story.Open("p");
  story.Submit("p", "f");
  story.Begin(story.FirstWorker());
  TaskOptions options;
  options.queue_timeout = kSecond;
  const HandleId task = story.Submit("p", "f", options);
  story.Pass(2 * kSecond);
  EXPECT_EQ(story.StateOf(task), TaskState::kExpired);
  EXPECT_EQ(story.OutcomeOf(task).attempt, 0u);
}

TEST(Task, ThatRunsTooLongIsKilledAndTimesOut) {
  Story story;
  story.Open("p");
  TaskOptions options;
  options.run_timeout = kSecond;
  const HandleId task = story.Submit("p", "f", options);
  story.Begin(story.FirstWorker());
  story.Pass(2 * kSecond);
  FakeWorker& worker = story.processes.workers.at(story.FirstWorker());
  EXPECT_TRUE(worker.killed);
  EXPECT_EQ(worker.grace, 2 * kSecond);
  EXPECT_EQ(story.StateOf(task), TaskState::kRunning);
  story.Crash(worker.id, 15);
  EXPECT_EQ(story.StateOf(task), TaskState::kTimedOut);
  EXPECT_EQ(story.OutcomeOf(task).detail->death->killed_by, KilledBy::kTimeLimit);
}

TEST(Task, WhoseResultComesAfterItsTimeStillTimesOut) {
  Story story;
  story.Open("p");
  TaskOptions options;
  options.run_timeout = kSecond;
  const HandleId task = story.Submit("p", "f", options);
  story.Begin(story.FirstWorker());
  story.Pass(2 * kSecond);
  story.RunOne(story.FirstWorker());
  story.Crash(story.FirstWorker(), 15);
  EXPECT_EQ(story.StateOf(task), TaskState::kTimedOut);
  EXPECT_EQ(story.Pool("p").stats.dropped_results, 1u);
}

TEST(Task, ThatIsBeingCancelledStaysSoWhenItsTimeIsOver) {
  Story story;
  story.Open("p");
  TaskOptions options;
  options.run_timeout = kSecond;
  options.max_attempts = 3;
  options.retry_on = 1u << static_cast<unsigned>(TaskState::kTimedOut);
  const HandleId task = story.Submit("p", "f", options);
  story.Begin(story.FirstWorker());
  EXPECT_TRUE(*story.core.OnCancel(story.now, task, /*running=*/true));
  story.Pass(2 * kSecond);
  story.Crash(story.FirstWorker(), 15);
  EXPECT_EQ(story.StateOf(task), TaskState::kCancelled);
}

TEST(Task, StartsNotBeforeItsDelay) {
  Story story;
  story.Open("p");
  TaskOptions options;
  options.start_delay = kSecond;
  const HandleId task = story.Submit("p", "f", options);
  EXPECT_EQ(story.StateOf(task), TaskState::kQueued);
  story.Pass(kSecond);
  EXPECT_EQ(story.StateOf(task), TaskState::kRunning);
}

TEST(Task, IsTriedAgainAfterAPauseThatGrows) {
  Story story;
  story.Open("p");
  TaskOptions options;
  options.max_attempts = 3;
  options.retry_on = 1u << static_cast<unsigned>(TaskState::kFailed);
  const HandleId task = story.Submit("p", "f", options);
  story.RunOne(story.FirstWorker(), false);
  EXPECT_EQ(story.StateOf(task), TaskState::kQueued);
  story.Pass(49 * kMillisecond);
  EXPECT_EQ(story.StateOf(task), TaskState::kQueued);
  story.Pass(51 * kMillisecond);
  EXPECT_EQ(story.StateOf(task), TaskState::kRunning);
  story.RunOne(story.FirstWorker(), false);
  story.Pass(99 * kMillisecond);
  EXPECT_EQ(story.StateOf(task), TaskState::kQueued);
  story.Pass(101 * kMillisecond);
  story.RunOne(story.FirstWorker(), false);
  EXPECT_EQ(story.StateOf(task), TaskState::kFailed);
  EXPECT_EQ(story.OutcomeOf(task).attempt, 3u);
  EXPECT_EQ(story.Pool("p").stats.retried, 2u);
}

TEST(Task, IsCancelledWhileItWaitsButNotWhileItRuns) {
  Story story;
  story.Open("p");
  const HandleId running = story.Submit("p", "f");
  const HandleId waiting = story.Submit("p", "f");
  story.Begin(story.FirstWorker());
  EXPECT_FALSE(*story.core.OnCancel(story.now, running, false));
  EXPECT_TRUE(*story.core.OnCancel(story.now, waiting, false));
  EXPECT_EQ(story.StateOf(waiting), TaskState::kCancelled);
  EXPECT_EQ(story.StateOf(running), TaskState::kRunning);
}

TEST(Task, ThatWasSentAndNotBegunIsCancelledAtOnce) {
  Story story;
  story.Open("p");
  const HandleId sent = story.Submit("p", "f");
  EXPECT_TRUE(*story.core.OnCancel(story.now, sent, false));
  EXPECT_EQ(story.StateOf(sent), TaskState::kCancelled);
  EXPECT_TRUE(story.processes.workers.at(story.FirstWorker()).work.empty());
}

TEST(Task, ThatRunsIsCancelledTheHardWayAndItsNeighboursLive) {
  Story story;
  story.Open("p");
  story.Submit("p", "f");
  story.RunAll(1000);  // f is known to be short now
  const HandleId running = story.Submit("p", "f");
  const HandleId behind = story.Submit("p", "f");
  const WorkerId worker = story.FirstWorker();
  story.Begin(worker);
  EXPECT_TRUE(*story.core.OnCancel(story.now, running, true));
  EXPECT_TRUE(story.processes.workers.at(worker).killed);
  story.Crash(worker, 15);
  EXPECT_EQ(story.StateOf(running), TaskState::kCancelled);
  EXPECT_EQ(story.OutcomeOf(running).detail->death->killed_by, KilledBy::kCancel);
  story.StartAll();
  story.RunAll();
  EXPECT_EQ(story.StateOf(behind), TaskState::kSucceeded);
  EXPECT_EQ(story.OutcomeOf(behind).attempt, 1u);
}

TEST(Task, PrintsBeforeItsOutcomeAndTheTailStays) {
  Limits limits;
  limits.output_tail_bytes = 4;
  Story story(limits);
  story.Open("p");
  TaskOptions options;
  options.stream_output = true;
  const HandleId task = story.Submit("p", "f", options);
  const FakeWorker& worker = story.processes.workers.at(story.FirstWorker());
  const AttemptToken token = worker.work.front().what.token;
  story.core.OnOutput(story.now, worker.id, token, OutputStream::kStdout, Bytes(std::string("hello")));
  EXPECT_EQ(story.clients.outputs[story.stream].size(), 1u);
  story.RunAll();
  EXPECT_EQ(story.OutcomeOf(task).detail->stdout_tail, "ello");
}

}  // namespace
}  // namespace poold::core::testing
