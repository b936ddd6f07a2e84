// Several ranges walked side by side, as Python's zip: the shortest range ends the walk. Not for users.
#pragma once

#include <memory>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "poold/client/codec.h"
#include "poold/client/internal/map_feed.h"

namespace poold::client::internal {

// One range. Refers to a range that was passed by name (REQUIRES: the range outlives the column) and owns one that was
// moved in. The walk begins with the first Advance.
template <typename Range>
class Column {
 public:
  explicit Column(std::remove_reference_t<Range>& range) requires(std::is_lvalue_reference_v<Range>) : range_(&range) {}
  explicit Column(Range&& range) requires(!std::is_lvalue_reference_v<Range>) : range_(std::move(range)) {}

  // Steps to the next item. False: the end.
  bool Advance() {
    if (!at_) {
      at_.emplace(std::ranges::begin(Get()));
    } else {
      ++*at_;
    }
    return *at_ != std::ranges::end(Get());
  }
  // The item. REQUIRES: Advance returned true.
  decltype(auto) operator*() { return **at_; }

 private:
  using Plain = std::remove_reference_t<Range>;
  Plain& Get() {
    if constexpr (std::is_lvalue_reference_v<Range>) {
      return *range_;
    } else {
      return range_;
    }
  }
  std::conditional_t<std::is_lvalue_reference_v<Range>, Plain*, Range> range_;
  std::optional<std::ranges::iterator_t<Plain>> at_;
};

// The item without a proxy (std::vector<bool> yields proxies).
template <typename T>
const T& PlainItem(const T& item) {
  return item;
}
inline bool PlainItem(const std::vector<bool>::reference& item) { return item; }

// The arguments (x, y, ...) from the items of several ranges.
template <typename... Ranges>
class SideBySide {
 public:
  explicit SideBySide(Ranges&&... ranges) : columns_(Column<Ranges>(std::forward<Ranges>(ranges))...) {}
  // Calls `take` with the next arguments. False: the end; `take` was not called.
  template <typename Take>
  bool Next(Take&& take) {
    return std::apply(
        [&take](auto&... column) {
          if (!(column.Advance() && ...)) return false;
          take(PlainItem(*column)...);
          return true;
        },
        columns_);
  }

 private:
  std::tuple<Column<Ranges>...> columns_;
};

// The arguments (get<0>(item), get<1>(item), ...) from every tuple of a range.
template <typename Range>
class Tuples {
 public:
  explicit Tuples(Range&& range) : column_(std::forward<Range>(range)) {}
  // Calls `take` with the next arguments. False: the end; `take` was not called.
  template <typename Take>
  bool Next(Take&& take) {
    if (!column_.Advance()) return false;
    std::apply(take, *column_);
    return true;
  }

 private:
  Column<Range> column_;
};

// A source that writes one item at a time.
template <typename Arguments>
MapSource SourceOf(Arguments arguments) {
  auto shared = std::make_shared<Arguments>(std::move(arguments));
  return [shared](Payload* item) -> absl::StatusOr<Pulled> {
    const bool more = shared->Next([item](const auto&... args) { EncodeArguments(item, args...); });
    return more ? Pulled::kItem : Pulled::kEnd;
  };
}

// A source that fills whole packs, without a call for each item.
template <typename Arguments>
PackSource PacksOf(Arguments arguments) {
  auto shared = std::make_shared<Arguments>(std::move(arguments));
  return [shared](ItemPack* pack) -> absl::StatusOr<Pulled> {
    while (!pack->full()) {
      if (!shared->Next([pack](const auto&... args) { pack->Add(args...); })) return Pulled::kEnd;
    }
    return Pulled::kItem;
  };
}

// A source over a function that returns std::optional<T>, or absl::StatusOr<std::optional<T>>; an empty optional is the
// end.
template <typename Generator>
MapSource GeneratorSourceOf(Generator generator) {
  auto shared = std::make_shared<Generator>(std::move(generator));
  return [shared](Payload* item) -> absl::StatusOr<Pulled> {
    auto made = (*shared)();
    if constexpr (requires { made.status(); }) {
      if (!made.ok()) return made.status();
      if (!made->has_value()) return Pulled::kEnd;
      EncodeArguments(item, **made);
    } else {
      if (!made.has_value()) return Pulled::kEnd;
      EncodeArguments(item, *made);
    }
    return Pulled::kItem;
  };
}

}  // namespace poold::client::internal
