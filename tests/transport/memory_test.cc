// Memory is counted before it is taken: what is above a part of the budget is refused, or who holds it up is cut off.
#include <sys/socket.h>

#include <vector>

#include "api/read_work.h"
#include "session_client.h"
#include "transport/half_read.h"
#include "wire/unique_fd.h"

namespace poold::transport {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

class LittleMemory : public SessionTest {
 protected:
  void Adjust(ServerOptions* options) override { options->memory = memory_; }
  // One whose arguments have so many bytes.
  grpc::Status SubmitLarge(std::size_t bytes, v1::SubmitResult* result) {
    grpc::ClientContext context;
    v1::SubmitRequest request;
    request.set_pool("p");
    v1::TaskSpec* task = request.add_tasks();
    task->set_function("hold");
    *task->mutable_args() = Raw(std::string(bytes, 'x'));
    v1::SubmitResponse response;
    const grpc::Status status = client_->Submit(&context, request, &response);
    if (status.ok()) *result = response.results(0);
    return status;
  }

  const std::shared_ptr<const base::MemoryBudget> memory_ = std::make_shared<const base::MemoryBudget>(64 * kMiB);
};

TEST_F(LittleMemory, ArgumentsAreRefusedWhenTheirPartIsFullAndTakenWhenItIsNot) {
  EXPECT_LE(options_.memory->bytes(), 64 * kMiB);
  v1::SubmitResult result;
  std::vector<std::string> taken;
  while (SubmitLarge(900'000, &result).ok() && !result.has_error()) {
    taken.push_back(result.id());
    ASSERT_LT(taken.size(), 100u);
  }
  EXPECT_GT(taken.size(), 10u);
  EXPECT_EQ(DetailsOf(result.error()).reason, "QUEUE_FULL");
  EXPECT_EQ(DetailsOf(result.error()).quota, "max_argument_bytes");
  EXPECT_TRUE(DetailsOf(result.error()).retry);
  EXPECT_LE(memory_->arguments->used(), memory_->arguments->max());

  // A session is told the same, task by task; what it sends again is known.
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  AddTasks(&request, "hold", 1, {std::string(900'000, 'y')});
  ASSERT_TRUE(session.Send(request));
  ASSERT_TRUE(session.ReadUntil([&] { return session.refused.contains(Id(1)); }));
  EXPECT_EQ(DetailsOf(session.refused[Id(1)]).quota, "max_argument_bytes");

  LetGo();
  Await([&] { return SubmitLarge(900'000, &result).ok() && !result.has_error(); });
}

TEST_F(LittleMemory, AnAnswerTellsThePartsOfTheBudget) {
  grpc::ClientContext context;
  v1::GetServerInfoResponse info;
  ASSERT_TRUE(client_->GetServerInfo(&context, {}, &info).ok());
  EXPECT_EQ(info.server().memory().budget_bytes(), memory_->bytes());
  EXPECT_EQ(info.server().memory().parts_size(), 8);
  EXPECT_EQ(info.server().limits().max_argument_bytes(), memory_->arguments->max());
  EXPECT_LE(info.server().limits().max_message_bytes(), memory_->half_read->max() / 4);
}

TEST_F(LittleMemory, WaitingForManyHandlesCountsToo) {
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  v1::WaitRequest request;
  request.mutable_wait_timeout()->set_seconds(600);
  const std::string held = Submit("hold");
  for (int i = 0; i < 30'000; ++i) request.add_ids(held);
  grpc::CompletionQueue queue;
  std::vector<std::unique_ptr<grpc::ClientAsyncResponseReaderInterface<v1::WaitResponse>>> calls;
  std::vector<v1::WaitResponse> responses(8);
  std::vector<grpc::Status> statuses(8);
  contexts.reserve(responses.size());  // their places are the tags
  for (std::size_t i = 0; i < responses.size(); ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    calls.push_back(client_->AsyncWait(contexts[i].get(), request, &queue));
    calls[i]->Finish(&responses[i], &statuses[i], &contexts[i]);
  }
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue.Next(&tag, &ok)) << "one of them is refused";
  const grpc::Status refused = statuses[static_cast<std::unique_ptr<grpc::ClientContext>*>(tag) - contexts.data()];
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(DetailsOf(refused).quota, "watchers");
  for (const auto& context : contexts) context->TryCancel();
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) continue;
  Await([&] { return memory_->watchers->used() == 0; });
}

// ---- Who is cut off for others ----

class HalfReads : public ::testing::Test {
 protected:
  static constexpr auto kNow = HalfRead::Need::kNow;
  static constexpr auto kCanWait = HalfRead::Need::kCanWait;

  // One that holds so much, at this time.
  std::unique_ptr<HalfRead::Holder> Make(pid_t pid, std::uint64_t bytes, core::Nanos now, int fd = -1) {
    const std::size_t number = cut_.size();
    cut_.push_back(0);
    auto holder =
        std::make_unique<HalfRead::Holder>(room_, Peer{.pid = pid}, fd, [=, this](auto held) { cut_[number] += held; });
    holder->Came(bytes, now);
    EXPECT_TRUE(holder->Hold(bytes, kNow, now));
    return holder;
  }

  const std::shared_ptr<base::Quota> quota_ = std::make_shared<base::Quota>(100);
  const std::shared_ptr<HalfRead> room_ = std::make_shared<HalfRead>(quota_);
  std::vector<std::uint64_t> cut_;  // what each held then
  static constexpr core::Nanos kLater = 10 * core::kSecond;
};

TEST_F(HalfReads, WhoHasStalledGoesBeforeWhoHoldsMost) {
  const auto stalled = Make(1, 30, 0);
  const auto most = Make(2, 60, kLater);
  const auto asks = Make(3, 5, kLater);
  EXPECT_TRUE(asks->Hold(20, kCanWait, kLater));
  EXPECT_EQ(cut_, (std::vector<std::uint64_t>{30, 0, 0}));
  EXPECT_TRUE(stalled->is_cut());
  EXPECT_FALSE(stalled->Hold(1, kNow, kLater));
  EXPECT_EQ(quota_->used(), 80u);
}

TEST_F(HalfReads, OfThePeerThatHoldsMostTheConnectionThatHoldsMostGoes) {
  const auto largest = Make(1, 40, 0);
  const auto a = Make(2, 20, 0), b = Make(2, 25, 0);
  const auto asks = Make(3, 0, 0);
  EXPECT_FALSE(asks->Hold(30, kCanWait, 0)) << "nobody has stalled";
  EXPECT_TRUE(asks->Hold(30, kNow, 0));
  EXPECT_EQ(cut_, (std::vector<std::uint64_t>{0, 0, 25, 0}));
}

TEST_F(HalfReads, WhoAsksMayBeTheOneWhoGoes) {
  const auto little = Make(1, 30, 0);
  const auto asks = Make(2, 60, 0);
  EXPECT_FALSE(asks->Hold(80, kNow, 0));
  EXPECT_EQ(cut_, (std::vector<std::uint64_t>{0, 60}));
  const auto too_much = Make(3, 10, kLater);
  EXPECT_FALSE(too_much->Hold(101, kNow, kLater)) << "nobody can make so much room, stalled or not";
  EXPECT_EQ(cut_, (std::vector<std::uint64_t>{0, 60, 10}));
  EXPECT_EQ(quota_->used(), 30u);
}

TEST_F(HalfReads, ADripIsNoProgress) {
  const auto drips = Make(1, 10, 0);
  for (core::Nanos now = 0; now <= HalfRead::kStalledFrom; now += core::kSecond / 10) drips->Came(1000, now);
  const auto moves = Make(2, 70, HalfRead::kStalledFrom);
  EXPECT_TRUE(Make(3, 0, 0)->Hold(30, kCanWait, HalfRead::kStalledFrom));
  EXPECT_EQ(cut_, (std::vector<std::uint64_t>{10, 0, 0}));
}

TEST_F(HalfReads, WhoWaitsForRoomOrForTheDaemonHasNotStalled) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const wire::UniqueFd client(ends[0]), server(ends[1]);
  const auto late = Make(1, 50, 0, server.get());
  ASSERT_EQ(send(client.get(), "more", 4, 0), 4);
  const auto waits = Make(2, 50, 0);
  EXPECT_FALSE(waits->Hold(60, kCanWait, 0));
  EXPECT_FALSE(Make(3, 0, 0)->Hold(1, kCanWait, kLater));
  char bytes[4];
  ASSERT_EQ(recv(server.get(), bytes, sizeof bytes, 0), 4);
  EXPECT_TRUE(Make(3, 0, 0)->Hold(1, kCanWait, kLater));
  EXPECT_TRUE(late->is_cut());
}

TEST_F(HalfReads, WhatIsGivenBackIsThereForOthers) {
  auto one = Make(1, 100, 0);
  EXPECT_TRUE(one->Hold(10, kNow, 0));
  const auto other = Make(2, 90, 0);
  one.reset();
  EXPECT_EQ(quota_->used(), 90u);
  EXPECT_TRUE(other->Hold(100, kCanWait, 0));
}

// A local session's message of which the last byte does not come.
class HalfMessage {
 public:
  HalfMessage(const std::string& path, std::size_t bytes) : way_(path), text_(sizeof(std::uint32_t) + bytes - 1, '\0') {
    const auto head = static_cast<std::uint32_t>(bytes);
    memcpy(text_.data(), &head, sizeof head);
  }
  // As much as the daemon takes now. False: it is over.
  bool Push() {
    while (sent_ < text_.size()) {
      const ssize_t sent = send(way_.fd(), text_.data() + sent_, text_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN;
      sent_ += static_cast<std::size_t>(sent);
    }
    char byte = 0;
    return recv(way_.fd(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
  }

 private:
  LocalWay way_;
  std::string text_;
  std::size_t sent_ = 0;
};

TEST_F(LittleMemory, WhoStopsHalfWayIsCutOffWhenOthersNeedTheMemory) {
  TestSession::local_socket = folder_ / "poold.sock.payloads";
  const std::size_t largest = memory_->half_read->max() / 4;
  std::vector<std::unique_ptr<HalfMessage>> halves;
  for (int i = 0; i < 6; ++i) halves.push_back(std::make_unique<HalfMessage>(TestSession::local_socket, largest));
  // Four of them fill the part; as long as nobody wanted it, they could stay.
  int ended = 0;
  Await([&] {
    ended = 0;
    for (const auto& half : halves) ended += half->Push() ? 0 : 1;
    EXPECT_LE(memory_->half_read->used(), memory_->half_read->max());
    return ended > 0;
  });
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  AddTasks(&request, "echo", 1, {std::string(1'500'000, 'y')});
  ASSERT_TRUE(session.Send(request));
  EXPECT_TRUE(session.ReadUntil([&] { return session.outcomes.contains(Id(1)); }));
  halves.clear();
  session.Vanish();
  Await([&] { return memory_->half_read->used() == 0; });
  TestSession::local_socket.clear();
}

}  // namespace
}  // namespace poold::transport
