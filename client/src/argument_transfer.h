// How arguments go: by an upload, or by a slot of an arena. Where neither is set they travel in the submission itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wire/arena_maker.h"

namespace poold::client::internal {

struct ArgumentTransfer {
  // The upload that waits in the daemon.
  std::string upload_id;
  // Where they lie in an arena, and how many bytes.
  std::optional<wire::ArenaMaker::Reserved> slot;
  std::uint64_t bytes = 0;

  bool travels_inline() const { return upload_id.empty() && !slot; }
};

}  // namespace poold::client::internal
