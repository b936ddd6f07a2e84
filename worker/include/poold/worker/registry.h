// The functions of one module or program, by name.
//
// Threads: filled before main, or when the module is loaded; then constant.
// Errors: a name that is registered twice, or is empty, is reported when the worker starts (START_FAILED).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "poold/worker/call.h"
#include "poold/worker/function.h"

namespace poold::worker {

struct Function {
  std::string name;
  // One line for people.
  std::string help;
  // The full name of the protobuf message that it returns, where it returns one.
  std::string result_type;
  Invoke invoke;
  // What each argument is, and the result, in words: "int64", "array of string". Unset: not known.
  std::vector<std::string> arguments = {};
  std::string result = "";
};

class Registry {
 public:
  // `callable` is a function, or an object with one operator(). Returns true, for POOLD_TASK.
  template <typename Callable>
  bool Add(std::string name, Callable callable, std::string help = "") {
    using Bound = BoundFunction<Callable>;
    functions_.push_back({std::move(name), std::move(help), Bound::ResultType(), Bound(std::move(callable)),
                          Bound::ArgumentWords(), Bound::ResultWord()});
    return true;
  }

  const std::vector<Function>& functions() const { return functions_; }

  // Of the shared object, or program, that this is called in.
  [[gnu::visibility("hidden")]] static Registry& Local() {
    static Registry local;
    return local;
  }

 private:
  std::vector<Function> functions_;
};

// "poold::tasks::square" -> "square".
inline std::string UnqualifiedName(const char* text) {
  const std::string name = text[0] == '&' ? text + 1 : text;
  const std::size_t colon = name.rfind(':');
  return colon == std::string::npos ? name : name.substr(colon + 1);
}

}  // namespace poold::worker

// POOLD_TASK(square)   POOLD_TASK("name", callable)   POOLD_TASK("name", callable, "one line of help")
//
// `poolctl functions` shows the help, with the types of the arguments and of the result.
#define POOLD_TASK(...) \
  POOLD_TASK_CHOOSE_(__VA_ARGS__, POOLD_TASK_NAMED_, POOLD_TASK_NAMED_, POOLD_TASK_PLAIN_)(__VA_ARGS__)
#define POOLD_TASK_CHOOSE_(a, b, c, chosen, ...) chosen
#define POOLD_TASK_PLAIN_(function) POOLD_TASK_NAMED_(::poold::worker::UnqualifiedName(#function), function)
#define POOLD_TASK_NAMED_(...) POOLD_TASK_DEFINE_(__COUNTER__, __VA_ARGS__)
#define POOLD_TASK_DEFINE_(number, ...) POOLD_TASK_DEFINE_AS_(number, __VA_ARGS__)
#define POOLD_TASK_DEFINE_AS_(number, ...)                            \
  [[maybe_unused]] static const bool poold_task_registered_##number = \
      ::poold::worker::Registry::Local().Add(__VA_ARGS__)
