// The payload socket, spoken to byte by byte: honest clients, and others.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>

#include "base/spool.h"
#include "payload_caller.h"
#include "server_fixture.h"
#include "wire/memory_file.h"

namespace poold::transport {
namespace {

using wire::PayloadAsk;
using wire::PayloadStatus;
using wire::UniqueFd;

const std::string kId = "0123456789abcdef";

std::size_t OpenDescriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator()));
}

UniqueFd Sealed(const std::string& text) { return std::move(wire::MakeSealedFile(text).value()); }

class PayloadSockets : public ServerTest {
 protected:
  void Adjust(ServerOptions* options) override {
    spool_ = std::make_shared<const base::Spool>(
        base::SpoolOptions{.folder = std::filesystem::temp_directory_path(), .max_memory_bytes = 1'000'000});
    options->spool = spool_;
    options->limits.max_payload_bytes = 5'000'000;
    options->max_connections_per_peer = 128;  // twice as many here
  }
  void SetUp() override {
    ServerTest::SetUp();
    OpenPool("p");
  }
  std::string path() { return folder_ / "poold.sock.payloads"; }

  void ExpectItLives() {
    Caller caller(path());
    const UniqueFd sealed = Sealed("fine");
    ASSERT_TRUE(caller.Send(PayloadAsk::kOffer, "ffffffffffffffff", 4, {sealed.get()}));
    EXPECT_EQ(caller.Answer(), PayloadStatus::kTaken);
    EXPECT_EQ(Get(SubmitUploaded("echo", "ffffffffffffffff").id()).task().outcome().result().data(), "fine");
  }

  std::shared_ptr<const base::Spool> spool_;
};

TEST_F(PayloadSockets, ItsPathIsTold) {
  grpc::ClientContext context;
  v1::GetServerInfoResponse response;
  ASSERT_TRUE(client_->GetServerInfo(&context, {}, &response).ok());
  EXPECT_EQ(response.server().payload_socket(), path());
}

TEST_F(PayloadSockets, WhatIsHandedOverServesOneSubmission) {
  Caller caller(path());
  ASSERT_TRUE(caller.connected());
  const UniqueFd sealed = Sealed("hello");
  ASSERT_TRUE(caller.Send(PayloadAsk::kOffer, kId, 5, {sealed.get()}));
  EXPECT_EQ(caller.Answer(), PayloadStatus::kTaken);
  EXPECT_EQ(spool_->used_memory_bytes(), 5u);
  EXPECT_EQ(Get(SubmitUploaded("echo", kId).id()).task().outcome().result().data(), "hello");
  EXPECT_EQ(DetailsOf(SubmitUploaded("echo", kId).error()).reason, "UPLOAD_NOT_FOUND");
  Await([&] { return spool_->used_memory_bytes() == 0; });
}

TEST_F(PayloadSockets, WhatDoesNotFitGoesAnotherWay) {
  Caller caller(path());
  const UniqueFd sealed = Sealed(std::string(1'000'001, 'x'));
  ASSERT_TRUE(caller.Send(PayloadAsk::kOffer, kId, 1'000'001, {sealed.get()}));
  EXPECT_EQ(caller.Answer(), PayloadStatus::kNotThisWay);
  ASSERT_TRUE(caller.Send(PayloadAsk::kFetch, kId, 0));
  EXPECT_EQ(caller.Answer(), PayloadStatus::kNotThisWay);
}

TEST_F(PayloadSockets, MisuseIsToldAndCutOff) {
  const UniqueFd sealed = Sealed("hello");
  const UniqueFd open_one(memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(open_one.get(), 5), 0);
  const UniqueFd disk(open("/dev/null", O_RDONLY | O_CLOEXEC));
  struct Case {
    const char* what;
    PayloadAsk ask;
    std::uint64_t number;
    std::vector<int> descriptors;
  };
  const Case cases[] = {
      {"without seals", PayloadAsk::kOffer, 5, {open_one.get()}},
      {"of another size", PayloadAsk::kOffer, 6, {sealed.get()}},
      {"above the limit", PayloadAsk::kOffer, 5'000'001, {sealed.get()}},
      {"no file in memory", PayloadAsk::kOffer, 0, {disk.get()}},
      {"no descriptor", PayloadAsk::kOffer, 5, {}},
      {"two descriptors", PayloadAsk::kOffer, 5, {sealed.get(), sealed.get()}},
      {"a result with a descriptor", PayloadAsk::kFetch, 0, {sealed.get()}},
      {"no such question", static_cast<PayloadAsk>(77), 0, {}},
  };
  const std::size_t before = OpenDescriptors();
  for (const Case& one : cases) {
    Caller caller(path());
    ASSERT_TRUE(caller.Send(one.ask, kId, one.number, one.descriptors)) << one.what;
    EXPECT_EQ(caller.Answer(), PayloadStatus::kBad) << one.what;
    EXPECT_EQ(caller.Answer(), std::nullopt) << one.what;
  }
  EXPECT_EQ(spool_->used_memory_bytes(), 0u);
  Await([&] { return OpenDescriptors() == before; });
  ExpectItLives();
}

TEST_F(PayloadSockets, AnIdThatIsTakenIsRefused) {
  Caller first(path()), second(path());
  const UniqueFd one = Sealed("one"), two = Sealed("two");
  ASSERT_TRUE(first.Send(PayloadAsk::kOffer, kId, 3, {one.get()}));
  EXPECT_EQ(first.Answer(), PayloadStatus::kTaken);
  ASSERT_TRUE(second.Send(PayloadAsk::kOffer, kId, 3, {two.get()}));
  EXPECT_EQ(second.Answer(), PayloadStatus::kBad);
  EXPECT_EQ(spool_->used_memory_bytes(), 3u);
  EXPECT_EQ(Get(SubmitUploaded("echo", kId).id()).task().outcome().result().data(), "one");
}

TEST_F(PayloadSockets, HalfARequestLeavesNothing) {
  const std::size_t before = OpenDescriptors();
  {
    const UniqueFd sealed = Sealed("hello");
    Caller caller(path());
    ASSERT_TRUE(caller.SendBytes("half", {sealed.get()}));
  }
  Await([&] { return OpenDescriptors() == before; });
  ExpectItLives();
}

TEST_F(PayloadSockets, WhoDoesNotReadItsAnswersIsCutOff) {
  Caller caller(path());
  bool sent = true;
  for (int i = 0; i < 1000 && sent; ++i) sent = caller.Send(PayloadAsk::kFetch, kId, 0);
  int answers = 0;
  while (caller.Answer()) ++answers;
  EXPECT_LT(answers, 1000);
  ExpectItLives();
}

TEST_F(PayloadSockets, AFloodOfConnectionsIsBounded) {
  const std::size_t before = OpenDescriptors();
  {
    std::vector<std::unique_ptr<Caller>> flood;
    for (int i = 0; i < 400; ++i) flood.push_back(std::make_unique<Caller>(path()));
    EXPECT_EQ(Get(Submit("echo", "still")).task().outcome().result().data(), "still");
    // Ours, and what the daemon holds of them.
    Await([&] { return OpenDescriptors() <= before + 400 + 256; });
  }
  Await([&] { return OpenDescriptors() <= before + 4; });
  ExpectItLives();
}

}  // namespace
}  // namespace poold::transport
