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

// One item of a map and its end. A plain value.
template <typename R>
struct MapItem {
  // The item's place among the arguments, from 0.
  std::uint64_t index = 0;
  // The result, or how the item ended otherwise, as TaskHandle::Get.
  Result<R> result{};
  // Everything that is known of the end; unset for a compact success.
  std::optional<Outcome> outcome{};
};

// The client's reference to a map: one function over many items.
//
// Purpose: walk the results in order or as they are completed, where one bad item loses nothing else; or take all
//   results at once.
// Performance: items travel packed and cost about as much as their bytes. Results stay in this process until the last
//   copy of the handle is destroyed (the daemon drops results that were read), so a map may be walked twice.
// Thread safety: as an int. Every walk (begin(), a Reader) has a place of its own.
// Errors: each item has its own status (as TaskHandle::Get). Get() fails with the first item by index that did not
//   succeed, and names the item. DEADLINE_EXCEEDED (WAIT_TIMEOUT) consumes nothing; an output callback must not wait
//   and gets WAIT_TIMEOUT at once.
// Lifetime: when the last copy of the handle of an unfinished map is destroyed, items that have not begun are CANCELLED
//   (as with a dropped Executor.map iterator in Python), unless Keep or ToString was called.
// Example:
//   for (const MapItem<int>& item : pool.Map<int>("square", std::views::iota(0, 1000)))
//     if (item.result.ok()) sum += *item.result;
template <typename R>
class MapHandle {
 public:
  // Refers to no map: done() is true, Get answers FAILED_PRECONDITION.
  MapHandle() = default;
  // Wraps a reference, for Pool and mocks. `whole` is what is left of MapOptions::timeout.
  MapHandle(internal::MapRef map, MapOrder order, Duration whole = kForever)
      : map_(std::move(map)), order_(order), whole_(whole) {}

  class Iterator;

  // A walk over the items. Thread-compatible.
  class Reader {
   public:
    Reader(internal::MapRef map, MapOrder order, internal::Deadline whole)
        : map_(std::move(map)), order_(order), whole_(whole) {}
    // Returns the next item; nothing: the end. Blocks for at most `timeout`.
    // Answers: DEADLINE_EXCEEDED (WAIT_TIMEOUT: call again; MAP_TIMEOUT: MapOptions::timeout has passed, the rest is
    //   cancelled), UNAVAILABLE (HANDLE_LOST), FAILED_PRECONDITION (FORKED, WOULD_DEADLOCK), or the daemon's refusal of
    //   the map.
    absl::StatusOr<std::optional<MapItem<R>>> Next(Duration timeout = kForever) {
      std::optional<MapItem<R>> item;
      if (absl::Status status = Advance(&item, timeout); !status.ok()) return status;
      return item;
    }

   private:
    friend class Iterator;
    friend class MapHandle;
    // The fast path for numbers: writes the next item over the one before. False: nothing happened, call Advance.
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

  // The iterator of a range-for. A map that was refused, is lost or ran out of time yields one last item with that
  // status.
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

  // Begins a walk in the handle's order.
  Reader Read() const { return Reader(map_, order_, whole_); }
  // Begins a walk in another order.
  Reader Read(MapOrder order) const { return Reader(map_, order, whole_); }
  // Begins a walk for a range-for; each step blocks until the next item is there.
  Iterator begin() const { return Iterator(Read()); }
  std::default_sentinel_t end() const { return {}; }

  // Returns all results in the order of the items: absl::StatusOr<std::vector<R>>, or absl::Status for void. Blocks for
  // at most `timeout`; repeating is safe. Errors: the first item by index that did not succeed, or as Reader::Next.
  // Example:
  //   absl::StatusOr<std::vector<int>> squares = pool.Map<int>("square", std::views::iota(0, 10)).Get();
  //   if (!squares.ok()) return Fail(squares.status());
  auto Get(Duration timeout = kForever) const {
    if constexpr (std::is_void_v<R>) {
      return Check(timeout);
    } else {
      return Collect(timeout);
    }
  }
  // Blocks for at most `timeout`. True: the map has ended, was refused, or is lost.
  bool Wait(Duration timeout = kForever) const { return map_.Wait(timeout); }
  // Whether the map has ended, was refused, or is lost. Does not ask the daemon.
  bool done() const { return map_.done(); }
  // Whether the daemon was restarted and does not know the map.
  bool lost() const { return map_.lost(); }
  // The progress as far as this client knows it. Does not ask the daemon.
  MapProgress progress() const { return map_.Progress(); }
  // Cancels the items that have not begun, and with `running` stops those that run. True: every unfinished item is, or
  // will be, CANCELLED. False: some items run on, or the map has ended already. Blocks for a flush and one call;
  // repeating is safe. Errors as TaskHandle::Cancel.
  absl::StatusOr<bool> Cancel(bool running = false) const { return map_.Cancel(running); }
  // As TaskHandle::CancelSoon.
  void CancelSoon(bool running = true) const { map_.CancelSoon(running); }
  // As TaskHandle::OnProgress; each report tells its item.
  void OnProgress(ProgressCallback callback) const { map_.OnProgress(std::move(callback)); }
  // As TaskHandle::OnDone.
  void OnDone(std::function<void(const MapHandle&)> callback) const {
    map_.OnDone([callback = std::move(callback), order = order_](internal::MapRef map) {
      callback(MapHandle(std::move(map), order));
    });
  }
  // The map's id; all zeros for a handle of no map.
  HandleId id() const { return map_.id(); }
  // As TaskHandle::ToString: an unfinished map also goes on when this handle is destroyed. Others may miss items that
  // this client had before, where those are more than some kilobytes: for a large map that others take up, call
  // ToString at once.
  std::string ToString() const { return map_.ToString(); }
  // As TaskHandle::Keep: an unfinished map also goes on when this handle is destroyed.
  void Keep() const { map_.Keep(); }
  // For wait.h.
  const internal::MapRef& ref() const { return map_; }

  // For MapStream: decodes an item.
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
      item->outcome = internal::OutcomeOf(*view.other);
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
