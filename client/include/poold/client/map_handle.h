// MapHandle<R>: the results of a map.
#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "poold/client/codec.h"
#include "poold/client/internal/deadline.h"
#include "poold/client/internal/map_ref.h"
#include "poold/client/options.h"

namespace poold::client {

// One item of a map: its place among the arguments, and how it ended.
template <typename R>
struct MapItem {
  std::uint64_t index = 0;
  Result<R> result{};
  // Everything that is known of its end, where it is not a plain success.
  std::optional<v1::Outcome> outcome{};
};

// The client's reference to a map: one function over many items.
//
// Purpose: walk the results in order or as they come about, one bad item losing nothing else; or take them all.
// Performance: items travel packed, about as cheap as their bytes. Results stay in this process until the last copy of
//   the handle goes (the daemon drops them as they are read), so a map may be walked twice.
// Thread safety: as an int. Every walk (begin(), a Reader) has a place of its own.
// Errors: each item has a status of its own (as TaskHandle::Get); Get() is the first one in order of index that did not
//   succeed, and names it. DEADLINE_EXCEEDED with reason WAIT_TIMEOUT consumes nothing.
// Lifetime: when the last copy of the handle of an unfinished map goes, what has not begun is CANCELLED (as a dropped
//   Executor.map iterator does it in Python), unless Keep or ToString was called.
// Example:
//   for (const MapItem<int>& item : pool.Map<int>("square", std::views::iota(0, 1000)))
//     if (item.result.ok()) sum += *item.result;
template <typename R>
class MapHandle {
 public:
  MapHandle() = default;
  MapHandle(internal::MapRef map, MapOrder order, Duration whole = kForever)
      : map_(std::move(map)), order_(order), whole_(whole) {}

  class Iterator;

  // A walk. Reading blocks until the next item is there.
  class Reader {
   public:
    Reader(internal::MapRef map, MapOrder order, internal::Deadline whole)
        : map_(std::move(map)), order_(order), whole_(whole) {}
    // Nothing: the end. The status is WAIT_TIMEOUT (call again), MAP_TIMEOUT, HANDLE_LOST or the daemon's refusal of
    // the map.
    absl::StatusOr<std::optional<MapItem<R>>> Next(Duration timeout = kForever) {
      std::optional<MapItem<R>> item;
      if (absl::Status status = Advance(&item, timeout); !status.ok()) return status;
      return item;
    }

   private:
    friend class Iterator;
    friend class MapHandle;
    // The way of nearly all numbers: over the one before it. False: nothing happened, Advance knows more.
    bool StepNumber(MapItem<R>* item) {
      if constexpr (codec::kIsScalar<R>) {
        std::uint64_t index = 0;
        std::string_view result;
        if (!item->result.ok() || item->outcome || !internal::PeekPlain(cursor_, order_, &index, &result)) return false;
        R value{};
        if (!codec::ReadOnly(result, &value)) return false;
        item->index = index;
        *item->result = value;
        internal::Skip(&cursor_, order_);
        return true;
      }
      return false;
    }
    absl::Status Advance(std::optional<MapItem<R>>* item, Duration timeout) {
      internal::ItemView view;
      if (!internal::StepInBlock(&cursor_, order_, &view)) {
        auto next = map_.NextWithin(&cursor_, order_, timeout, whole_);
        if (!next.ok()) return next.status();
        if (!next->has_value()) {
          item->reset();
          return absl::OkStatus();
        }
        view = **next;
      }
      if (!item->has_value()) item->emplace();
      Fill(map_, view, &**item);
      return absl::OkStatus();
    }

    internal::MapRef map_;
    MapOrder order_;
    internal::Deadline whole_;
    internal::ItemCursor cursor_;
  };

  // For range-for. A map that was refused or is lost yields one last item with that status.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = MapItem<R>;
    using difference_type = std::ptrdiff_t;
    using pointer = const value_type*;
    using reference = const value_type&;

    Iterator() = default;
    explicit Iterator(Reader reader) : reader_(std::move(reader)) { ++*this; }
    reference operator*() const { return *item_; }
    pointer operator->() const { return &*item_; }
    Iterator& operator++() {
      if (item_ && !failed_ && reader_->StepNumber(&*item_)) {
        ++next_index_;
        return *this;
      }
      return Step();
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& a, std::default_sentinel_t) { return !a.item_.has_value(); }

   private:
    Iterator& Step() {
      if (failed_) {
        item_.reset();
        return *this;
      }
      absl::Status status = reader_->Advance(&item_, kForever);
      failed_ = !status.ok();
      if (failed_) {
        item_.emplace(MapItem<R>{.index = next_index_, .result = std::move(status), .outcome = std::nullopt});
      }
      ++next_index_;
      return *this;
    }

    std::optional<Reader> reader_;
    std::optional<MapItem<R>> item_;
    std::uint64_t next_index_ = 0;
    bool failed_ = false;
  };

  Reader Read() const { return Reader(map_, order_, whole_); }
  Reader Read(MapOrder order) const { return Reader(map_, order, whole_); }
  Iterator begin() const { return Iterator(Read()); }
  std::default_sentinel_t end() const { return {}; }

  // All results in the order of the items, or the first failure by index.
  auto Get(Duration timeout = kForever) const {
    if constexpr (std::is_void_v<R>) {
      return Check(timeout);
    } else {
      return Collect(timeout);
    }
  }
  bool Wait(Duration timeout = kForever) const { return map_.Wait(timeout); }
  bool done() const { return map_.done(); }
  bool lost() const { return map_.lost(); }
  // As far as it has come to this client.
  v1::MapProgress progress() const { return map_.Progress(); }
  // What has not begun ends CANCELLED. True: nothing else is left; false: items that run now go on (unless `running`).
  absl::StatusOr<bool> Cancel(bool running = false) const { return map_.Cancel(running); }
  // As TaskHandle::CancelSoon.
  void CancelSoon(bool running = true) const { map_.CancelSoon(running); }
  // As TaskHandle::OnProgress; each tells its item.
  void OnProgress(ProgressCallback callback) const { map_.OnProgress(std::move(callback)); }
  // As TaskHandle::OnDone.
  void OnDone(std::function<void(const MapHandle&)> callback) const {
    map_.OnDone([callback = std::move(callback), order = order_](internal::MapRef map) {
      callback(MapHandle(std::move(map), order));
    });
  }
  HandleId id() const { return map_.id(); }
  // As TaskHandle::ToString; also detaches. Items that this client had before may be missing for others, where they are
  // more than some kilobytes: of a large map that others are to have, call it at once.
  std::string ToString() const { return map_.ToString(); }
  void Keep() const { map_.Keep(); }
  const internal::MapRef& ref() const { return map_; }

  // For MapStream.
  static MapItem<R> Make(const internal::MapRef& map, const internal::ItemView& view) {
    MapItem<R> item;
    Fill(map, view, &item);
    return item;
  }

 private:
  static void Fill(const internal::MapRef& map, const internal::ItemView& view, MapItem<R>* item) {
    item->index = view.index;
    if (view.other == nullptr) {
      item->result = internal::DecodeResult<R>([&map] { return map.function(); }, view.result);
      item->outcome.reset();
    } else {
      item->result = FromOutcome(map, view);
      item->outcome = *view.other;
    }
  }
  static Result<R> FromOutcome(const internal::MapRef& map, const internal::ItemView& view) {
    absl::Status status = internal::ItemStatus(map.function(), view.index, *view.other);
    if (!status.ok()) return status;
    if constexpr (std::is_same_v<R, SharedBytes>) {
      absl::StatusOr<internal::OwnedResult> owned = map.Own(view.index, *view.other);
      if (!owned.ok()) return owned.status();
      return internal::DecodeOwned([&map] { return map.function(); }, *std::move(owned));
    }
    auto payload = map.Download(view.index, *view.other);
    if (!payload.ok()) return payload.status();
    return internal::DecodeResult<R>([&map] { return map.function(); },
                                     {payload->encoding, payload->type_name, payload->data});
  }
  template <typename Take>
  absl::Status Walk(Duration timeout, Take take) const {
    internal::Deadline deadline(timeout);
    Reader reader(map_, MapOrder::kInOrder, whole_);
    std::optional<MapItem<R>> item;
    while (true) {
      if (!item || !reader.StepNumber(&*item)) {
        if (absl::Status advanced = reader.Advance(&item, deadline.left()); !advanced.ok()) return advanced;
        if (!item) return absl::OkStatus();
      }
      if (absl::Status taken = take(*item); !taken.ok()) return taken;
    }
  }
  absl::Status Check(Duration timeout) const {
    return Walk(timeout, [](MapItem<R>& item) { return item.result; });
  }
  auto Collect(Duration timeout) const {
    using Values = std::vector<std::conditional_t<std::is_void_v<R>, char, R>>;
    Values values;
    absl::Status walked = Walk(timeout, [&values](auto& item) -> absl::Status {
      if (!item.result.ok()) return item.result.status();
      values.push_back(*std::move(item.result));
      return absl::OkStatus();
    });
    return walked.ok() ? absl::StatusOr<Values>(std::move(values)) : absl::StatusOr<Values>(walked);
  }

  internal::MapRef map_;
  MapOrder order_ = MapOrder::kInOrder;
  internal::Deadline whole_{kForever};
};

}  // namespace poold::client
