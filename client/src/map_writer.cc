#include "poold/client/internal/map_writer.h"

#include <utility>

namespace poold::client::internal {
namespace {

// As large as a request of the stream.
constexpr std::size_t kBatchItems = 4096;
constexpr std::size_t kBatchBytes = 256 << 10;

}  // namespace

MapWriter::MapWriter(std::shared_ptr<Connection> connection, std::string_view pool, std::string_view function,
                     MapOptions options)
    : connection_(std::move(connection)), pool_(pool), function_(function), options_(std::move(options)) {}

void MapWriter::Open(const Payload& first) {
  encoding_ = first.encoding;
  map_ = connection_->OpenMap({pool_, function_, first.encoding, first.type_name, &options_});
}

bool MapWriter::Add(const Payload& item) {
  if (!map_) Open(item);
  if (!wanted_) return false;
  item_bytes_.push_back(static_cast<std::uint32_t>(item.data.size()));
  items_.append(item.data);
  if (item_bytes_.size() < kBatchItems && items_.size() < kBatchBytes) return true;
  return Send(/*complete=*/false);
}

bool MapWriter::Send(bool complete) {
  wanted_ = connection_->AddItems(map_, {item_bytes_, items_, complete}).ok();
  item_bytes_.clear();
  items_.clear();
  return wanted_;
}

MapRef MapWriter::Finish() {
  if (!map_) Open({.encoding = v1::ENCODING_MSGPACK});
  if (wanted_) Send(/*complete=*/true);
  return std::move(map_);
}

}  // namespace poold::client::internal
