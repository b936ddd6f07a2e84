// Uploads and downloads of payloads that lie in the spool.
#include "base/spool.h"

#include <filesystem>

#include "server_fixture.h"

namespace poold::transport {
namespace {

class SpooledCalls : public ServerTest {
 protected:
  void Adjust(ServerOptions* options) override {
    std::filesystem::create_directory(folder_ / "spool");
    spool_ = std::make_shared<const base::Spool>(base::SpoolOptions{
        .folder = folder_ / "spool", .max_bytes = 5'000'000, .max_memory_bytes = 0, .threshold_bytes = 1'000'000});
    options->spool = spool_;
  }
  void SetUp() override {
    ServerTest::SetUp();
    OpenPool("p");
  }

  grpc::Status Upload(int fragments, v1::UploadResponse* uploaded) {
    grpc::ClientContext context;
    const auto writer = client_->Upload(&context, uploaded);
    v1::UploadRequest fragment;
    for (int i = 0; i < fragments; ++i) {
      fragment.set_fragment(std::string(500'000, static_cast<char>('a' + i)));
      if (!writer->Write(fragment)) break;
    }
    writer->WritesDone();
    return writer->Finish();
  }
  std::string DownloadArguments(const std::string& id, std::uint64_t offset) {
    grpc::ClientContext context;
    v1::DownloadRequest request;
    request.set_id(id);
    request.set_arguments(true);
    request.set_offset_bytes(offset);
    const auto reader = client_->Download(&context, request);
    v1::DownloadResponse fragment;
    std::string bytes;
    while (reader->Read(&fragment)) bytes += fragment.fragment();
    EXPECT_TRUE(reader->Finish().ok());
    return bytes;
  }

  std::shared_ptr<const base::Spool> spool_;
};

TEST_F(SpooledCalls, ALargeUploadLiesOnDiskUntilItsTaskHasEnded) {
  v1::UploadResponse uploaded;
  ASSERT_TRUE(Upload(6, &uploaded).ok());
  EXPECT_EQ(uploaded.size_bytes(), 3'000'000u);
  EXPECT_EQ(spool_->used_bytes(), 3'000'000u);
  const std::string id = SubmitUploaded("echo", uploaded.upload_id()).id();
  const v1::GetResponse got = Get(id);
  EXPECT_EQ(got.task().outcome().result().size_bytes(), 3'000'000u);
}

TEST_F(SpooledCalls, WhatLiesOnDiskIsDownloadedFromAnyPlace) {
  v1::UploadResponse uploaded;
  ASSERT_TRUE(Upload(6, &uploaded).ok());
  const std::string id = SubmitUploaded("hold", uploaded.upload_id()).id();
  std::string expected;
  for (int i = 0; i < 6; ++i) expected += std::string(500'000, static_cast<char>('a' + i));
  EXPECT_TRUE(DownloadArguments(id, 0) == expected);
  EXPECT_TRUE(DownloadArguments(id, 1'200'003) == expected.substr(1'200'003));
  EXPECT_EQ(DownloadArguments(id, 3'000'000), "");
}

TEST_F(SpooledCalls, ASmallUploadStaysInMemory) {
  v1::UploadResponse uploaded;
  ASSERT_TRUE(Upload(2, &uploaded).ok());
  EXPECT_EQ(spool_->used_bytes(), 0u);
}

TEST_F(SpooledCalls, AFullSpoolRefusesAndSaysWhenToTryAgain) {
  v1::UploadResponse first, second;
  ASSERT_TRUE(Upload(8, &first).ok());
  const grpc::Status refused = Upload(8, &second);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  const ErrorDetails details = DetailsOf(refused);
  EXPECT_EQ(details.reason, "QUEUE_FULL");
  EXPECT_EQ(details.quota, "spool");
  EXPECT_TRUE(details.retry);
  // What came of the one that was refused is gone.
  Await([&] { return spool_->used_bytes() == 4'000'000u; });
  EXPECT_TRUE(Upload(2, &second).ok());
}

TEST_F(SpooledCalls, AClientThatGoesInTheMiddleLeavesNothing) {
  grpc::ClientContext context;
  v1::UploadResponse uploaded;
  const auto writer = client_->Upload(&context, &uploaded);
  v1::UploadRequest fragment;
  fragment.set_fragment(std::string(1'000'000, 'x'));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(writer->Write(fragment));
  Await([&] { return spool_->used_bytes() == 3'000'000u; });
  context.TryCancel();
  EXPECT_FALSE(writer->Finish().ok());
  Await([&] { return spool_->used_bytes() == 0 && spool_->used_files() == 0; });
}

TEST_F(SpooledCalls, TheRoomIsPublished) {
  grpc::ClientContext context;
  v1::GetServerInfoResponse response;
  ASSERT_TRUE(client_->GetServerInfo(&context, {}, &response).ok());
  EXPECT_EQ(response.server().limits().max_spool_bytes(), 5'000'000u);
  EXPECT_EQ(response.server().limits().max_shared_memory_bytes(), 0u);
}

}  // namespace
}  // namespace poold::transport
