// The batching stream: what an SDK relies on, and what a hostile client cannot do.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "session_client.h"
#include "wire/unique_fd.h"

namespace poold::transport {
namespace {

using Sessions = SessionTest;

TEST_F(Sessions, TheHelloIsAnsweredWithTheServer) {
  TestSession session(client_.get());
  session.Send(TestSession::Hello());
  ASSERT_TRUE(session.ReadUntil([&] { return session.server.instance_id() == "test-instance"; }));
  EXPECT_EQ(session.taken, 1u);
}

TEST_F(Sessions, EveryTaskOfABatchComesBackOnce) {
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  std::vector<std::string> args;
  for (int i = 0; i < 3000; ++i) args.push_back(std::to_string(i));
  AddTasks(&request, "echo", 0, args);
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.outcomes.size() == args.size(); }));
  for (int i = 0; i < 3000; ++i) EXPECT_EQ(session.outcomes[Id(i)].result().data(), args[i]);
  EXPECT_EQ(session.duplicates, 0u);
}

TEST_F(Sessions, OneTaskAfterTheOtherEachAtOnce) {
  TestSession session(client_.get());
  session.Send(TestSession::Hello());
  for (int i = 0; i < 50; ++i) {
    v1::SessionRequest request;
    AddTasks(&request, "echo", i, {"x"});
    session.Send(request);
    ASSERT_TRUE(session.ReadUntil([&] { return session.outcomes.contains(Id(i)); }));
  }
}

TEST_F(Sessions, ARequestWithoutAnAnswerIsAcknowledged) {
  TestSession session(client_.get());
  session.Send(TestSession::Hello());
  v1::SessionRequest request;
  AddTasks(&request, "hold", 1, {""});
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.taken == 2; }));
}

TEST_F(Sessions, NamesAreCheckedAsInEveryOtherCall) {
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  AddTasks(&request, "echo", 1, {"x"});
  AddTasks(&request, "echo\n", 2, {"x"});
  request.mutable_submit(0)->set_pool("p\x1b[2J");
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.refused.size() == 2; }));
  for (std::uint64_t i : {1, 2}) {
    EXPECT_EQ(DetailsOf(session.refused[Id(i)]).reason, "INVALID_FIELD") << i;
    EXPECT_EQ(session.refused[Id(i)].message().find('\x1b'), std::string::npos);
  }
}

TEST_F(Sessions, FailuresAndLargeResultsComeWithTheirDetails) {
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  AddTasks(&request, "fail", 1, {""});
  AddTasks(&request, "blob", 2, {"2000000"});
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.outcomes.size() == 2; }));
  EXPECT_EQ(session.outcomes[Id(1)].failure().message(), "asked to fail");
  EXPECT_EQ(session.outcomes[Id(2)].result().size_bytes(), 2'000'000u);
  EXPECT_TRUE(session.outcomes[Id(2)].result().data().empty());
}

TEST_F(Sessions, WhatATaskPrintsComesBeforeItsOutcome) {
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  AddTasks(&request, "print", 1, {"one", "two"})->mutable_options()->set_stream_output(true);
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.outcomes.size() == 2; }));
  EXPECT_EQ(session.output_at_end[Id(1)], "one");
  EXPECT_EQ(session.output_at_end[Id(2)], "two");
}

TEST_F(Sessions, HowFarATaskIsComesBeforeItsOutcome) {
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  AddTasks(&request, "report", 1, {""})->mutable_options()->set_stream_output(true);
  AddTasks(&request, "report", 2, {""});
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.outcomes.size() == 2; }));
  ASSERT_FALSE(session.progress[Id(1)].empty());
  EXPECT_EQ(session.progress[Id(1)].back(), 1);
  EXPECT_EQ(session.progress_at_end[Id(1)], session.progress[Id(1)].size());
  EXPECT_TRUE(session.progress[Id(2)].empty()) << "nobody asked for it";
}

TEST_F(Sessions, AMapComesBackWhole) {
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  std::vector<std::string> items(10'000, "item");
  AddMap(&request, "echo", 5, items);
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.map_end.done(); }));
  EXPECT_EQ(session.items.size(), items.size());
  EXPECT_EQ(session.duplicates, 0u);
  EXPECT_EQ(session.map_end.done_items(), items.size());
}

TEST_F(Sessions, RefusalsNameTheHandle) {
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  AddTasks(&request, "no_such_function", 1, {""});
  AddTasks(&request, "echo", 2, {"right"});
  AddTasks(&request, "echo", 3, {"abc", "def"})->set_args_bytes(0, 100);
  AddTasks(&request, "echo", 5, {"x"})->set_encoding(v1::ENCODING_UNSPECIFIED);
  AddTasks(&request, "echo", 6, {"x"})->mutable_options()->set_priority(101);
  AddTasks(&request, "echo", 7, {"x"})->set_upload_id("none");
  AddMap(&request, "echo", 8, {"x"})->set_chunk_size(0);
  AddMap(&request, "echo", 9, {"x"})->set_item_bytes(0, 7);
  AddRun(request.mutable_subscribe(), 10, 1);
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.refused.size() == 9 && session.outcomes.size() == 1; }));
  EXPECT_EQ(DetailsOf(session.refused[Id(1)]).reason, "FUNCTION_NOT_FOUND");
  EXPECT_EQ(session.outcomes[Id(2)].result().data(), "right");
  EXPECT_EQ(DetailsOf(session.refused[Id(3)]).bad_field, "submit.args_bytes");
  EXPECT_EQ(DetailsOf(session.refused[Id(4)]).bad_field, "submit.args_bytes");
  EXPECT_EQ(DetailsOf(session.refused[Id(5)]).bad_field, "submit.encoding");
  EXPECT_EQ(DetailsOf(session.refused[Id(6)]).bad_field, "options.priority");
  EXPECT_EQ(DetailsOf(session.refused[Id(7)]).bad_field, "submit.upload_id");
  EXPECT_EQ(DetailsOf(session.refused[Id(8)]).bad_field, "map.chunk_size");
  EXPECT_EQ(DetailsOf(session.refused[Id(9)]).bad_field, "map.item_bytes");
  EXPECT_EQ(DetailsOf(session.refused[Id(10)]).reason, "HANDLE_NOT_FOUND");
}

TEST_F(Sessions, ASubmissionThatIsSentAgainNeedsNoSecondUpload) {
  grpc::ClientContext context;
  v1::UploadResponse uploaded;
  const auto writer = client_->Upload(&context, &uploaded);
  v1::UploadRequest fragment;
  fragment.set_fragment("large");
  writer->Write(fragment);
  writer->WritesDone();
  ASSERT_TRUE(writer->Finish().ok());
  v1::SessionRequest request = TestSession::Hello();
  v1::TaskGroup* const group = AddTasks(&request, "echo", 7, {""});
  group->set_encoding(v1::ENCODING_RAW);
  group->set_upload_id(uploaded.upload_id());
  // The second stream stands for the one that the client opens when the first broke before it heard anything.
  TestSession first(client_.get());
  first.Send(request);
  ASSERT_TRUE(first.ReadUntil([&] { return first.outcomes.size() == 1; }));
  TestSession second(client_.get());
  second.Send(request);
  ASSERT_TRUE(second.ReadUntil([&] { return second.outcomes.size() + second.refused.size() == 1; }));
  EXPECT_EQ(second.outcomes[Id(7)].result().data(), "large");
  EXPECT_TRUE(second.refused.empty());
}

TEST_F(Sessions, AnotherStreamSubscribesToWhatTheLostOneDidNotSee) {
  v1::SessionRequest request = TestSession::Hello();
  AddTasks(&request, "hold", 1, {""});
  AddTasks(&request, "echo", 2, {"kept"});
  {
    TestSession lost(client_.get());
    lost.Send(request);
    ASSERT_TRUE(lost.ReadUntil([&] { return lost.outcomes.contains(Id(2)); }));
    lost.Vanish();
    lost.ReadToEnd();
  }
  const auto elsewhere = NewClient();
  TestSession session(elsewhere.get());
  // The same submission again, as a client that saw no acknowledgement would send it: nothing runs twice.
  AddRun(request.mutable_subscribe(), 1, 2);
  session.Send(request);
  LetGo();
  ASSERT_TRUE(session.ReadUntil([&] { return session.outcomes.size() == 2; }));
  EXPECT_EQ(session.outcomes[Id(2)].result().data(), "kept");
  EXPECT_TRUE(session.refused.empty());
}

TEST_F(Sessions, AClientThatVanishesMidMapDisturbsNobody) {
  {
    TestSession session(client_.get());
    v1::SessionRequest request = TestSession::Hello();
    AddMap(&request, "echo", 5, std::vector<std::string>(20'000, "item"));
    session.Send(request);
    ASSERT_TRUE(session.ReadUntil([&] { return !session.items.empty(); }));
    session.Vanish();
    session.ReadToEnd();
  }
  const v1::GetResponse map = Get(Id(5));
  EXPECT_TRUE(map.done());
  EXPECT_EQ(map.map().done_items(), 20'000u);
  EXPECT_TRUE(Get(Submit("echo", "still here")).done());
}

TEST_F(Sessions, WaitingTasksAreCancelledAndReleased) {
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  AddTasks(&request, "hold", 1, {"", ""});
  session.Send(request);
  v1::SessionRequest later;
  AddTasks(&later, "echo", 3, {"never"});
  AddRun(later.mutable_cancel(), 3, 1);
  session.Send(later);
  ASSERT_TRUE(session.ReadUntil([&] { return session.outcomes.contains(Id(3)); }));
  EXPECT_EQ(session.outcomes[Id(3)].state(), v1::TASK_STATE_CANCELLED);
}

TEST_F(Sessions, WhatRunsIsStoppedWhenAsked) {
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  AddTasks(&request, "hold", 1, {""});
  session.Send(request);
  v1::SessionRequest stop;
  AddRun(stop.mutable_cancel_running(), 1, 1);
  session.Send(stop);
  ASSERT_TRUE(session.ReadUntil([&] { return session.outcomes.contains(Id(1)); }));
  EXPECT_EQ(session.outcomes[Id(1)].state(), v1::TASK_STATE_CANCELLED);
}

TEST_F(Sessions, AMapThatFillsTheQueueGoesOnWhereItWasRefused) {
  constexpr std::uint64_t kItems = 60;
  constexpr std::uint64_t kGroup = 5;
  v1::OpenPoolRequest open;
  open.mutable_spec()->set_name("narrow");
  open.mutable_spec()->set_workers(1);
  open.mutable_spec()->set_max_queued_tasks(kGroup);
  grpc::ClientContext opening;
  v1::OpenPoolResponse opened;
  ASSERT_TRUE(client_->OpenPool(&opening, open, &opened).ok());

  TestSession session(client_.get());
  std::uint64_t sent = 0;
  const auto send_all_from = [&](std::uint64_t index) {
    for (; index < kItems; index += kGroup) {
      v1::SessionRequest request = sent == 0 ? TestSession::Hello() : v1::SessionRequest();
      v1::MapGroup* group = AddMap(&request, "hold", 5, std::vector<std::string>(kGroup, "x"));
      group->set_pool("narrow");
      group->set_first_index(index);
      group->set_complete(index + kGroup == kItems);
      session.Send(request);
      ++sent;
    }
  };
  // More than there is room for: the first that does not fit, and all behind it, are refused.
  send_all_from(0);
  ASSERT_TRUE(session.ReadUntil([&] { return session.taken == sent; }));
  ASSERT_FALSE(session.refusals.empty());
  EXPECT_EQ(session.refusals[0].error().code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(DetailsOf(session.refusals[0].error()).retry);
  for (const v1::SubmitResult& one : session.refusals) {
    EXPECT_TRUE(one.has_accepted_items());
    EXPECT_EQ(one.accepted_items(), session.refusals[0].accepted_items());
  }
  LetGo();
  while (!session.refusals.empty()) {
    const std::uint64_t next = session.refusals[0].accepted_items();
    session.refusals.clear();
    send_all_from(next);
    ASSERT_TRUE(session.ReadUntil([&] { return session.taken == sent; }));
  }
  ASSERT_TRUE(session.ReadUntil([&] { return session.map_end.done(); }));
  EXPECT_EQ(session.map_end.done_items(), kItems);
  EXPECT_EQ(session.items.size(), kItems);
  EXPECT_EQ(session.duplicates, 0u);
}

TEST_F(Sessions, AMapWhoseFirstItemsAreRefusedIsNot) {
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  AddMap(&request, "echo", 5, {"x"})->set_pool("nowhere");
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.refusals.size() == 1; }));
  EXPECT_FALSE(session.refusals[0].has_accepted_items());
}

TEST_F(Sessions, AMistypedPoolIsToldWithTheNearestOneOnce) {
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  AddTasks(&request, "echo", 1, {"x", "y"});
  const std::string pool = request.submit(0).pool();
  request.mutable_submit(0)->set_pool(pool + "x");
  AddTasks(&request, "echo", 3, {"z"});
  request.mutable_submit(1)->set_pool(pool + "y");
  AddTasks(&request, "ecko", 4, {"z"});
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.refused.size() == 4; }));
  for (const std::uint64_t mistyped : {1, 2}) {
    EXPECT_EQ(session.refused[Id(mistyped)].message(),
              "there is no pool '" + pool + "x'; did you mean '" + pool + "'?");
  }
  EXPECT_EQ(session.refused[Id(3)].message(), "there is no pool '" + pool + "y'");
  EXPECT_EQ(session.refused[Id(4)].message(), "pool '" + pool + "' has no function 'ecko'");
}

TEST_F(Sessions, NamesAreCheckedAsThoseOfCalls) {
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  AddTasks(&request, "echo", 1, {"x"});
  request.mutable_submit(0)->set_pool("no name");
  AddMap(&request, "echo", 2, {"x"})->set_pool("a\nb");
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.refused.size() == 2; }));
  EXPECT_NE(session.refused[Id(1)].message().find("submit.pool: \"no name\""), std::string::npos);
  EXPECT_NE(session.refused[Id(2)].message().find("map.pool"), std::string::npos);
}

TEST_F(Sessions, AClientIsShownByTheNameThatItGave) {
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  request.mutable_hello()->set_client_name("nightly");
  AddTasks(&request, "hold", 1, {""});
  AddMap(&request, "hold", 2, {"x"});
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.taken == 1; }));
  EXPECT_EQ(Get(Id(1), 0).task().client(), "nightly");
  EXPECT_EQ(Get(Id(2), 0).map().client(), "nightly");
}

TEST_F(Sessions, AStreamWithoutHelloIsEnded) {
  TestSession session(client_.get());
  v1::SessionRequest request;
  AddTasks(&request, "echo", 1, {"x"});
  session.Send(request);
  const grpc::Status status = session.ReadToEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(DetailsOf(status).bad_field, "hello");
}

TEST_F(Sessions, HugeAndCrookedRunsEndTheStream) {
  for (const bool huge : {true, false}) {
    TestSession session(client_.get());
    v1::SessionRequest request = TestSession::Hello();
    AddRun(request.mutable_release(), 0, 0xffffffff);
    if (!huge) request.mutable_release()->add_low(1);
    session.Send(request);
    EXPECT_EQ(DetailsOf(session.ReadToEnd()).bad_field, "release");
  }
}

TEST_F(Sessions, WhoHasSaidEverythingGetsWhatWaitsAndTheEnd) {
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  AddTasks(&request, "echo", 1, {"x"});
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.outcomes.size() == 1; }));
  session.DoneSending();
  EXPECT_TRUE(session.ReadToEnd().ok());
}

TEST_F(Sessions, AServerThatStopsEndsStreamsWithItsReason) {
  TestSession session(client_.get());
  session.Send(TestSession::Hello());
  ASSERT_TRUE(session.ReadUntil([&] { return session.taken == 1; }));
  server_->Shutdown(10 * core::kSecond);
  const grpc::Status status = session.ReadToEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(DetailsOf(status).reason, "SHUTTING_DOWN");
}

TEST_F(Sessions, GarbageOnTheSocketDisturbsNobody) {
  for (const std::string& garbage : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(100'000, '\xff'),
                                     std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + std::string(1000, '\x7f')}) {
    const wire::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    strcpy(name.sun_path, (folder_ / "poold.sock").c_str());
    ASSERT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
    [[maybe_unused]] const ssize_t sent = send(fd.get(), garbage.data(), garbage.size(), MSG_NOSIGNAL);
  }
  EXPECT_TRUE(Get(Submit("echo", "still here")).done());
}

class SmallRoom : public Sessions {
 protected:
  void Adjust(ServerOptions* options) override {
    options->max_waiting_output_bytes = 256 << 10;
    options->limits.max_payload_bytes = 4 << 20;
    options->max_upload_bytes = 2 << 20;
  }
};

TEST_F(SmallRoom, ASlowReaderOfAWatchLosesOutputAndIsToldSoButNoState) {
  const std::string id = Submit("hold");
  Submit("hold");
  grpc::ClientContext context;
  v1::WatchRequest request;
  request.set_pool("p");
  request.set_output(true);
  const auto reader = client_->Watch(&context, request);
  v1::WatchResponse event;
  ASSERT_TRUE(reader->Read(&event));
  const std::string flood = Submit("flood", "50000000");
  LetGo();
  // Nothing is read meanwhile.
  EXPECT_EQ(Get(flood).task().state(), v1::TASK_STATE_SUCCEEDED);
  std::uint64_t read_bytes = 0;
  std::uint64_t dropped_bytes = 0;
  bool ended = false;
  while (!ended && reader->Read(&event)) {
    read_bytes += event.output().data().size();
    dropped_bytes += event.dropped_output_bytes();
    ended = event.task().id() == flood && event.task().state() == v1::TASK_STATE_SUCCEEDED;
  }
  EXPECT_TRUE(ended);
  EXPECT_GT(dropped_bytes, 0u);
  EXPECT_GE(read_bytes + dropped_bytes, 50'000'000u);
  context.TryCancel();
}

TEST_F(SmallRoom, UploadsAreBoundedAloneAndTogether) {
  const auto upload = [&](int megabytes) {
    grpc::ClientContext context;
    v1::UploadResponse response;
    const auto writer = client_->Upload(&context, &response);
    v1::UploadRequest fragment;
    fragment.set_fragment(std::string(1 << 20, 'u'));
    for (int i = 0; i < megabytes && writer->Write(fragment); ++i) continue;
    writer->WritesDone();
    return writer->Finish();
  };
  EXPECT_TRUE(upload(2).ok());
  const grpc::Status full = upload(1);
  EXPECT_EQ(full.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(DetailsOf(full).quota, "max_upload_bytes");
  EXPECT_TRUE(DetailsOf(full).retry);
}

}  // namespace
}  // namespace poold::transport
