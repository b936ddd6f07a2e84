// Each call of the contract, as a story with one client.
#include <algorithm>
#include <numeric>
#include <thread>

#include "server_fixture.h"

namespace poold::transport {
namespace {

class Calls : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    OpenPool("p");
  }

  // The map's handle.
  std::string Map(const std::string& function, const std::vector<std::string>& items) {
    grpc::ClientContext context;
    v1::MapRequest request;
    v1::MapResponse response;
    request.set_pool("p");
    request.set_function(function);
    request.mutable_items()->set_encoding(v1::ENCODING_RAW);
    for (const std::string& item : items) request.mutable_items()->add_items(item);
    const grpc::Status status = client_->Map(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.accepted_items(), items.size());
    return response.id();
  }

  // Results by index; "!" for what did not succeed. Checks that messages are small and end once.
  std::vector<std::string> Items(const std::string& id, bool as_completed, std::uint64_t first = 0) {
    grpc::ClientContext context;
    v1::GetItemsRequest request;
    request.set_id(id);
    request.set_as_completed(as_completed);
    request.set_first_index(first);
    const auto reader = client_->GetItems(&context, request);
    std::vector<std::string> out;
    v1::GetItemsResponse response;
    std::uint64_t next = first;
    bool ended = false;
    while (reader->Read(&response)) {
      EXPECT_FALSE(ended);
      EXPECT_LT(response.ByteSizeLong(), 4u << 20);
      for (const v1::ItemOutcomes& part : response.outcomes()) {
        std::size_t at = 0;
        int other = 0;
        for (int i = 0; i < part.result_bytes_size(); ++i) {
          const std::uint64_t index = part.first_index() + i;
          EXPECT_TRUE(as_completed || index == next++);
          if (out.size() <= index) out.resize(index + 1);
          out[index] = part.results().substr(at, part.result_bytes(i));
          at += part.result_bytes(i);
          if (other < part.others_size() && part.others(other).index() == index) {
            out[index] = part.others(other++).outcome().state() == v1::TASK_STATE_SUCCEEDED ? "large" : "!";
          }
        }
      }
      ended = response.has_end();
    }
    const grpc::Status status = reader->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_TRUE(ended);
    return out;
  }
};

TEST_F(Calls, ATaskIsSubmittedAndItsResultFetched) {
  const v1::GetResponse got = Get(Submit("echo", "hello"));
  ASSERT_TRUE(got.done());
  EXPECT_EQ(got.task().state(), v1::TASK_STATE_SUCCEEDED);
  EXPECT_EQ(got.task().outcome().result().data(), "hello");
  EXPECT_EQ(got.task().outcome().result().encoding(), v1::ENCODING_RAW);
  EXPECT_GT(got.task().outcome().ended_at().seconds(), 1'600'000'000);
}

TEST_F(Calls, AFailureIsDataOfTheOutcome) {
  const v1::GetResponse got = Get(Submit("fail"));
  EXPECT_EQ(got.task().state(), v1::TASK_STATE_FAILED);
  EXPECT_EQ(got.task().outcome().failure().message(), "asked to fail");
}

TEST_F(Calls, ACrashBringsItsDeathCertificate) {
  const v1::GetResponse got = Get(Submit("crash"));
  EXPECT_EQ(got.task().state(), v1::TASK_STATE_CRASHED);
  EXPECT_EQ(got.task().outcome().death().signal(), 11);
  EXPECT_EQ(got.task().outcome().stderr_tail(), "last words");
}

TEST_F(Calls, SubmitWithWaitBringsTheOutcomesInOrder) {
  grpc::ClientContext context;
  v1::SubmitRequest request;
  v1::SubmitResponse response;
  request.set_pool("p");
  for (const char* text : {"a", "b", "c"}) {
    v1::TaskSpec* task = request.add_tasks();
    task->set_function("echo");
    *task->mutable_args() = Raw(text);
  }
  request.mutable_tasks(1)->set_id("short");
  request.mutable_wait_timeout()->set_seconds(60);
  ASSERT_TRUE(client_->Submit(&context, request, &response).ok());
  ASSERT_EQ(response.results_size(), 3);
  EXPECT_FALSE(response.results(0).has_error());
  EXPECT_EQ(DetailsOf(response.results(1).error()).bad_field, "tasks[1].id");
  ASSERT_EQ(response.tasks_size(), 2);
  EXPECT_EQ(response.tasks(0).outcome().result().data(), "a");
  EXPECT_EQ(response.tasks(1).outcome().result().data(), "c");
}

TEST_F(Calls, AsManyOutcomesAsFitBelow4MiBComeInFull) {
  grpc::ClientContext context;
  v1::SubmitRequest request;
  v1::SubmitResponse response;
  request.set_pool("p");
  for (int i = 0; i < 5; ++i) {
    v1::TaskSpec* task = request.add_tasks();
    task->set_function("blob");
    *task->mutable_args() = Raw("1000000");
  }
  request.mutable_wait_timeout()->set_seconds(60);
  ASSERT_TRUE(client_->Submit(&context, request, &response).ok());
  ASSERT_EQ(response.tasks_size(), 5);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(response.tasks(i).outcome().result().data().size(), 1'000'000u) << i;
  EXPECT_FALSE(response.tasks(4).has_outcome());
  EXPECT_EQ(response.tasks(4).state(), v1::TASK_STATE_SUCCEEDED) << "Get brings it";
  EXPECT_LT(response.ByteSizeLong(), 4u << 20);
}

TEST_F(Calls, AWaitThatEndsFirstIsOkAndNothingIsLost) {
  const std::string id = Submit("hold");
  grpc::ClientContext context;
  v1::GetRequest request;
  v1::GetResponse response;
  request.set_id(id);
  request.mutable_wait_timeout()->set_nanos(5'000'000);
  ASSERT_TRUE(client_->Get(&context, request, &response).ok());
  EXPECT_FALSE(response.done());
  LetGo();
  EXPECT_TRUE(Get(id).done());
}

TEST_F(Calls, SubmittingAgainWithTheSameIdIsTheSameHandle) {
  v1::SubmitRequest request;
  request.set_pool("p");
  v1::TaskSpec* task = request.add_tasks();
  task->set_function("echo");
  task->set_id(std::string(16, 'i'));
  *task->mutable_args() = Raw("one");
  for (int i = 0; i < 2; ++i) {
    grpc::ClientContext context;
    v1::SubmitResponse response;
    ASSERT_TRUE(client_->Submit(&context, request, &response).ok());
    EXPECT_FALSE(response.results(0).has_error());
    EXPECT_EQ(response.results(0).id(), std::string(16, 'i'));
  }
  *task->mutable_args() = Raw("two");
  grpc::ClientContext context;
  v1::SubmitResponse response;
  ASSERT_TRUE(client_->Submit(&context, request, &response).ok());
  EXPECT_EQ(response.results(0).error().code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(DetailsOf(response.results(0).error()).reason, "HANDLE_EXISTS");
}

TEST_F(Calls, WaitTellsWhichAreDone) {
  const std::string done = Submit("echo", "x");
  const std::string held = Submit("hold");
  grpc::ClientContext context;
  v1::WaitRequest request;
  v1::WaitResponse response;
  request.add_ids(held);
  request.add_ids(done);
  request.set_mode(v1::WAIT_MODE_FIRST_COMPLETED);
  request.mutable_wait_timeout()->set_seconds(60);
  ASSERT_TRUE(client_->Wait(&context, request, &response).ok());
  ASSERT_EQ(response.done_size(), 1);
  EXPECT_EQ(response.done(0), done);
  EXPECT_EQ(response.not_done(0), held);
}

TEST_F(Calls, WaitTakesMoreHandlesThanTheCoreLooksAtInOneEvent) {
  constexpr int kTasks = 2 * static_cast<int>(core::kSlice) + 10;
  v1::SubmitRequest submit;
  v1::SubmitResponse submitted;
  submit.set_pool("p");
  for (int i = 0; i < kTasks; ++i) submit.add_tasks()->set_function("echo");
  grpc::ClientContext context;
  ASSERT_TRUE(client_->Submit(&context, submit, &submitted).ok());
  v1::WaitRequest request;
  for (const v1::SubmitResult& result : submitted.results()) request.add_ids(result.id());
  request.set_mode(v1::WAIT_MODE_ALL_COMPLETED);
  request.mutable_wait_timeout()->set_seconds(60);
  v1::WaitResponse all;
  grpc::ClientContext all_context;
  ASSERT_TRUE(client_->Wait(&all_context, request, &all).ok());
  EXPECT_EQ(all.done_size(), kTasks);
  // One that does not end is in another part than those that have.
  request.mutable_ids()->Add(Submit("hold"));
  request.set_mode(v1::WAIT_MODE_FIRST_COMPLETED);
  v1::WaitResponse first;
  grpc::ClientContext first_context;
  ASSERT_TRUE(client_->Wait(&first_context, request, &first).ok());
  EXPECT_EQ(first.done_size(), kTasks);
  ASSERT_EQ(first.not_done_size(), 1);
  EXPECT_EQ(first.not_done(0), request.ids(kTasks));
}

TEST_F(Calls, GetManyAnswersForEachHandleInOrder) {
  const std::string done = Submit("echo", "x");
  const std::string held = Submit("hold");
  ASSERT_TRUE(Get(done).done());
  v1::GetManyRequest request;
  for (const std::string& id : {held, done, std::string(16, 'u'), done}) request.add_ids(id);
  grpc::ClientContext context;
  v1::GetManyResponse response;
  ASSERT_TRUE(client_->GetMany(&context, request, &response).ok());
  ASSERT_EQ(response.answers_size(), 4);
  EXPECT_FALSE(response.answers(0).handle().done());
  EXPECT_EQ(response.answers(0).handle().task().id(), held);
  EXPECT_EQ(response.answers(1).handle().task().outcome().result().data(), "x");
  EXPECT_EQ(response.answers(2).error().code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(DetailsOf(response.answers(2).error()).reason, "HANDLE_NOT_FOUND");
  EXPECT_EQ(response.answers(3).handle().task().id(), done) << "who asks twice is told twice";
  EXPECT_EQ(response.left(), 0u);
}

TEST_F(Calls, GetManyWaitsUntilAllHaveEnded) {
  v1::GetManyRequest request;
  for (int i = 0; i < 2; ++i) request.add_ids(Submit("hold"));
  request.add_ids(std::string(16, 'u'));
  request.mutable_wait_timeout()->set_seconds(600);
  std::thread later([this] { LetGo(); });
  grpc::ClientContext context;
  v1::GetManyResponse response;
  const grpc::Status status = client_->GetMany(&context, request, &response);
  later.join();
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.answers_size(), 3);
  EXPECT_TRUE(response.answers(0).handle().done());
  EXPECT_TRUE(response.answers(1).handle().done());
  EXPECT_TRUE(response.answers(2).has_error());
}

TEST_F(Calls, GetManyTellsWhatDidNotFit) {
  const std::string large(60'000, 'x');
  v1::GetManyRequest request;
  for (int i = 0; i < 100; ++i) request.add_ids(Submit("echo", large));
  request.mutable_wait_timeout()->set_seconds(600);
  int told = 0;
  while (request.ids_size() > 0) {
    grpc::ClientContext context;
    v1::GetManyResponse response;
    const grpc::Status status = client_->GetMany(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    ASSERT_GT(response.answers_size(), 0);
    EXPECT_LT(response.ByteSizeLong(), 4u << 20);
    ASSERT_EQ(response.left(), static_cast<unsigned>(request.ids_size() - response.answers_size()));
    for (const v1::HandleAnswer& answer : response.answers()) {
      told += answer.handle().task().outcome().result().data() == large ? 1 : 0;
    }
    request.mutable_ids()->DeleteSubrange(0, response.answers_size());
  }
  EXPECT_EQ(told, 100);
}

TEST_F(Calls, AClientThatStopsWaitingDisturbsNobody) {
  const std::string id = Submit("hold");
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(20));
  v1::GetRequest request;
  v1::GetResponse response;
  request.set_id(id);
  request.mutable_wait_timeout()->set_seconds(600);
  EXPECT_EQ(client_->Get(&context, request, &response).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  LetGo();
  EXPECT_TRUE(Get(id).done());
}

TEST_F(Calls, WhatWaitsIsCancelled) {
  for (int i = 0; i < 2; ++i) Submit("hold");
  std::vector<std::string> waiting;
  for (int i = 0; i < 2; ++i) waiting.push_back(Submit("echo", "never"));
  grpc::ClientContext context;
  v1::CancelRequest request;
  v1::CancelResponse response;
  for (const std::string& id : waiting) request.add_ids(id);
  ASSERT_TRUE(client_->Cancel(&context, request, &response).ok());
  EXPECT_EQ(std::count(response.cancelled().begin(), response.cancelled().end(), true), 2);
  EXPECT_EQ(Get(waiting[0]).task().state(), v1::TASK_STATE_CANCELLED);
}

TEST_F(Calls, AReleasedHandleIsGone) {
  const std::string id = Submit("echo", "x");
  ASSERT_TRUE(Get(id).done());
  grpc::ClientContext context;
  v1::ReleaseRequest request;
  v1::ReleaseResponse response;
  request.add_ids(id);
  request.add_ids(std::string(16, 'u'));
  ASSERT_TRUE(client_->Release(&context, request, &response).ok());
  EXPECT_EQ(response.released(), 1u);
  grpc::ClientContext again;
  v1::GetRequest get;
  v1::GetResponse got;
  get.set_id(id);
  const grpc::Status status = client_->Get(&again, get, &got);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(DetailsOf(status).reason, "HANDLE_RELEASED");
}

TEST_F(Calls, ItemsComeInOrderOrAsCompletedEachOnce) {
  std::vector<std::string> items(5000);
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = std::to_string(i);
  const std::string id = Map("echo", items);
  EXPECT_EQ(Items(id, false), items);
  EXPECT_EQ(Items(id, true), items);
}

TEST_F(Calls, OneBadItemLosesNoOther) {
  const std::string id = Map("echo", {"a", "fail", "c"});
  EXPECT_EQ(Items(id, false), (std::vector<std::string>{"a", "!", "c"}));
  EXPECT_EQ(Get(id).map().unsuccessful_items(), 1u);
}

TEST_F(Calls, ItemsCanBeReadFromTheMiddle) {
  const std::string id = Map("echo", {"a", "b", "c", "d"});
  EXPECT_EQ(Items(id, false, 2), (std::vector<std::string>{"", "", "c", "d"}));
}

TEST_F(Calls, LargeItemsAreCutIntoMessagesBelowFourMebibytes) {
  const std::string id = Map("blob", {"900000", "2000000", "900000", "900000", "900000", "900000", "900000"});
  const std::vector<std::string> items = Items(id, false);
  ASSERT_EQ(items.size(), 7u);
  EXPECT_EQ(items[0].size(), 900'000u);
  EXPECT_EQ(items[1], "large");
}

TEST_F(Calls, ALargeResultComesByDownload) {
  const std::string id = Submit("blob", "3000000");
  const v1::GetResponse got = Get(id);
  EXPECT_TRUE(got.task().outcome().result().data().empty());
  EXPECT_EQ(got.task().outcome().result().size_bytes(), 3'000'000u);
  grpc::ClientContext context;
  v1::DownloadRequest request;
  request.set_id(id);
  request.set_offset_bytes(1000);
  const auto reader = client_->Download(&context, request);
  v1::DownloadResponse fragment;
  std::size_t bytes = 0;
  while (reader->Read(&fragment)) bytes += fragment.fragment().size();
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(bytes, 2'999'000u);
}

TEST_F(Calls, LargeArgumentsComeByUploadWhichServesOnce) {
  grpc::ClientContext context;
  v1::UploadResponse uploaded;
  const auto writer = client_->Upload(&context, &uploaded);
  v1::UploadRequest fragment;
  fragment.set_fragment(std::string(700'000, 'u'));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(writer->Write(fragment));
  writer->WritesDone();
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(uploaded.size_bytes(), 7'000'000u);

  v1::SubmitRequest request;
  request.set_pool("p");
  v1::TaskSpec* task = request.add_tasks();
  task->set_function("echo");
  task->mutable_args()->set_encoding(v1::ENCODING_RAW);
  task->mutable_args()->set_upload_id(uploaded.upload_id());
  grpc::ClientContext first;
  v1::SubmitResponse response;
  ASSERT_TRUE(client_->Submit(&first, request, &response).ok());
  ASSERT_FALSE(response.results(0).has_error());
  EXPECT_EQ(Get(response.results(0).id()).task().outcome().result().size_bytes(), 7'000'000u);
  grpc::ClientContext second;
  ASSERT_TRUE(client_->Submit(&second, request, &response).ok());
  EXPECT_EQ(DetailsOf(response.results(0).error()).reason, "UPLOAD_NOT_FOUND");
}

TEST_F(Calls, WatchTellsOutputBeforeTheEndAndEnds) {
  const std::string id = Submit("hold");
  const std::string printed = Submit("print", "hello");
  grpc::ClientContext context;
  v1::WatchRequest request;
  request.add_ids(id);
  request.set_output(true);
  const auto reader = client_->Watch(&context, request);
  v1::WatchResponse event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.task().id(), id);
  LetGo();
  v1::TaskState last = event.task().state();
  while (reader->Read(&event)) {
    if (event.has_task()) last = event.task().state();
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(last, v1::TASK_STATE_SUCCEEDED);
  EXPECT_EQ(Get(printed).task().outcome().stdout_tail(), "hello");
}

TEST_F(Calls, ClosingDrainsAndJoinWaits) {
  const std::string id = Submit("hold");
  v1::JoinRequest join;
  join.set_pool("p");
  {
    grpc::ClientContext context;
    v1::JoinResponse response;
    EXPECT_EQ(DetailsOf(client_->Join(&context, join, &response)).reason, "POOL_STILL_RUNNING");
  }
  grpc::ClientContext closing;
  v1::CloseRequest close;
  v1::CloseResponse closed;
  close.set_pool("p");
  ASSERT_TRUE(client_->Close(&closing, close, &closed).ok());
  LetGo();
  grpc::ClientContext joining;
  v1::JoinResponse joined;
  ASSERT_TRUE(client_->Join(&joining, join, &joined).ok());
  EXPECT_TRUE(joined.done());
  EXPECT_EQ(Get(id).task().state(), v1::TASK_STATE_SUCCEEDED);
}

TEST_F(Calls, TerminateEndsEveryHandleCancelled) {
  const std::string id = Submit("hold");
  grpc::ClientContext context;
  v1::TerminateRequest request;
  v1::TerminateResponse response;
  request.set_pool("p");
  ASSERT_TRUE(client_->Terminate(&context, request, &response).ok());
  EXPECT_EQ(response.cancelled_tasks(), 1u);
  EXPECT_EQ(Get(id).task().state(), v1::TASK_STATE_CANCELLED);
}

TEST_F(Calls, PoolsAndStatsAndTheServerAreShown) {
  ASSERT_TRUE(Get(Submit("echo", "x")).done());
  grpc::ClientContext one;
  v1::ListPoolsResponse pools;
  ASSERT_TRUE(client_->ListPools(&one, {}, &pools).ok());
  ASSERT_EQ(pools.pools_size(), 1);
  EXPECT_EQ(pools.pools(0).workers_size(), 2);
  EXPECT_EQ(pools.pools(0).functions_size(), 9);
  grpc::ClientContext two;
  v1::GetStatsResponse stats;
  ASSERT_TRUE(client_->GetStats(&two, {}, &stats).ok());
  EXPECT_EQ(stats.pools().at("p").succeeded(), 1u);
  EXPECT_GT(stats.rss_bytes(), 0u);
  const std::uint64_t entries = stats.core_entries();
  grpc::ClientContext again;
  ASSERT_TRUE(client_->GetStats(&again, {}, &stats).ok());
  EXPECT_GT(stats.core_entries(), entries);
  grpc::ClientContext three;
  v1::GetServerInfoResponse info;
  ASSERT_TRUE(client_->GetServerInfo(&three, {}, &info).ok());
  EXPECT_EQ(info.server().instance_id(), "test-instance");
  EXPECT_EQ(info.server().limits().max_message_bytes(), options_.max_message_bytes);
}

TEST_F(Calls, UnknownThingsAreNamed) {
  grpc::ClientContext one;
  v1::GetPoolRequest pool;
  v1::GetPoolResponse found;
  pool.set_name("nowhere");
  const grpc::Status no_pool = client_->GetPool(&one, pool, &found);
  EXPECT_EQ(no_pool.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(DetailsOf(no_pool).reason, "POOL_NOT_FOUND");
  EXPECT_NE(no_pool.error_message().find("nowhere"), std::string::npos);
  grpc::ClientContext two;
  v1::GetRequest get;
  v1::GetResponse got;
  get.set_id(std::string(16, 'u'));
  EXPECT_EQ(DetailsOf(client_->Get(&two, get, &got)).reason, "HANDLE_NOT_FOUND");
}

TEST_F(Calls, APoolThatCannotStartTellsTheWorkersOwnWords) {
  BreakModule("bad", "bad.so: undefined symbol: gone\n  #0 main\n  #1 start");
  grpc::ClientContext context;
  v1::OpenPoolRequest request;
  v1::OpenPoolResponse response;
  request.mutable_spec()->set_name("broken");
  request.mutable_spec()->set_workers(1);
  request.mutable_spec()->add_modules("bad");
  const grpc::Status status = client_->OpenPool(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(DetailsOf(status).reason, "POOL_FAILED");
  EXPECT_NE(status.error_message().find("undefined symbol: gone"), std::string::npos);
  EXPECT_EQ(status.error_message().find("#0"), std::string::npos);
}

TEST_F(Calls, WrongFieldsAreNamed) {
  struct Case {
    std::string field;
    std::function<void(v1::PoolSpec*)> spoil;
  };
  const std::vector<Case> cases = {
      {"spec.name", [](v1::PoolSpec* spec) { spec->set_name("a/b"); }},
      {"spec.workers", [](v1::PoolSpec* spec) { spec->set_workers(0); }},
      {"spec.workers", [](v1::PoolSpec* spec) { spec->set_workers(1'000'000); }},
      {"spec.modules[0]", [](v1::PoolSpec* spec) { spec->add_modules("../../etc/passwd"); }},
      {"spec.program", [](v1::PoolSpec* spec) { spec->set_program("/bin/sh"); }},
      {"spec.max_tasks_per_worker", [](v1::PoolSpec* spec) { spec->set_max_tasks_per_worker(0); }},
      {"spec.stop_grace", [](v1::PoolSpec* spec) { spec->mutable_stop_grace()->set_seconds(-1); }},
      {"spec.nice", [](v1::PoolSpec* spec) { spec->set_nice(20); }},
      {"spec.working_directory", [](v1::PoolSpec* spec) { spec->set_working_directory("here"); }},
      {"spec.environment", [](v1::PoolSpec* spec) { (*spec->mutable_environment())["A=B"] = "c"; }},
      {"spec.initializer_args",
       [](v1::PoolSpec* spec) {
         spec->set_initializer("f");
         spec->mutable_initializer_args()->set_data("x");
       }},
  };
  for (const Case& one : cases) {
    grpc::ClientContext context;
    v1::OpenPoolRequest request;
    v1::OpenPoolResponse response;
    request.mutable_spec()->set_name("q");
    one.spoil(request.mutable_spec());
    const grpc::Status status = client_->OpenPool(&context, request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << one.field;
    EXPECT_EQ(DetailsOf(status).reason, "INVALID_FIELD");
    EXPECT_EQ(DetailsOf(status).bad_field, one.field);
  }
}

TEST_F(Calls, AnAnswerToManyRefusedTasksStaysBelowFourMebibytes) {
  grpc::ClientContext context;
  v1::SubmitRequest request;
  v1::SubmitResponse response;
  request.set_pool("nowhere");
  for (int i = 0; i < 60'000; ++i) request.add_tasks()->set_function("echo");
  const grpc::Status status = client_->Submit(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.results_size(), 60'000);
  EXPECT_TRUE(response.results(59'999).has_error());
}

TEST_F(Calls, TooManyTasksAtOnceAreRefused) {
  grpc::ClientContext context;
  v1::SubmitRequest request;
  v1::SubmitResponse response;
  request.set_pool("p");
  for (int i = 0; i < 65'537; ++i) request.add_tasks()->set_function("echo");
  EXPECT_EQ(DetailsOf(client_->Submit(&context, request, &response)).reason, "TOO_MANY");
}

}  // namespace
}  // namespace poold::transport
