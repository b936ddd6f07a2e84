// In which shard the handles lie that came with this session.
//
// A hint: who is not there where it says is looked for elsewhere. Bounded. One thread's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "core/types.h"
#include "wire/handle_stretch.h"

namespace poold::rpc {

class HandleHomes {
 public:
  static constexpr std::size_t kMaxStretches = 4096;

  void Learn(const core::HandleId& id, std::size_t shard) {
    if (homes_.size() >= kMaxStretches) homes_.clear();
    homes_[KeyOf(id)] = static_cast<std::uint32_t>(shard);
  }
  std::optional<std::size_t> Of(const core::HandleId& id) const {
    const auto home = homes_.find(KeyOf(id));
    if (home == homes_.end()) return std::nullopt;
    return home->second;
  }

 private:
  static core::HandleId KeyOf(const core::HandleId& id) { return {id.high, id.low / wire::kHandleStretch}; }

  absl::flat_hash_map<core::HandleId, std::uint32_t> homes_;
};

}  // namespace poold::rpc
