#include <memory>
#include <string>
#include <utility>

#include "api/convert.h"
#include "give_up.h"
#include "meter.h"
#include "parts.h"
#include "session/request_decoder.h"
#include "session/response_encoder.h"

namespace poold::cost {
namespace {

constexpr std::uint32_t kSessionBatch = 64;
constexpr std::uint32_t kSessionItems = 1024;
constexpr std::uint32_t kMessages = 150;
constexpr std::uint32_t kBytes = 8;
constexpr core::HandleId kMap{8, 1};

// Always the same moment.
class StoppedClock final : public base::Clock {
 public:
  std::int64_t Now() const override { return core::kSecond; }
  std::int64_t WallNow() const override { return 1'700'000'000 * core::kSecond; }
};

v1::SessionRequest Hello() {
  v1::SessionRequest request;
  request.mutable_hello()->set_client_id(std::string(16, 'c'));
  return request;
}

v1::SessionRequest Tasks() {
  v1::SessionRequest request;
  v1::TaskGroup& group = *request.add_submit();
  group.set_pool("p");
  group.set_function("f");
  group.set_id_high(7);
  group.set_first_id_low(1);
  group.set_encoding(v1::ENCODING_MSGPACK);
  for (std::uint32_t i = 0; i < kSessionBatch; ++i) group.add_args_bytes(kBytes);
  group.set_args(std::string(kSessionBatch * kBytes, 'x'));
  return request;
}

v1::SessionRequest Items() {
  v1::SessionRequest request;
  v1::MapGroup& group = *request.add_map();
  group.set_pool("p");
  group.set_function("f");
  group.set_id(api::IdBytes(kMap));
  group.set_encoding(v1::ENCODING_MSGPACK);
  for (std::uint32_t i = 0; i < kSessionItems; ++i) group.add_item_bytes(kBytes);
  group.set_items(std::string(kSessionItems * kBytes, 'x'));
  return request;
}

// A stream's messages on their way in, from their bytes on: into the same message, as gRPC does.
void PlayRequests(const char* part, const v1::SessionRequest& message, std::uint32_t units) {
  const api::ServiceOptions options;
  api::UploadStore uploads(options.max_upload_bytes, options.upload_ttl);
  session::RequestDecoder intake(options, &uploads);
  v1::SessionRequest request = Hello();
  if (!intake.Read(&request).ok()) GiveUp("a hello was refused");
  const std::string bytes = message.SerializeAsString();
  const auto take = [&] {
    if (!request.ParseFromString(bytes) || !intake.Read(&request).ok()) GiveUp("a request was refused");
  };
  for (std::uint32_t i = 0; i < kMessages / 10; ++i) take();
  Meter meter(part);
  for (std::uint32_t i = 0; i < kMessages; ++i) meter.Count(units, take);
}

core::ItemBlockPtr Block() {
  auto block = std::make_shared<core::ItemBlock>();
  block->encoding = core::Encoding::kMsgpack;
  block->result_bytes.assign(kSessionItems, kBytes);
  block->results.assign(kSessionItems * kBytes, 'y');
  return block;
}

// A stream's messages on their way out, until they are bytes. `add`: what the core has said since the last one.
template <typename Add>
void PlayResponses(const char* part, std::uint32_t units, Add add) {
  const api::ServiceOptions options;
  const StoppedClock clock;
  const engine::ClientNames names;
  const std::atomic<std::uint32_t> short_rooms = 0;
  session::ResponseEncoder outbox(options, clock, names, short_rooms);
  v1::SessionResponse response;
  std::string bytes;
  const auto give = [&] {
    add(outbox);
    if (!outbox.Fill(&response) || !response.SerializeToString(&bytes) || outbox.waiting() > 0) GiveUp("no response");
  };
  for (std::uint32_t i = 0; i < kMessages / 10; ++i) give();
  Meter meter(part);
  for (std::uint32_t i = 0; i < kMessages; ++i) meter.Count(units, give);
}

}  // namespace

void PlayTaskRequests() { PlayRequests("session: a task submitted", Tasks(), kSessionBatch); }
void PlayMapRequests() { PlayRequests("session: an item submitted", Items(), kSessionItems); }

void PlayTaskResponses() {
  const core::Bytes result(std::string(kBytes, 'y'));
  PlayResponses("session: a task's outcome sent", kSessionBatch, [&](session::ResponseEncoder& outbox) {
    for (std::uint32_t i = 0; i < kSessionBatch; ++i) outbox.AddSuccess({7, i}, {core::Encoding::kMsgpack, result});
  });
}

void PlayMapResponses() {
  const core::ItemBlockPtr block = Block();
  PlayResponses("session: an item's outcome sent", kSessionItems,
                [&](session::ResponseEncoder& outbox) { outbox.AddItems(kMap, block); });
}

}  // namespace poold::cost
