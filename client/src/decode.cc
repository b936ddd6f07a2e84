#include "poold/client/codec.h"
#include "poold/codec/parse.h"

namespace poold::client::internal {

absl::Status VisitValue(std::string_view bytes, absl::FunctionRef<void(const msgpack::object&)> visit) {
  return codec::VisitValue(bytes, visit);
}

}  // namespace poold::client::internal
