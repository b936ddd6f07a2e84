// One call of a registered function, with its arguments and result still as bytes.
//
// Role: what the runtime and the code in modules hand each other. Plain values; both sides are built with the same
// compiler and headers, which the module's ABI version stands for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace poold::worker {

// The values of poold.v1.Encoding.
enum class Encoding : std::uint32_t { kUnspecified = 0, kMsgpack = 1, kProtobuf = 2, kRaw = 3 };

struct Call {
  // Its name, for error texts.
  std::string_view function;
  Encoding encoding = Encoding::kUnspecified;
  // The arguments' protobuf message name, where the caller told one.
  std::string_view type_name;
  // Valid until the call returns.
  std::string_view args;
};

// Why a task failed, as poold.v1.Failure.
struct TaskFailure {
  std::string type;
  std::string message;
  std::string backtrace;
  int status_code = 0;
};

// Where a large result is to lie in the end.
class ResultRoom {
 public:
  // What is smaller has no place there.
  static constexpr std::size_t kLeastBytes = std::size_t{32} << 10;

  // Memory for a result of so many bytes, all of which are to be written; null: there is none. At most once in a call.
  virtual char* Take(std::size_t bytes) = 0;

 protected:
  ~ResultRoom() = default;
};

struct Reply {
  Encoding encoding = Encoding::kMsgpack;
  // Empty at the call; the function's result, unless that was written to the room.
  std::string data;
  std::optional<TaskFailure> failure;
  // Null: there is none.
  ResultRoom* room = nullptr;
};

// Throws what the function throws.
using Invoke = std::function<void(const Call&, Reply*)>;

}  // namespace poold::worker
