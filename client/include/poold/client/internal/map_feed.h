// The way of a map's items from the caller's input to the connection. MapSource and Pulled are for users; the rest is
// not.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "poold/client/codec.h"
#include "poold/client/connection.h"
#include "poold/client/internal/deadline.h"

namespace poold::client {

// The answer of an input that was asked for an item.
enum class Pulled {
  // The item was written.
  kItem,
  // The input has ended; nothing was written.
  kEnd,
  // The input has no item now. A MapStream asks again after 20 ms.
  kNotYet,
};

// An input: writes the next item into the Payload. A status or an exception ends the input and is the outcome of the
// item that would have been next. Called in the thread that reads the stream.
using MapSource = std::function<absl::StatusOr<Pulled>(Payload*)>;

namespace internal {

// Items packed for one batch, one behind the other. Scalars are written in place, without a copy.
// Thread safety: none.
class ItemPack {
 public:
  // Whether the pack is as large as a request of the stream should be: 4096 items or 256 KiB.
  bool full() const { return item_bytes_.size() >= kMostItems || used_ >= kMostBytes; }
  bool empty() const { return item_bytes_.empty(); }
  // Adds one item, the call's arguments. Throws codec::TooLong, and what the conversion throws; the pack is unchanged
  // then.
  template <typename... Args>
  void Add(const Args&... args);
  // Removes the items and keeps the memory.
  void Clear() {
    item_bytes_.clear();
    used_ = 0;
  }
  // The length of each item in bytes. Valid until the next Add or Clear.
  std::span<const std::uint32_t> item_bytes() const { return item_bytes_; }
  // The items. Valid until the next Add or Clear.
  std::string_view items() const { return std::string_view(items_).substr(0, used_); }
  // The encoding and the message's name of the first item.
  Encoding encoding() const { return first_.encoding; }
  std::string_view type_name() const { return first_.type_name; }

 private:
  static constexpr std::size_t kMostItems = 4096;
  static constexpr std::size_t kMostBytes = 256 << 10;

  template <typename... Args>
  void AddScalars(const Args&... args);
  void Added(std::size_t end) {
    item_bytes_.push_back(codec::Length(end - used_));
    used_ = end;
  }

  std::vector<std::uint32_t> item_bytes_;
  // The bytes behind `used_` have no meaning: room, or half an item whose input threw.
  std::string items_;
  std::size_t used_ = 0;
  Payload first_{.encoding = Encoding::kMsgpack};
  Payload other_;
};

// Fills a pack. kItem: the pack is full; kEnd: the pack has the rest. A status or an exception is as with MapSource.
using PackSource = std::function<absl::StatusOr<Pulled>(ItemPack*)>;

// Opens a map and sends all items of `source`, in large batches. Blocks for room. Never fails: refusals come through
// the map.
MapRef SendAll(Connection& connection, std::string_view pool, std::string_view function, const MapOptions& options,
               const PackSource& source);

// Asks the source once. An error becomes kEnd and an outcome in `failure`.
Pulled PullFrom(const MapSource& source, Payload* item, Outcome* failure);

// Role: feeds a streamed map: keeps at most buffer_size items sent and not handed out, and reads the input only for
//   those. Thread-compatible.
class StreamFeed {
 public:
  StreamFeed(std::shared_ptr<Connection> connection, std::string pool, std::string function, MapOptions options,
             MapSource source);

  // As MapRef::Next; MAP_TIMEOUT when MapOptions::timeout has passed.
  absl::StatusOr<std::optional<ItemView>> Next(Duration timeout);
  // The map; refers to nothing until the first item was read.
  const MapRef& map() const { return map_; }
  // Items that were read from the input.
  std::uint64_t pulled() const { return pulled_; }

 private:
  // kSlow: the last item took more than 1 ms. kNothingNow: the source said kNotYet. kOver: the input has ended or
  // nothing more is wanted.
  enum class Input { kReady, kSlow, kNothingNow, kOver };

  // Items that may be read before more are handed out.
  std::uint64_t room() const { return most_ - (pulled_ - handed_out_); }
  void Refill();
  Input PullOne();
  void Open(const Payload& first);
  void End(const Outcome* failure);
  absl::StatusOr<std::optional<ItemView>> AwaitItem(const Deadline& deadline);

  const std::shared_ptr<Connection> connection_;
  const std::string pool_;
  const std::string function_;
  const MapOptions options_;
  // buffer_size, at least 1.
  const std::uint64_t most_;
  // The end of MapOptions::timeout.
  const Deadline whole_;
  MapSource source_;
  MapRef map_;
  ItemCursor cursor_;
  Input input_ = Input::kReady;
  std::uint64_t pulled_ = 0;
  std::uint64_t handed_out_ = 0;
};

template <typename... Args>
void ItemPack::Add(const Args&... args) {
  if constexpr (sizeof...(Args) <= 15 && (codec::kIsScalar<codec::Plain<Args>> && ...)) {
    AddScalars(args...);
  } else {
    Payload* const payload = empty() ? &first_ : &other_;
    EncodeArguments(payload, args...);
    items_.resize(used_);
    items_.append(payload->data);
    Added(items_.size());
  }
}

template <typename... Args>
void ItemPack::AddScalars(const Args&... args) {
  const std::size_t room = 1 + sizeof...(Args) * codec::kScalarBytes;
  if (items_.size() - used_ < room) items_.resize(std::max(64 * room, 2 * items_.size()));
  char* at = items_.data() + used_;
  *at++ = static_cast<char>(0x90 + sizeof...(Args));
  ((at = codec::WriteScalar(at, args)), ...);
  Added(static_cast<std::size_t>(at - items_.data()));
}

}  // namespace internal
}  // namespace poold::client
