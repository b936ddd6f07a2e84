// How the items of a map come from the caller's input to the connection. Not for users.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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

// Sends everything: large messages, one after the other.
MapRef SendAll(Connection& connection, std::string_view pool, std::string_view function, const MapOptions& options,
               const MapSource& source);

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

}  // namespace internal
}  // namespace poold::client
