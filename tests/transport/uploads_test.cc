// Uploads whose submissions are refused: their room is for others, unless they are wanted once more.
#include "session_client.h"

namespace poold::transport {
namespace {

constexpr std::size_t kUploadBytes = 1 << 20;

// With room for one upload.
class RoomForOneUpload : public SessionTest {
 protected:
  void Adjust(ServerOptions* options) override {
    options->max_upload_bytes = kUploadBytes;
    options->upload_ttl = core::kNever / 2;
  }
  void OpenSmallPool(std::uint64_t tasks, std::uint64_t bytes) {
    v1::OpenPoolRequest open;
    open.mutable_spec()->set_name("small");
    open.mutable_spec()->set_workers(1);
    open.mutable_spec()->set_max_queued_tasks(tasks);
    open.mutable_spec()->set_max_queued_bytes(bytes);
    grpc::ClientContext context;
    v1::OpenPoolResponse opened;
    ASSERT_TRUE(client_->OpenPool(&context, open, &opened).ok());
  }

  // Its id.
  std::string Upload() {
    grpc::ClientContext context;
    v1::UploadResponse response;
    const auto writer = client_->Upload(&context, &response);
    v1::UploadRequest fragment;
    fragment.set_fragment(std::string(kUploadBytes, 'u'));
    writer->Write(fragment);
    writer->WritesDone();
    last_ = writer->Finish();
    return response.upload_id();
  }
  void ExpectRoom(const std::string& after) {
    const std::string id = Upload();
    ASSERT_TRUE(last_.ok()) << after << ": " << last_.error_message();
    Release(id);
  }
  std::uint32_t Release(const std::string& id) {
    grpc::ClientContext context;
    v1::ReleaseRequest request;
    request.add_ids(id);
    v1::ReleaseResponse response;
    EXPECT_TRUE(client_->Release(&context, request, &response).ok());
    return response.released();
  }

  static v1::SubmitRequest Submission(const std::string& upload_id, const std::string& function = "echo",
                                      const std::string& pool = "p") {
    v1::SubmitRequest request;
    request.set_pool(pool);
    v1::TaskSpec* task = request.add_tasks();
    task->set_function(function);
    task->mutable_args()->set_encoding(v1::ENCODING_RAW);
    task->mutable_args()->set_upload_id(upload_id);
    return request;
  }
  // Why it was refused.
  std::string Refusal(const v1::SubmitRequest& request) {
    grpc::ClientContext context;
    v1::SubmitResponse response;
    const grpc::Status status = client_->Submit(&context, request, &response);
    return DetailsOf(status.ok() ? response.results(0).error() : google::rpc::Status()).reason +
           DetailsOf(status).reason;
  }

  grpc::Status last_;
};

TEST_F(RoomForOneUpload, ASubmissionThatIsRefusedForGoodLeavesIt) {
  OpenSmallPool(10, kUploadBytes - 1);
  EXPECT_EQ(Refusal(Submission(Upload(), "no_such_function")), "FUNCTION_NOT_FOUND");
  ExpectRoom("no such function");
  EXPECT_EQ(Refusal(Submission(Upload(), "echo", "no_such_pool")), "POOL_NOT_FOUND");
  ExpectRoom("no such pool");
  EXPECT_EQ(Refusal(Submission(Upload(), "echo", "small")), "TOO_LARGE");
  ExpectRoom("too large for this pool");
  EXPECT_EQ(Refusal(Submission(Upload(), "")), "INVALID_FIELD");
  ExpectRoom("no function");
  EXPECT_EQ(Refusal(Submission(Upload(), "echo", "")), "INVALID_FIELD");
  ExpectRoom("no pool");
}

TEST_F(RoomForOneUpload, AlsoOnASession) {
  const auto session = Greeted();
  v1::SessionRequest request;
  AddTasks(&request, "no_such_function", 1, {""})->set_upload_id(Upload());
  session->Send(request);
  ASSERT_TRUE(session->ReadUntil([&] { return session->refused.size() + session->outcomes.size() == 1u; }));
  EXPECT_EQ(DetailsOf(session->refused[Id(1)]).reason, "FUNCTION_NOT_FOUND");
  ExpectRoom("no such function");
  request.Clear();
  AddTasks(&request, "echo", 2, {"x"})->set_upload_id(Upload());
  session->Send(request);
  ASSERT_TRUE(session->ReadUntil([&] { return session->refused.size() + session->outcomes.size() == 2u; }));
  EXPECT_EQ(DetailsOf(session->refused[Id(2)]).bad_field, "submit.upload_id");
  ExpectRoom("arguments and an upload");
}

TEST_F(RoomForOneUpload, ASubmissionThatIsRefusedForNowKeepsIt) {
  OpenSmallPool(1, 10 * kUploadBytes);
  v1::SubmitRequest hold = Submission("", "hold", "small");
  while (Refusal(hold).empty()) continue;
  const std::string id = Upload();
  const v1::SubmitRequest request = Submission(id, "echo", "small");
  EXPECT_EQ(Refusal(request), "QUEUE_FULL");
  Upload();
  EXPECT_EQ(last_.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  LetGo();
  Await([&] { return Refusal(request) != "QUEUE_FULL"; });
  EXPECT_EQ(Refusal(request), "UPLOAD_NOT_FOUND");  // a submission took it
  ExpectRoom("it was taken");
}

TEST_F(RoomForOneUpload, ARefusedSubmissionOnASessionKeepsItUntilItIsReleased) {
  OpenSmallPool(1, 10 * kUploadBytes);
  v1::SubmitRequest hold = Submission("", "hold", "small");
  while (Refusal(hold).empty()) continue;
  const auto session = Greeted();
  v1::SessionRequest request;
  const std::string id = Upload();
  AddTasks(&request, "echo", 1, {""}, "small")->set_upload_id(id);
  session->Send(request);
  ASSERT_TRUE(session->ReadUntil([&] { return session->refused.size() + session->outcomes.size() == 1u; }));
  EXPECT_EQ(DetailsOf(session->refused[Id(1)]).reason, "QUEUE_FULL");
  Upload();
  EXPECT_EQ(last_.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  request.Clear();
  const core::HandleId upload = *api::ParseId(id);
  request.mutable_release()->add_high(upload.high);
  request.mutable_release()->add_low(upload.low);
  request.mutable_release()->add_count(1);
  const std::uint64_t taken = session->taken;
  session->Send(request);
  // What is asked next comes behind it.
  request.Clear();
  AddTasks(&request, "echo", 2, {"next"});
  session->Send(request);
  ASSERT_TRUE(session->ReadUntil([&] { return session->outcomes.contains(Id(2)) && session->taken > taken; }));
  ExpectRoom("it was released");
  EXPECT_EQ(Refusal(Submission(id)), "UPLOAD_NOT_FOUND");
}

TEST_F(RoomForOneUpload, ReleaseCountsIt) {
  const std::string id = Upload();
  EXPECT_EQ(Release(id), 1u);
  EXPECT_EQ(Release(id), 0u);
}

}  // namespace
}  // namespace poold::transport
