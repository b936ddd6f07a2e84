#include "raw_sessions.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "poold/v1/pool_service.grpc.pb.h"

namespace poold::bench {
namespace {

// Two groups under way: while one comes back, the other is worked on.
constexpr std::uint64_t kGroupTasks = 32;
constexpr std::uint64_t kOutstanding = 2 * kGroupTasks;

// One connection with one stream. Its completions come with the addresses of its tags.
class RawSession {
 public:
  struct Tag {
    RawSession* session;
    bool is_read;
  };

  RawSession(const std::string& address, std::string pool, int index, grpc::CompletionQueue* queue)
      : pool_(std::move(pool)), id_high_(static_cast<std::uint64_t>(getpid()) << 32 | static_cast<unsigned>(index)) {
    grpc::ChannelArguments own_connection;
    own_connection.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = v1::PoolService::NewStub(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), own_connection));
    // Of thousands at once some find the daemon's backlog full, and come again.
    context_.set_wait_for_ready(true);
    stream_ = stub_->AsyncSession(&context_, queue, &write_tag_);
  }

  bool greeted() const { return greeted_; }
  bool broken() const { return broken_; }
  bool done() const { return ended_ == wanted_; }

  void Run(std::uint64_t tasks) {
    wanted_ += tasks;
    SendMore();
  }

  void OnEvent(const Tag& tag, bool ok) {
    if (!ok) {
      broken_ = true;
    } else if (tag.is_read) {
      Take();
      stream_->Read(&response_, &read_tag_);
    } else if (!said_hello_) {
      SayHello();
      stream_->Read(&response_, &read_tag_);
    } else {
      writing_ = false;
    }
    if (!broken_ && greeted_) SendMore();
  }

 private:
  void SayHello() {
    said_hello_ = true;
    writing_ = true;
    std::string id(16, '\0');
    for (std::size_t i = 0; i < sizeof id_high_; ++i) id[i] = static_cast<char>(id_high_ >> (8 * i));
    request_.mutable_hello()->set_client_id(id);
    stream_->Write(request_, &write_tag_);
  }

  void Take() {
    greeted_ = greeted_ || response_.has_server();
    if (response_.refused_size() > 0 || response_.others_size() > 0) broken_ = true;
    for (const v1::OutcomeGroup& group : response_.succeeded()) {
      for (const std::uint64_t id_low : group.id_low()) Release(id_low);
      ended_ += static_cast<std::uint64_t>(group.id_low_size());
    }
  }

  // What ended is released with what comes next.
  void SendMore() {
    if (writing_ || sent_ == wanted_ || sent_ - ended_ > kOutstanding - kGroupTasks) return;
    const std::uint64_t count = std::min(kGroupTasks, wanted_ - sent_);
    request_.Clear();
    v1::TaskGroup* group = request_.add_submit();
    group->set_pool(pool_);
    group->set_function("noop");
    group->set_id_high(id_high_);
    group->set_first_id_low(sent_);
    group->set_encoding(v1::ENCODING_MSGPACK);
    for (std::uint64_t i = 0; i < count; ++i) group->add_args_bytes(1);
    group->set_args(std::string(count, '\x90'));  // an empty array each
    request_.mutable_release()->Swap(&to_release_);
    to_release_.Clear();
    sent_ += count;
    writing_ = true;
    stream_->Write(request_, &write_tag_);
  }

  // With the next request. Neighbours that came back in order are one run.
  void Release(std::uint64_t id_low) {
    const int last = to_release_.count_size() - 1;
    if (last >= 0 && to_release_.low(last) + to_release_.count(last) == id_low) {
      to_release_.set_count(last, to_release_.count(last) + 1);
      return;
    }
    to_release_.add_high(id_high_);
    to_release_.add_low(id_low);
    to_release_.add_count(1);
  }

  const std::string pool_;
  const std::uint64_t id_high_;
  Tag read_tag_{this, true};
  Tag write_tag_{this, false};
  std::unique_ptr<v1::PoolService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::SessionRequest, v1::SessionResponse>> stream_;
  v1::SessionRequest request_;
  v1::SessionResponse response_;
  v1::IdRuns to_release_;
  bool said_hello_ = false;
  bool greeted_ = false;
  bool writing_ = true;
  bool broken_ = false;
  std::uint64_t wanted_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t ended_ = 0;
};

using Sessions = std::vector<std::unique_ptr<RawSession>>;

// Until `reached` holds for every session. False: one broke.
template <typename Condition>
bool Await(grpc::CompletionQueue* queue, const Sessions& sessions, Condition reached) {
  std::size_t left = 0;
  for (const auto& session : sessions) left += reached(*session) ? 0 : 1;
  while (left > 0) {
    void* event = nullptr;
    bool ok = false;
    if (!queue->Next(&event, &ok)) return false;
    const RawSession::Tag& tag = *static_cast<RawSession::Tag*>(event);
    const bool before = reached(*tag.session);
    tag.session->OnEvent(tag, ok);
    if (tag.session->broken()) {
      std::cerr << "poold-bench: a session broke, or was refused something" << std::endl;
      return false;
    }
    if (!before && reached(*tag.session)) --left;
  }
  return true;
}

}  // namespace

int HoldSessions(const std::vector<std::string>& arguments) {
  grpc::CompletionQueue queue;
  Sessions sessions;
  for (int i = 0; i < std::atoi(arguments.at(2).c_str()); ++i) {
    sessions.push_back(std::make_unique<RawSession>(arguments[0], arguments[1], i, &queue));
  }
  if (!Await(&queue, sessions, [](const RawSession& session) { return session.greeted(); })) return 1;
  std::cout << "ready" << std::endl;
  for (std::uint64_t tasks; std::cin >> tasks;) {
    for (const auto& session : sessions) session->Run(tasks);
    if (!Await(&queue, sessions, [](const RawSession& session) { return session.done(); })) return 1;
    std::cout << "done" << std::endl;
  }
  // Streams that are still open need nobody's farewell.
  std::_Exit(0);
}

}  // namespace poold::bench
