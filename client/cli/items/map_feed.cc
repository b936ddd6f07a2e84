#include "cli/items/map_feed.h"

#include <utility>

namespace poold::cli {
namespace {

// As large as a request of the stream.
constexpr std::size_t kBatchItems = 4096;
constexpr std::size_t kBatchBytes = 256 << 10;

client::MapHandle<client::Payload> Open(const client::Pool& pool, const MapFeed::Shape& shape) {
  return client::MapHandle<client::Payload>(pool.connection()->OpenMap({.pool = pool.name(),
                                                                        .function = shape.function,
                                                                        .encoding = client::Encoding::kMsgpack,
                                                                        .type_name = "",
                                                                        .options = &shape.map}),
                                            shape.map.order);
}

}  // namespace

MapFeed::MapFeed(const client::Pool& pool, Shape shape, std::unique_ptr<ItemSource> source)
    : pool_(pool), shape_(std::move(shape)), source_(std::move(source)), handle_(Open(pool_, shape_)), thread_([this] {
        Run();
      }) {}

MapFeed::~MapFeed() {
  Stop();
  if (thread_.joinable()) thread_.join();
}

void MapFeed::Took() {
  absl::MutexLock lock(&mu_);
  ++taken_;
}

void MapFeed::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopped_ = true;
  }
  source_->Abandon();
}

absl::Status MapFeed::Finish() {
  if (thread_.joinable()) thread_.join();
  return status_;
}

bool MapFeed::AwaitRoom() {
  absl::MutexLock lock(&mu_);
  auto room = [this] {
    mu_.AssertReaderHeld();
    return stopped_ || read_ - taken_ < shape_.buffer;
  };
  mu_.Await(absl::Condition(&room));
  ++read_;
  return !stopped_;
}

void MapFeed::Run() {
  while (true) {
    // Whoever waits, for room or for input, leaves nothing behind.
    if (!AwaitRoom()) break;
    auto item = source_->Next();
    status_ = item.status();
    if (!item.ok() || !item->has_value()) break;
    if ((*item)->data.size() > UINT32_MAX) {
      status_ = absl::InvalidArgumentError("an item has 4 GiB or more, which cannot travel");
      break;
    }
    item_bytes_.push_back(static_cast<uint32_t>((*item)->data.size()));
    items_ += (*item)->data;
    const bool full = item_bytes_.size() >= kBatchItems || items_.size() >= kBatchBytes;
    if ((full || !source_->Ready() || Crowded()) && !Send(/*complete=*/false)) return;
  }
  Send(/*complete=*/true);
}

bool MapFeed::Crowded() {
  absl::MutexLock lock(&mu_);
  return read_ - taken_ >= shape_.buffer;
}

bool MapFeed::Send(bool complete) {
  const absl::Status sent = pool_.connection()->AddItems(handle_.ref(), {item_bytes_, items_, complete});
  item_bytes_.clear();
  items_.clear();
  return sent.ok();
}

}  // namespace poold::cli
