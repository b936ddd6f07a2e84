// The store of what the core lets go of: payloads, outcomes, columns of items.
//
// The end of such a thing may give memory back, close a file or free a slot that another process waits for. Nothing of
// that happens inside an event: the core hands out what it drops, and whoever entered destroys it when the core's mutex
// is left (engine/gate.h). Thread safety: none; used under the core's mutex.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "core/bytes.h"

namespace poold::core {

class Dropped {
 public:
  using Things = std::vector<std::shared_ptr<const void>>;

  bool empty() const { return things_.empty(); }
  // Takes the owner of these bytes, if they have one; they are empty then.
  void Add(Bytes& bytes) {
    if (bytes.is_shared()) things_.push_back(bytes.TakeOwner());
  }
  // Null is ignored.
  void Add(std::shared_ptr<const void> thing) {
    if (thing != nullptr) things_.push_back(std::move(thing));
  }
  // Takes a container, or another value that owns such things, as a whole: however much is in it, it moves at once.
  template <typename T>
  void AddWhole(T&& whole) {
    things_.push_back(std::make_shared<const std::remove_reference_t<T>>(std::forward<T>(whole)));
  }
  // Gives everything. REQUIRES: `*things` is empty.
  void Swap(Things* things) { things_.swap(*things); }

 private:
  Things things_;
};

}  // namespace poold::core
