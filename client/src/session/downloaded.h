// Downloaded: a result that did not come inline.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "wire/mapped_file.h"

namespace poold::client::internal {

// Owns the bytes: a string, or memory that the daemon handed over. Thread safety: constant after construction.
class Downloaded {
 public:
  explicit Downloaded(std::string text) : text_(std::move(text)) {}
  explicit Downloaded(wire::MappedFile memory) : memory_(std::move(memory)) {}
  // Valid as long as this object.
  std::string_view view() const { return memory_.view().empty() ? std::string_view(text_) : memory_.view(); }

 private:
  std::string text_;
  wire::MappedFile memory_;
};

}  // namespace poold::client::internal
