// Calls with one request and many answers: GetItems, Watch, Download.
#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/calls.h"
#include "api/convert.h"
#include "api/errors.h"
#include "api/item_outcomes.h"
#include "api/validate.h"
#include "api/watch_queue.h"
#include "base/payload_file.h"
#include "engine/watch.h"

namespace poold::api {
namespace {

constexpr std::size_t kFragmentBytes = 512 << 10;

// A source that the core fills. Lives in the table of subscribers and in the call; knows the call weakly.
template <typename Call, typename Response>
class SubscribedSource : public Source<Response>, public engine::Subscriber {
 public:
  explicit SubscribedSource(const std::shared_ptr<Call>& call) : call_(call) {}
  void Flush() override {
    if (const std::shared_ptr<Call> call = call_.lock()) call->Pump();
  }
  void EndCall() {
    if (const std::shared_ptr<Call> call = call_.lock()) call->End(absl::OkStatus());
  }

 private:
  const std::weak_ptr<Call> call_;
};

// Starts the call with `source` and subscribes the source: `subscribe(out)` names in `out` where it did.
template <typename CallType, typename SourceType, typename Subscribe>
void StartSubscribed(const std::shared_ptr<CallType>& call, const std::shared_ptr<SourceType>& source,
                     Subscribe subscribe) {
  const auto subscription = std::make_shared<engine::Subscription>();  // of the call's thread
  call->Start(source, [subscription] { subscription->Drop(); });
  const absl::Status status = subscribe(subscription.get());
  if (!status.ok()) call->End(IsUnknownName(status) ? WithSuggestion(status, call->service()) : status);
}

// ---- GetItems ----

class ItemsOfMap final : public SubscribedSource<GetItemsCall, v1::GetItemsResponse> {
 public:
  ItemsOfMap(const std::shared_ptr<GetItemsCall>& call, const v1::GetItemsRequest& request,
             const ServiceContext& context)
      : SubscribedSource(call),
        items_(request.first_index(), request.as_completed(), context.options.max_inline_result_bytes, *context.clock,
               context.client_names) {}
  void OnItems(core::HandleId, core::ItemBlockPtr items) override { items_.Add(std::move(items)); }
  void OnMapEnd(const core::MapView& map) override { items_.AddEnd(map); }
  bool Fill(v1::GetItemsResponse* message) override {
    const bool filled = items_.Fill(message);
    if (message->has_end()) EndCall();
    return filled;
  }

 private:
  ItemSource items_;
};

}  // namespace

void GetItems(const std::shared_ptr<GetItemsCall>& call) {
  const v1::GetItemsRequest& request = call->request();
  const absl::StatusOr<core::HandleId> id = ReadId(request.id(), "id");
  if (!id.ok()) return call->End(id.status());
  const auto source = std::make_shared<ItemsOfMap>(call, request, call->service());
  const std::uint64_t first = request.first_index();
  const auto subscribe = [&](core::Core& core, core::Nanos now, core::SubscriberId me) -> absl::Status {
    const absl::StatusOr<core::HandleView> handle = core.ViewHandle(*id);
    if (!handle.ok()) return handle.status();
    if (std::holds_alternative<core::MapView>(*handle)) return core.OnSubscribe(now, me, *id, first);
    return InvalidField("id", "id: this is the handle of a task, which has an outcome and no items");
  };
  StartSubscribed(call, source, [&](engine::Subscription* out) {
    return call->service().engine.SubscribeAtHandle(*id, source, out, subscribe);
  });
}

namespace {

// ---- Watch ----

class WatchedEvents final : public SubscribedSource<WatchCall, v1::WatchResponse>,
                            public std::enable_shared_from_this<WatchedEvents> {
 public:
  WatchedEvents(const std::shared_ptr<WatchCall>& call, const ServiceContext& context, engine::Watched watched)
      : SubscribedSource(call),
        call_(call),
        open_(watched.cores()),
        queue_(context.options.max_waiting_output_bytes, context.watch_room, *context.clock, context.client_names),
        watched_(std::move(watched)) {}
  void OnEvent(core::WatchEvent event) override { queue_.Add(std::move(event)); }
  void OnEndWatch() override {
    if (--open_ == 0) queue_.End();
  }
  void Flush() override {
    queue_.DropLost();
    SubscribedSource::Flush();
  }
  bool Fill(v1::WatchResponse* message) override {
    if (queue_.Next(message)) {
      if (message->has_resync()) restart_ = true;
      return true;
    }
    const bool asked = asked_;
    if (restart_ || more_) {
      AskForStates();
    } else if (!asked && queue_.over()) {
      EndCall();
    }
    return false;
  }

 private:
  // A page when all before it was sent. Not from here: who fills may not enter a core.
  void AskForStates() {
    const std::shared_ptr<WatchCall> call = call_.lock();
    if (call == nullptr || asked_.exchange(true)) return;
    call->Post([self = std::static_pointer_cast<WatchedEvents>(shared_from_this())] { self->AddStates(); });
  }
  // By the call's thread.
  void AddStates() {
    const std::shared_ptr<WatchCall> call = call_.lock();
    if (call == nullptr) return;
    queue_.DropLost();  // before states are told anew: what was lost has their room
    if (restart_.exchange(false)) watched_.Restart();
    more_ = watched_.AddStates([this](core::WatchEvent state) { queue_.Add(std::move(state)); });
    asked_ = false;
    call->Pump();
  }

  const std::weak_ptr<WatchCall> call_;
  std::atomic<std::size_t> open_;
  WatchQueue queue_;
  engine::Watched watched_;            // of the call's thread
  std::atomic<bool> restart_ = false;  // the states are to be told from the first one on
  std::atomic<bool> more_ = false;     // and go on
  std::atomic<bool> asked_ = false;    // the call's thread is to add some
};

absl::StatusOr<std::vector<core::HandleId>> ReadWatched(const v1::WatchRequest& request,
                                                        const ServiceContext& context) {
  if (request.ids().empty() == request.pool().empty()) {
    return InvalidField("ids", "ids: watch either handles or a pool; give one of the two");
  }
  if (!request.pool().empty()) {
    const absl::Status status = CheckPoolName(request.pool(), "pool");
    if (!status.ok()) return status;
  }
  if (request.ids_size() > static_cast<int>(context.options.max_items_per_call)) {
    return TooMany(
        "ids", absl::StrCat("ids: ", request.ids_size(), " in one call; at most ", context.options.max_items_per_call));
  }
  std::vector<core::HandleId> ids;
  for (int i = 0; i < request.ids_size(); ++i) {
    const absl::StatusOr<core::HandleId> id = ReadId(request.ids(i), absl::StrCat("ids[", i, "]"));
    if (!id.ok()) return id.status();
    ids.push_back(*id);
  }
  return ids;
}

}  // namespace

void Watch(const std::shared_ptr<WatchCall>& call) {
  const v1::WatchRequest& request = call->request();
  const absl::StatusOr<std::vector<core::HandleId>> ids = ReadWatched(request, call->service());
  if (!ids.ok()) return call->End(ids.status());
  const ServiceContext& context = call->service();
  const engine::Watched watched(context.engine, *ids, request.pool());
  const bool output = request.output();
  const auto source = std::make_shared<WatchedEvents>(call, context, watched);
  StartSubscribed(call, source, [&](engine::Subscription* out) { return watched.Subscribe(source, output, out); });
}

namespace {

// ---- Download ----

class Fragments final : public Source<v1::DownloadResponse> {
 public:
  Fragments(const std::shared_ptr<DownloadCall>& call, core::Payload payload, std::size_t begin)
      : call_(call), payload_(std::move(payload)), at_(begin) {}
  bool Fill(v1::DownloadResponse* message) override {
    const core::Bytes& bytes = payload_.data;
    if (at_ == bytes.size() && described_) return End(absl::OkStatus());
    if (!std::exchange(described_, true)) WritePayload(payload_, kNoResultData, message->mutable_payload());
    const std::size_t size = std::min(kFragmentBytes, bytes.size() - at_);
    if (absl::Status read = Read(at_, size, message->mutable_fragment()); !read.ok()) return End(read);
    at_ += size;
    return true;
  }

 private:
  bool End(const absl::Status& status) {
    if (const std::shared_ptr<DownloadCall> call = call_.lock()) call->End(status);
    return false;
  }
  // What lies in a file is read from there: touched memory of it would count as ours.
  absl::Status Read(std::size_t begin, std::size_t bytes, std::string* out) const {
    const std::string_view part = payload_.data.view().substr(begin, bytes);
    const base::FilePart in_file = base::PartBehind(payload_.data.owner(), part);
    if (in_file.file == nullptr) {
      out->assign(part);
      return absl::OkStatus();
    }
    out->resize(bytes);
    return in_file.file->Read(in_file.offset, out->data(), bytes);
  }

  const std::weak_ptr<DownloadCall> call_;
  const core::Payload payload_;
  std::size_t at_;
  bool described_ = false;
};

}  // namespace

void Download(const std::shared_ptr<DownloadCall>& call) {
  const v1::DownloadRequest& request = call->request();
  const absl::StatusOr<core::HandleId> id = ReadId(request.id(), "id");
  if (!id.ok()) return call->End(id.status());
  absl::StatusOr<core::Payload> payload = call->service().engine.AtHandle(*id, [&](core::Core& core, core::Nanos) {
    return request.arguments() ? core.ViewArguments(*id, request.index()) : core.ViewResult(*id, request.index());
  });
  if (!payload.ok()) return call->End(payload.status());
  const std::size_t size = payload->data.size();
  if (request.offset_bytes() > size) {
    return call->End(InvalidField("offset_bytes", absl::StrCat("offset_bytes: ", request.offset_bytes(),
                                                               " lies behind the end; there are ", size, " bytes")));
  }
  call->Start(std::make_shared<Fragments>(call, *std::move(payload), request.offset_bytes()), nullptr);
}

}  // namespace poold::api
