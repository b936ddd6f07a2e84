// Registry and POOLD_TASK: the functions of one module or program, by name.
//
// Threads: the registry is filled before main, or while the module is loaded, and then constant.
// Errors: a name that is registered twice, or is empty, is reported when the worker starts (START_FAILED).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "poold/worker/call.h"
#include "poold/worker/function.h"

namespace poold::worker {

// A registered function. A plain value.
struct Function {
  // The name by which clients call the function.
  std::string name;
  // One line for people; may be empty.
  std::string help;
  // The full name of the protobuf message that the function returns; empty: the function returns none.
  std::string result_type;
  // Calls the function. Must not be empty.
  Invoke invoke;
  // The types of the arguments in words: "int64", "array of string"; "": not known.
  std::vector<std::string> arguments = {};
  // The type of the result in words.
  std::string result;
};

// Role: holds the functions in the order of their registration. One for each shared object or program.
class Registry {
 public:
  // Registers `callable`, a function or an object with one operator(). Returns true, for POOLD_TASK. Does not check the
  // name: the worker does that when it starts. A parameter or result that cannot travel does not compile.
  // Example:
  //   poold::worker::Registry::Local().Add("twice", [](int x) { return 2 * x; }, "twice(x): 2 x");
  template <typename Callable>
  bool Add(std::string name, Callable callable, std::string help = "") {
    using Bound = BoundFunction<Callable>;
    functions_.push_back({std::move(name), std::move(help), Bound::ResultType(), Bound(std::move(callable)),
                          Bound::ArgumentWords(), Bound::ResultWord()});
    return true;
  }

  // All functions, in the order of their registration.
  const std::vector<Function>& functions() const { return functions_; }

  // The registry of the shared object or program that contains the call.
  [[gnu::visibility("hidden")]] static Registry& Local() {
    static Registry local;
    return local;
  }

 private:
  std::vector<Function> functions_;
};

// Returns the last part of a qualified name: "&poold::tasks::square" gives "square".
inline std::string UnqualifiedName(const char* text) {
  const std::string name = text[0] == '&' ? text + 1 : text;
  const std::size_t colon = name.rfind(':');
  return colon == std::string::npos ? name : name.substr(colon + 1);
}

}  // namespace poold::worker

// Registers a function as a task, at namespace scope of a module or worker program.
// Example:
//   POOLD_TASK(square);                                             // named "square"
//   POOLD_TASK("name", callable);
//   POOLD_TASK("name", callable, "name(x): one line of help");      // poolctl functions shows it
#define POOLD_TASK(...) \
  POOLD_TASK_CHOOSE_(__VA_ARGS__, POOLD_TASK_NAMED_, POOLD_TASK_NAMED_, POOLD_TASK_PLAIN_)(__VA_ARGS__)
#define POOLD_TASK_CHOOSE_(a, b, c, chosen, ...) chosen
#define POOLD_TASK_PLAIN_(function) POOLD_TASK_NAMED_(::poold::worker::UnqualifiedName(#function), function)
#define POOLD_TASK_NAMED_(...) POOLD_TASK_DEFINE_(__COUNTER__, __VA_ARGS__)
#define POOLD_TASK_DEFINE_(number, ...) POOLD_TASK_DEFINE_AS_(number, __VA_ARGS__)
#define POOLD_TASK_DEFINE_AS_(number, ...)                            \
  [[maybe_unused]] static const bool poold_task_registered_##number = \
      ::poold::worker::Registry::Local().Add(__VA_ARGS__)
