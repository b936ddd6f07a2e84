// How the items of a map come from the caller's input to the connection. Not for users.
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

// What an input had to say when it was asked for an item.
enum class Pulled {
  kItem,
  kEnd,
  // Nothing now: it is asked again in a moment. (Of streamed maps.)
  kNotYet,
};

// An input: writes the next item. A status, or what it throws, ends the input and is the outcome of the item that would
// have been next.
using MapSource = std::function<absl::StatusOr<Pulled>(Payload*)>;

namespace internal {

// Items on their way into one batch, in their places: nothing is copied twice.
class ItemPack {
 public:
  // As large as a request of the stream.
  bool full() const { return item_bytes_.size() >= kMostItems || used_ >= kMostBytes; }
  bool empty() const { return item_bytes_.empty(); }
  template <typename... Args>
  void Add(const Args&... args);
  void Clear() {
    item_bytes_.clear();
    used_ = 0;
  }
  std::span<const std::uint32_t> item_bytes() const { return item_bytes_; }
  std::string_view items() const { return std::string_view(items_).substr(0, used_); }
  // Of its first item.
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
  // What lies behind `used_` is of no meaning: room, or half an item whose input threw.
  std::string items_;
  std::size_t used_ = 0;
  Payload first_{.encoding = v1::ENCODING_MSGPACK};
  Payload other_;
};

// Fills a pack up: kItem; or kEnd, then it has what was left. What ends it is as of MapSource.
using PackSource = std::function<absl::StatusOr<Pulled>(ItemPack*)>;

// Sends everything: large messages, one after the other.
MapRef SendAll(Connection& connection, std::string_view pool, std::string_view function, const MapOptions& options,
               const PackSource& source);

// Asks, and makes an outcome of what it throws.
Pulled PullFrom(const MapSource& source, Payload* item, v1::Outcome* failure);

// A streamed map: at most buffer_size items are sent and not handed out. Thread-compatible.
class StreamFeed {
 public:
  StreamFeed(std::shared_ptr<Connection> connection, std::string pool, std::string function, MapOptions options,
             MapSource source);

  // As MapRef::Next.
  absl::StatusOr<std::optional<ItemView>> Next(Duration timeout);
  const MapRef& map() const { return map_; }
  std::uint64_t pulled() const { return pulled_; }

 private:
  enum class Input { kReady, kSlow, kNothingNow, kOver };

  std::uint64_t room() const { return most_ - (pulled_ - handed_out_); }
  void Refill();
  Input PullOne();
  void Open(const Payload& first);
  void End(const v1::Outcome* failure);
  absl::StatusOr<std::optional<ItemView>> AwaitItem(const Deadline& deadline);

  const std::shared_ptr<Connection> connection_;
  const std::string pool_;
  const std::string function_;
  const MapOptions options_;
  const std::uint64_t most_;
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
