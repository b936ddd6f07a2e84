// ArgumentTransfer: the way of a task's arguments to the daemon.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wire/arena_maker.h"

namespace poold::client::internal {

// By an upload, or by a slot of an arena; where neither is set, inside the submission. A plain value.
struct ArgumentTransfer {
  // The id of an upload that waits in the daemon; empty: none.
  std::string upload_id;
  // The slot that holds the arguments. Not owned: a slot that is not submitted must be abandoned.
  std::optional<wire::ArenaMaker::Reserved> slot;
  // The size of the arguments.
  std::uint64_t bytes = 0;

  bool travels_inline() const { return upload_id.empty() && !slot; }
};

}  // namespace poold::client::internal
