// What the daemon shows of its tasks: lists, explanations, arguments, and who submitted them.
#include "server_fixture.h"

namespace poold::rpc {
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

}  // namespace
}  // namespace poold::rpc
