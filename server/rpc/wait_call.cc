// Wait: for some of many handles, which may lie in several shards.
//
// Each shard waits for its own. The first one that has what is waited for ends it; what the others have until then is
// asked again, without waiting.
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/quota.h"
#include "core/errors.h"
#include "rpc/accept.h"
#include "rpc/pending_call.h"
#include "rpc/read_call.h"
#include "rpc/shard_parts.h"
#include "rpc/unary_call.h"

namespace poold::rpc {
namespace {

using WaitCall = UnaryCall<v1::WaitRequest, v1::WaitResponse>;

// What it takes, here and in the core, to wait for one handle.
constexpr std::uint64_t kWaitedBytes = 96;

// Made, begun, hurried and dropped by the RPC thread; answered by any thread.
class Waiting : public std::enable_shared_from_this<Waiting> {
 public:
  Waiting(std::shared_ptr<WaitCall> call, std::vector<core::HandleId> ids, core::WaitMode mode,
          base::Reservation memory)
      : call_(std::move(call)), ids_(std::move(ids)), mode_(mode), memory_(std::move(memory)) {
    for (ShardPart& part : PartsOf(ids_, call_->service_context())) parts_.push_back({.handles = std::move(part)});
    missing_ = parts_.size();
  }

  void Begin(core::Nanos wait) {
    for (std::size_t i = 0; i < parts_.size(); ++i) Ask(i, wait);
    call_->OnCancelled([self = shared_from_this()] { self->Drop(); });
  }

 private:
  struct Part {
    ShardPart handles;
    PendingCall asked;  // the RPC thread's
    std::optional<core::WaitAnswer> answer;
  };

  void Ask(std::size_t place, core::Nanos wait) {
    Part& part = parts_[place];
    part.asked = AskShard(
        *part.handles.shard,
        [&](core::Core& core, core::Nanos now, core::SubscriberId me) {
          core.OnWait(now, me, part.handles.ids, mode_, wait, TaskWorkerOf(call_->context(), call_->service_context()));
        },
        [self = shared_from_this(), place](Answer answer) {
          self->Take(place, std::get<absl::StatusOr<core::WaitAnswer>>(std::move(answer)));
        });
  }

  void Take(std::size_t place, absl::StatusOr<core::WaitAnswer> answer) {
    if (!answer.ok()) {
      call_->Refuse(answer.status());
      return call_->Post([self = shared_from_this()] { self->Drop(); });
    }
    bool hurry = false;
    {
      absl::MutexLock lock(&mu_);
      hurry = answer->first && !std::exchange(hurried_, true);
      parts_[place].answer = *std::move(answer);
      if (--missing_ > 0 && !hurry) return;
      hurry = missing_ > 0;
    }
    if (!hurry) return Reply();
    call_->Post([self = shared_from_this()] { self->Hurry(); });
  }
  void Hurry() {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (parts_[i].asked.Drop()) Ask(i, 0);
    }
  }

  void Drop() {
    for (const Part& part : parts_) part.asked.Drop();
  }

  // All have answered: nobody changes them any more. Each handle once, in the order asked.
  void Reply() {
    absl::flat_hash_set<core::HandleId> done;
    for (const Part& part : parts_) done.insert(part.answer->done.begin(), part.answer->done.end());
    absl::flat_hash_set<core::HandleId> told;
    v1::WaitResponse response;
    for (const core::HandleId& id : ids_) {
      if (!told.insert(id).second) continue;
      (done.contains(id) ? *response.add_done() : *response.add_not_done()) = IdBytes(id);
    }
    call_->Answer(response);
  }

  const std::shared_ptr<WaitCall> call_;
  const std::vector<core::HandleId> ids_;
  const core::WaitMode mode_;
  const base::Reservation memory_;
  std::vector<Part> parts_;  // constant in number
  absl::Mutex mu_;
  std::size_t missing_ ABSL_GUARDED_BY(mu_);
  bool hurried_ ABSL_GUARDED_BY(mu_) = false;
};

absl::Status NoMemoryToWait() {
  return core::MakeError(absl::StatusCode::kResourceExhausted, "QUEUE_FULL",
                         "the memory for calls that wait is in use by others; try again later", "watchers",
                         core::kSecond);
}

void Wait(const std::shared_ptr<WaitCall>& call) {
  const v1::WaitRequest& request = call->request();
  absl::StatusOr<std::vector<core::HandleId>> ids = ReadIds(request.ids(), call->service_context());
  if (!ids.ok()) return call->Refuse(ids.status());
  const absl::StatusOr<core::Nanos> wait =
      ReadWait(request.has_wait_timeout(), request.wait_timeout(), call->service_context());
  if (!wait.ok()) return call->Refuse(wait.status());
  if (!v1::WaitMode_IsValid(request.mode())) {
    return call->Refuse(InvalidField("mode", absl::StrCat("mode: ", request.mode(), " is unknown")));
  }
  const auto mode = request.mode() == v1::WAIT_MODE_UNSPECIFIED ? core::WaitMode::kAllCompleted
                                                                : static_cast<core::WaitMode>(request.mode());
  base::Reservation memory(call->service_context().options.memory->watchers);
  if (!memory.Take(ids->size() * kWaitedBytes)) return call->Refuse(NoMemoryToWait());
  call->DropRequest();
  std::make_shared<Waiting>(call, *std::move(ids), mode, std::move(memory))->Begin(*wait);
}

}  // namespace

void AcceptWaits(QueueContext* queue_context) { WaitCall::Accept(queue_context, "Wait", Wait); }

}  // namespace poold::rpc
