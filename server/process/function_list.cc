#include "process/function_list.h"

#include <utility>

#include "base/names.h"
#include "wire/readable.h"

namespace poold::process {
namespace {

// What is longer is cut off.
constexpr std::size_t kMaxHelpBytes = 1000;
constexpr std::size_t kMaxWordBytes = 200;
constexpr std::size_t kMaxArguments = 64;

std::shared_ptr<const core::FunctionSignature> SignatureOf(const internal::Function& function) {
  core::FunctionSignature signature{.arguments = {},
                                    .result = wire::Readable(function.result(), kMaxWordBytes),
                                    .help = wire::Readable(function.help(), kMaxHelpBytes)};
  for (const std::string& argument : function.arguments()) {
    if (signature.arguments.size() == kMaxArguments) break;
    signature.arguments.push_back(wire::Readable(argument, kMaxWordBytes));
  }
  return std::make_shared<const core::FunctionSignature>(std::move(signature));
}

}  // namespace

FunctionList TakeFunctions(internal::Ready* ready) {
  std::vector<core::FunctionInfo> functions;
  functions.reserve(static_cast<std::size_t>(ready->functions_size()));
  for (internal::Function& function : *ready->mutable_functions()) {
    core::FunctionInfo info;
    info.name = std::move(*function.mutable_name());
    if (!function.result_type().empty()) {
      info.result_type = std::make_shared<const std::string>(std::move(*function.mutable_result_type()));
    }
    info.signature = SignatureOf(function);
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
