// The messages of one GetItems: blocks of outcomes in the order of the items, or as they come about.
//
// Thread safety: what the core says comes under its mutex; Fill by one thread at a time. Slow readers cost pointers to
// blocks that the core keeps, as long as it does.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "poold/v1/pool_service.pb.h"
#include "rpc/item_outcomes.h"
#include "rpc/subscriber.h"

namespace poold::rpc {

class ItemSource {
 public:
  // `clock` and `names` must outlive it.
  ItemSource(std::uint64_t first_index, bool as_completed, std::uint64_t max_inline_bytes, const base::Clock& clock,
             const ClientNames& names)
      : as_completed_(as_completed),
        max_inline_bytes_(max_inline_bytes),
        clock_(clock),
        names_(names),
        next_index_(first_index) {}

  void Add(core::ItemBlockPtr block);
  void AddEnd(const core::MapView& map);

  // True: `message` holds something; its `end` is set in the last one. False: nothing now.
  bool Fill(v1::GetItemsResponse* message);

 private:
  void TakePending();
  // The next block whose turn it is, into reader_. False: none.
  bool NextBlock();

  const bool as_completed_;
  const std::uint64_t max_inline_bytes_;
  const base::Clock& clock_;
  const ClientNames& names_;

  absl::Mutex mu_;
  std::deque<core::ItemBlockPtr> pending_ ABSL_GUARDED_BY(mu_);
  std::optional<core::MapView> pending_end_ ABSL_GUARDED_BY(mu_);

  // Of the one who fills.
  std::uint64_t next_index_;
  std::deque<core::ItemBlockPtr> arrived_;                     // as completed
  std::multimap<std::uint64_t, core::ItemBlockPtr> by_index_;  // in order
  std::optional<core::MapView> end_;
  std::optional<ItemReader> reader_;
};

}  // namespace poold::rpc
