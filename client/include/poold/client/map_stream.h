// MapStream<R>: a map over an input that may be endless.
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

// The results of a map whose input is read while the results are taken.
//
// Purpose: inputs that are long, slow, or endless, as with Pool.imap and Executor.map(buffersize). At most
//   MapOptions::buffer_size items are outstanding: read from the input and not yet handed out by Next.
// Performance: items that become ready together travel together. Memory here and in the daemon is that of the
//   outstanding items: both sides forget items that were handed out.
// Thread safety: none: one thread reads. Next reads the input in that thread. An input that blocks holds Next up even
//   when results have come; a source that can say Pulled::kNotYet (Pool::MapStreamFrom) does not.
// Errors: each item has its own status, as with MapHandle. An input that throws (or returns a status) ends the input:
//   the exception is the outcome of the item that would have been next, TASK_FAILED without a backtrace. The stream
//   waits while the pool's queue is full. MAP_TIMEOUT: MapOptions::timeout has passed; items that have not begun are
//   cancelled.
// Lifetime: destroying the stream cancels the items that have not begun. An input that was passed by name must outlive
//   the stream.
// Example:
//   for (const auto& item : pool.MapStream<int>("square", std::views::iota(0), {.buffer_size = 100}))
//     if (*item.result > 1'000'000) break;
template <typename R>
class MapStream {
 public:
  // Pool makes streams: Pool::MapStream and its like.
  explicit MapStream(std::unique_ptr<internal::StreamFeed> feed) : feed_(std::move(feed)) {}

  // Returns the next item; nothing: the end. Blocks for at most `timeout` and the time that the input takes.
  // Answers: DEADLINE_EXCEEDED (WAIT_TIMEOUT: nothing is lost, call again; MAP_TIMEOUT), FAILED_PRECONDITION (in an
  //   output callback; FORKED), the daemon's refusal of the map, UNAVAILABLE (HANDLE_LOST).
  absl::StatusOr<std::optional<MapItem<R>>> Next(Duration timeout = kForever) {
    auto view = feed_->Next(timeout);
    if (!view.ok()) return view.status();
    if (!view->has_value()) return std::optional<MapItem<R>>();
    return std::optional<MapItem<R>>(MapHandle<R>::Make(feed_->map(), **view));
  }

  // The iterator of a range-for. An error that ends the stream is one last item with that status.
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
  // Begins where the stream stands. Blocks until the first item is there.
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

  // Cancels the items that have not begun, and with `running` stops those that run. Does not block; repeating is safe.
  // The stream goes on to its end and reads the input no more as soon as the map has ended.
  void Cancel(bool running = false) { feed_->map().CancelSoon(running); }
  // The number of items that were read from the input.
  std::uint64_t pulled() const { return feed_->pulled(); }
  // The progress as far as this client knows it. Does not ask the daemon.
  MapProgress progress() const { return feed_->map().Progress(); }

 private:
  std::unique_ptr<internal::StreamFeed> feed_;
};

}  // namespace poold::client
