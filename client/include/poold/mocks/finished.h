// Handles that have ended already, for mocked connections. GoogleMock is not needed.
//
// Callbacks of such handles run at once in the thread that adds them. The handles have no daemon: Running answers
// UNIMPLEMENTED.
// Example:
//   EXPECT_CALL(*mock, Submit).WillOnce([](const TaskCall&) { return MakeFinishedTask(49); });
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "poold/client/codec.h"
#include "poold/client/internal/map_ref.h"
#include "poold/client/internal/task_ref.h"

namespace poold::client {

// A task that ended with this outcome.
internal::TaskRef MakeEndedTask(std::string function, Outcome outcome);
// A submission that was refused with `why`. lost() is false.
internal::TaskRef MakeRefusedTask(std::string function, absl::Status why);
// A map that was refused with `why`.
internal::MapRef MakeRefusedMap(std::string function, absl::Status why);
// A task that SUCCEEDED with this payload.
internal::TaskRef MakeFinishedTaskOf(Payload result);
// A map that ended with these outcomes of its items, in order of their index.
internal::MapRef MakeEndedMap(std::string function, std::vector<Outcome> items);

// The result `value` as a worker sends it.
template <typename T>
Payload ResultOf(const T& value) {
  if constexpr (internal::kIsMessage<T> || std::is_same_v<T, Bytes> || std::is_same_v<T, Payload>) {
    return Arguments(value);
  } else {
    return {.encoding = Encoding::kMsgpack, .type_name = "", .data = codec::Encode(value)};
  }
}

// A task that SUCCEEDED with this value.
template <typename T>
internal::TaskRef MakeFinishedTask(const T& value) {
  return MakeFinishedTaskOf(ResultOf(value));
}

// A task that FAILED with this type and message of an exception.
internal::TaskRef MakeFailedTask(std::string function, std::string type, std::string message);

}  // namespace poold::client
