// Handles that have ended already, for mocked connections. Needs no GoogleMock.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "poold/client/codec.h"
#include "poold/client/internal/map_ref.h"
#include "poold/client/internal/task_ref.h"

namespace poold::client {

// A task that ended so.
internal::TaskRef MakeEndedTask(std::string function, v1::Outcome outcome);
// A submission that was refused, or a handle that is lost.
internal::TaskRef MakeRefusedTask(std::string function, absl::Status why);
internal::MapRef MakeRefusedMap(std::string function, absl::Status why);
// A task that SUCCEEDED with this payload.
internal::TaskRef MakeFinishedTaskOf(Payload result);
// A map that ended, with these outcomes of its items.
internal::MapRef MakeEndedMap(std::string function, std::vector<v1::Outcome> items);

// A result as a worker sends it.
template <typename T>
Payload ResultOf(const T& value) {
  if constexpr (internal::kIsMessage<T> || std::is_same_v<T, Bytes> || std::is_same_v<T, Payload>) {
    return Arguments(value);
  } else {
    return {.encoding = v1::ENCODING_MSGPACK, .type_name = "", .data = codec::Encode(value)};
  }
}

// A task that SUCCEEDED with this value.
template <typename T>
internal::TaskRef MakeFinishedTask(const T& value) {
  return MakeFinishedTaskOf(ResultOf(value));
}

// A task that FAILED.
internal::TaskRef MakeFailedTask(std::string function, std::string type, std::string message);

}  // namespace poold::client
