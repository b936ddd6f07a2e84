#include "process/function_list.h"

#include <utility>

#include "base/names.h"

namespace poold::process {

FunctionList TakeFunctions(internal::Ready* ready) {
  std::vector<core::FunctionInfo> functions;
  functions.reserve(static_cast<std::size_t>(ready->functions_size()));
  for (internal::Function& function : *ready->mutable_functions()) {
    core::FunctionInfo info;
    info.name = std::move(*function.mutable_name());
    if (!function.result_type().empty()) {
      info.result_type = std::make_shared<const std::string>(std::move(*function.mutable_result_type()));
    }
    functions.push_back(std::move(info));
  }
  return std::make_shared<const std::vector<core::FunctionInfo>>(std::move(functions));
}

std::string WhatIsWrong(const std::vector<core::FunctionInfo>& functions) {
  for (const core::FunctionInfo& function : functions) {
    if (base::IsFunctionName(function.name)) continue;
    return "registers " + base::Quoted(function.name) +
           ", which is not the name of a function: it has 1 to 256 bytes and no control characters";
  }
  return "";
}

}  // namespace poold::process
