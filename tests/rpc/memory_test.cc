// Memory is counted before it is taken: what is above a part of the budget is refused, or who holds it up is cut off.
#include <sys/socket.h>

#include <vector>

#include "rpc/counted_bytes.h"
#include "session_client.h"

namespace poold::rpc {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

class LittleMemory : public SessionTest {
 protected:
  void Adjust(ServiceOptions* options) override { options->memory = memory_; }
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
  std::vector<std::unique_ptr<grpc::ClientAsyncResponseReader<v1::WaitResponse>>> calls;
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
      const ssize_t sent =
          send(way_.fd(), text_.data() + sent_, text_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
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

}  // namespace
}  // namespace poold::rpc
