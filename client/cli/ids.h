#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/message_json.h"

namespace poold::cli {

// Adds the ids of these digits to a request. INVALID_ARGUMENT names the text that is no id.
template <typename Request>
absl::Status AddIds(const std::vector<std::string>& digits, Request& request) {
  for (const std::string& text : digits) {
    auto id = IdFromHex(text);
    if (!id.ok()) return id.status();
    request.add_ids(*std::move(id));
  }
  return absl::OkStatus();
}

}  // namespace poold::cli
