// What the daemon shows of its tasks: lists, explanations, arguments, and who submitted them.
#include <functional>

#include "server_fixture.h"

namespace poold::transport {
namespace {

class Lists : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    OpenPool("p");
  }

  grpc::Status List(const v1::ListTasksRequest& request, v1::ListTasksResponse* response) {
    grpc::ClientContext context;
    return client_->ListTasks(&context, request, response);
  }
  // The field that a list with this request complains about.
  std::string Complaint(const v1::ListTasksRequest& request) {
    v1::ListTasksResponse response;
    const grpc::Status status = List(request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return DetailsOf(status).bad_field;
  }
  grpc::Status Download(const v1::DownloadRequest& request, v1::Payload* head, std::string* bytes) {
    grpc::ClientContext context;
    const auto reader = client_->Download(&context, request);
    v1::DownloadResponse fragment;
    bool first = true;
    while (reader->Read(&fragment)) {
      EXPECT_EQ(fragment.has_payload(), first);
      if (first) *head = fragment.payload();
      first = false;
      *bytes += fragment.fragment();
    }
    return reader->Finish();
  }
};

TEST_F(Lists, AListThatCannotBeIsRefusedByField) {
  v1::ListTasksRequest request;
  request.set_page_size(1001);
  EXPECT_EQ(Complaint(request), "page_size");
  request.Clear();
  request.add_states(v1::TASK_STATE_RUNNING);
  request.add_states(v1::TASK_STATE_UNSPECIFIED);
  EXPECT_EQ(Complaint(request), "states[1]");
  request.set_states(1, static_cast<v1::TaskState>(9));
  EXPECT_EQ(Complaint(request), "states[1]");
  request.Clear();
  request.set_page_token("mine");
  EXPECT_EQ(Complaint(request), "page_token");
  request.set_page_token(std::string(16, 't'));
  EXPECT_EQ(Complaint(request), "page_token");
  request.Clear();
  request.set_pool("a/b");
  EXPECT_EQ(Complaint(request), "pool");
  request.set_pool("nowhere");
  v1::ListTasksResponse response;
  EXPECT_EQ(DetailsOf(List(request, &response)).reason, "POOL_NOT_FOUND");
}

TEST_F(Lists, TheFirstMessageOfADownloadTellsWhatItIs) {
  const std::string id = Submit("echo", "hello");
  ASSERT_TRUE(Get(id).done());
  v1::DownloadRequest request;
  request.set_id(id);
  v1::Payload head;
  std::string bytes;
  ASSERT_TRUE(Download(request, &head, &bytes).ok());
  EXPECT_EQ(bytes, "hello");
  EXPECT_EQ(head.encoding(), v1::ENCODING_RAW);
  EXPECT_EQ(head.size_bytes(), 5u);
  EXPECT_TRUE(head.data().empty());
  // Nothing is left, and the head comes all the same.
  request.set_offset_bytes(5);
  head.Clear();
  bytes.clear();
  ASSERT_TRUE(Download(request, &head, &bytes).ok());
  EXPECT_EQ(head.size_bytes(), 5u);
  EXPECT_EQ(bytes, "");
}

TEST_F(Lists, WhoSubmittedIsShownByName) {
  grpc::ClientContext context;
  context.AddMetadata("poold-client", "nightly");
  v1::SubmitRequest request;
  v1::SubmitResponse response;
  request.set_pool("p");
  request.add_tasks()->set_function("hold");
  ASSERT_TRUE(client_->Submit(&context, request, &response).ok());
  v1::GetResponse got = Get(response.results(0).id(), 0);
  EXPECT_EQ(got.task().client(), "nightly");
}

TEST_F(Lists, ManyTasksAreListedPageByPageEachOnceInOrder) {
  std::vector<std::string> submitted;
  for (int i = 0; i < 25; ++i) submitted.push_back(Submit("hold"));
  std::vector<std::string> listed;
  v1::ListTasksRequest request;
  request.set_page_size(10);
  int pages = 0;
  do {
    v1::ListTasksResponse response;
    ASSERT_TRUE(List(request, &response).ok());
    EXPECT_LE(response.entries_size(), 10);
    for (const v1::TaskEntry& entry : response.entries()) listed.push_back(entry.task().id());
    request.set_page_token(response.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(listed, submitted);
  EXPECT_GE(pages, 3);
}

TEST_F(Lists, ATokenIsGoodForItsOwnListOnly) {
  for (int i = 0; i < 2; ++i) Submit("hold");
  v1::ListTasksRequest request;
  request.set_page_size(1);
  v1::ListTasksResponse response;
  ASSERT_TRUE(List(request, &response).ok());
  ASSERT_FALSE(response.next_page_token().empty());
  request.set_page_token(response.next_page_token());
  request.set_function("echo");
  EXPECT_EQ(Complaint(request), "page_token");
}

TEST_F(Lists, AListIsFilteredByStateFunctionAndClient) {
  const auto submit_as = [&](const std::string& client, const std::string& function) {
    grpc::ClientContext context;
    context.AddMetadata("poold-client", client);
    v1::SubmitRequest request;
    v1::SubmitResponse response;
    request.set_pool("p");
    request.add_tasks()->set_function(function);
    EXPECT_TRUE(client_->Submit(&context, request, &response).ok());
    return response.results(0).id();
  };
  const std::string failed = submit_as("nightly", "fail");
  const std::string held = submit_as("hourly", "hold");
  ASSERT_TRUE(Get(failed).done());
  const auto only = [&](const std::function<void(v1::ListTasksRequest*)>& narrow) {
    v1::ListTasksRequest request;
    narrow(&request);
    v1::ListTasksResponse response;
    EXPECT_TRUE(List(request, &response).ok());
    return response.entries_size() == 1 ? response.entries(0).task().id() : "";
  };
  EXPECT_EQ(only([](auto* request) { request->add_states(v1::TASK_STATE_FAILED); }), failed);
  EXPECT_EQ(only([](auto* request) { request->set_function("hold"); }), held);
  EXPECT_EQ(only([](auto* request) { request->set_client("nightly"); }), failed);
  v1::ListTasksRequest request;
  request.set_client("nobody");
  v1::ListTasksResponse response;
  ASSERT_TRUE(List(request, &response).ok());
  EXPECT_EQ(response.entries_size(), 0);
}

TEST_F(Lists, AnExplanationTellsHowAnAttemptEnded) {
  const std::string id = Submit("crash");
  ASSERT_TRUE(Get(id).done());
  grpc::ClientContext context;
  v1::ExplainRequest request;
  v1::ExplainResponse response;
  request.set_id(id);
  ASSERT_TRUE(client_->Explain(&context, request, &response).ok());
  EXPECT_EQ(response.entry().task().id(), id);
  ASSERT_EQ(response.attempts_size(), 1);
  EXPECT_EQ(response.attempts(0).state(), v1::TASK_STATE_CRASHED);
  EXPECT_FALSE(response.attempts(0).reason().empty());
}

TEST_F(Lists, WhatWaitsIsExplained) {
  for (int i = 0; i < 2; ++i) Submit("hold");
  const std::string id = Submit("echo", "x");
  grpc::ClientContext context;
  v1::ExplainRequest request;
  v1::ExplainResponse response;
  request.set_id(id);
  ASSERT_TRUE(client_->Explain(&context, request, &response).ok());
  EXPECT_FALSE(response.waits_for().empty());
}

TEST_F(Lists, ArgumentsAreKeptOfWhatFailedAndNotOfWhatSucceeded) {
  const std::string failed = Submit("fail", "why");
  const std::string succeeded = Submit("echo", "fine");
  ASSERT_TRUE(Get(failed).done());
  ASSERT_TRUE(Get(succeeded).done());
  v1::DownloadRequest request;
  request.set_arguments(true);
  request.set_id(failed);
  v1::Payload head;
  std::string bytes;
  ASSERT_TRUE(Download(request, &head, &bytes).ok());
  EXPECT_EQ(bytes, "why");
  EXPECT_EQ(head.encoding(), v1::ENCODING_RAW);
  request.set_id(succeeded);
  const grpc::Status status = Download(request, &head, &bytes);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(DetailsOf(status).reason, "ARGUMENTS_NOT_KEPT");
}

}  // namespace
}  // namespace poold::transport
