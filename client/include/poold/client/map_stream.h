// MapStream<R>: a map over an input that need not end.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "poold/client/internal/map_feed.h"
#include "poold/client/map_handle.h"

namespace poold::client {

// The results of a map whose input is read as the results are taken.
//
// Purpose: what Pool.imap and Executor.map(buffersize) are for: inputs that are long, slow, or endless. At most
//   MapOptions::buffer_size items are outstanding: read from the input and not yet handed out here.
// Performance: items that become ready together travel together. Memory here and in the daemon is that of the
//   outstanding items: what was handed out is forgotten on both sides.
// Thread safety: none: one thread reads. The input is read in that thread, inside Next. An input that blocks holds Next
//   up also when results have come meanwhile; a source that can say Pulled::kNotYet (Pool::MapStreamFrom) does not.
// Errors: each item has its own status, as with MapHandle. An input that throws (or returns a status) ends the input:
//   what it threw is the outcome of the item that would have been next, TASK_FAILED without a backtrace. A queue that
//   is full is waited for. MAP_TIMEOUT: MapOptions::timeout has passed; what is left is cancelled.
// Lifetime: when it goes, what has not begun is CANCELLED. An input given by name must outlive it.
// Example:
//   for (const auto& item : pool.MapStream<int>("square", std::views::iota(0), {.buffer_size = 100}))
//     if (*item.result > 1'000'000) break;
template <typename R>
class MapStream {
 public:
  explicit MapStream(std::unique_ptr<internal::StreamFeed> feed) : feed_(std::move(feed)) {}

  // Nothing: the end. WAIT_TIMEOUT: call again; nothing is lost.
  absl::StatusOr<std::optional<MapItem<R>>> Next(Duration timeout = kForever) {
    auto view = feed_->Next(timeout);
    if (!view.ok()) return view.status();
    if (!view->has_value()) return std::optional<MapItem<R>>();
    return std::optional<MapItem<R>>(MapHandle<R>::Make(feed_->map(), **view));
  }

  // For range-for. An error that ends the stream is one last item.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = MapItem<R>;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(MapStream* stream) : stream_(stream) { ++*this; }
    const MapItem<R>& operator*() const { return *item_; }
    const MapItem<R>* operator->() const { return &*item_; }
    Iterator& operator++() {
      const std::uint64_t index = item_ ? item_->index + 1 : 0;
      item_.reset();
      if (failed_) return *this;
      auto next = stream_->Next();
      failed_ = !next.ok();
      if (failed_) {
        item_.emplace(MapItem<R>{.index = index, .result = next.status(), .outcome = std::nullopt});
      } else {
        item_ = *std::move(next);
      }
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& a, std::default_sentinel_t) { return !a.item_.has_value(); }

   private:
    MapStream* stream_;
    std::optional<MapItem<R>> item_;
    bool failed_ = false;
  };
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

  // What has not begun ends CANCELLED, and with `running` what runs is stopped; the stream goes on to its end. Nothing
  // more is read once that is known.
  void Cancel(bool running = false) { feed_->map().CancelSoon(running); }
  // Items that were read from the input.
  std::uint64_t pulled() const { return feed_->pulled(); }
  v1::MapProgress progress() const { return feed_->map().Progress(); }

 private:
  std::unique_ptr<internal::StreamFeed> feed_;
};

}  // namespace poold::client
