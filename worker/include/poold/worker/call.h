// One call of a registered function, with its arguments and result still as bytes.
//
// Role: what the runtime and the code in modules hand each other. Plain values; both sides are built with the same
// compiler and headers, which the module's ABI version stands for.
#pragma once

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

struct Reply {
  Encoding encoding = Encoding::kMsgpack;
  // Empty at the call; the function's result.
  std::string data;
  std::optional<TaskFailure> failure;
};

// Throws what the function throws.
using Invoke = std::function<void(const Call&, Reply*)>;

}  // namespace poold::worker
