// The seed's third program: the handles are collected, so that the results can be had.
//
//   results = []
//   for i in range(4):
//       results.append(pool.apply_async(func, ("hello %d" % i,)))
//   print(type(results[0]))
//   pool.close()
//   pool.join()
#include <cxxabi.h>

#include <typeinfo>
#include <vector>

#include "example.h"

namespace {

template <typename T>
std::string TypeOf(const T& value) {
  return abi::__cxa_demangle(typeid(value).name(), nullptr, nullptr, nullptr);
}

}  // namespace

int main() {
  auto pool = example::OpenPool("seed_results");
  std::vector<poold::client::TaskHandle<void>> results;
  for (int i = 0; i < 4; ++i) {
    results.push_back(pool.Submit<void>("func", "hello " + std::to_string(i)));
  }
  std::printf("<class '%s'>\n", TypeOf(results[0]).c_str());
  std::fflush(stdout);
  example::Check(pool.Close().status());
  example::Check(pool.Join());
  // Blocks while a task runs; here all have ended.
  for (const auto& result : results) example::Check(result.Get());
}
