// Call and Reply: one call of a registered function, with arguments and result as bytes.
//
// Role: the values that the runtime and the code in modules hand to each other. Both sides are built with the same
//   compiler and headers; the module's ABI version stands for that.
// Threads: plain values, used in the thread that runs the task.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "poold/codec/payload.h"

namespace poold::worker {

using codec::Encoding;

// A call, as the runtime hands it to a module. The views are valid until the call returns.
struct Call {
  // The function's name, for error texts.
  std::string_view function;
  // How `args` is encoded.
  Encoding encoding = Encoding::kUnspecified;
  // The full name of the arguments' protobuf message, where the caller named one.
  std::string_view type_name;
  // The encoded arguments. May lie in memory that other processes can change.
  std::string_view args;
};

// Why a task failed, as poold.v1.Failure.
struct TaskFailure {
  // The exception's type, "absl::Status", or a type of poold ("poold.ArgumentError").
  std::string type;
  // The exception's text.
  std::string message;
  // One frame a line, outermost last; empty: none.
  std::string backtrace;
  // The canonical code of a status; 0: no status.
  int status_code = 0;
};

// Memory in which a large result is to end up.
class ResultRoom {
 public:
  // Smaller results do not go there.
  static constexpr std::size_t kLeastBytes = std::size_t{32} << 10;

  // Returns memory for a result of `bytes` bytes, all of which the caller writes. Null: there is no room. REQUIRES:
  // called at most once in a call.
  virtual char* Take(std::size_t bytes) = 0;

 protected:
  ~ResultRoom() = default;
};

// The result of a call, or its failure.
struct Reply {
  // How the result is encoded.
  Encoding encoding = Encoding::kMsgpack;
  // Empty at the call. The function's encoded result, unless the result was written to the room.
  std::string data;
  // Set: the task failed, and `data` has no meaning.
  std::optional<TaskFailure> failure;
  // Null: there is none. Not owned.
  ResultRoom* room = nullptr;
};

// Decodes the arguments, calls the function and fills the reply. Throws what the function throws.
using Invoke = std::function<void(const Call&, Reply*)>;

}  // namespace poold::worker
