#include "process/worker_messages.h"

#include <algorithm>
#include <utility>

#include "base/names.h"
#include "poold/internal/worker.pb.h"
#include "wire/frame.h"
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

constexpr std::size_t kMaxTextBytes = 64 << 10;
constexpr std::size_t kMaxTypeBytes = 4 << 10;

std::string Bounded(std::string text, std::size_t max_bytes) {
  return text.size() <= max_bytes ? std::move(text) : wire::ReadableStart(text, max_bytes);
}

constexpr std::size_t kMaxDoingBytes = 500;

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

core::Failure ToCore(internal::Failure failure) {
  core::Failure made;
  made.type = Bounded(std::move(*failure.mutable_type()), kMaxTypeBytes);
  made.message = Bounded(std::move(*failure.mutable_message()), kMaxTextBytes);
  made.backtrace = Bounded(std::move(*failure.mutable_backtrace()), kMaxTextBytes);
  made.status_code = failure.status_code();
  return made;
}

core::Failure ParseFailure(std::string_view bytes) {
  internal::Failure failure;
  if (!failure.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return {"poold.BadFailure", "the worker told of a failure in a form that cannot be read", "", 0};
  }
  return ToCore(std::move(failure));
}

std::string DescribeStartFailure(const internal::StartFailed& failed) {
  std::string words = failed.phase().empty() ? "start" : failed.phase();
  words += " failed: ";
  if (!failed.failure().type().empty()) words += failed.failure().type() + ": ";
  words += Bounded(failed.failure().message(), kMaxTextBytes);
  if (!failed.failure().backtrace().empty()) words += "\n" + Bounded(failed.failure().backtrace(), kMaxTextBytes);
  return words;
}

std::string ParseStarting(const wire::Frame& frame) {
  internal::Starting starting;
  if (!starting.ParseFromArray(frame.message.data(), static_cast<int>(frame.message.size()))) return "";
  std::string doing = std::move(*starting.mutable_doing());
  doing.resize(std::min(doing.size(), kMaxDoingBytes));
  std::replace_if(
      doing.begin(), doing.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return doing;
}

std::string While(const std::string& doing) { return doing.empty() ? "" : ", while it was " + doing; }

std::string StartTimeText(core::Nanos start_timeout, const std::string& doing) {
  const auto milliseconds = start_timeout / core::kMillisecond;
  const std::string time =
      milliseconds % 1000 == 0 ? std::to_string(milliseconds / 1000) + " s" : std::to_string(milliseconds) + " ms";
  return "did not become ready within " + time + " (start_timeout)" + While(doing);
}

core::Nanos StartTimeout(const core::PoolSpec& spec, const core::Limits& limits) {
  return spec.start_timeout > 0 ? spec.start_timeout : limits.start_timeout;
}

std::string MakeSetupFrame(const core::PoolSpec& spec, std::uint32_t generation, std::uint64_t max_result_bytes,
                           const std::string& exec_path, const std::vector<KernelLimit>& limits) {
  internal::Setup setup;
  setup.set_protocol_version(wire::kProtocolVersion);
  setup.set_pool(spec.name);
  setup.set_generation(generation);
  setup.set_exec_path(exec_path);
  setup.set_max_result_bytes(max_result_bytes);
  setup.set_takes_result_arenas(true);
  if (exec_path.empty()) {
    for (const std::string& path : spec.module_paths) setup.add_module_paths(path);
    for (const std::string& name : spec.preload) setup.add_preload(name);
    setup.set_initializer(spec.initializer);
    setup.set_initializer_args(spec.initializer_args);
    setup.set_initializer_encoding(static_cast<internal::Encoding>(spec.initializer_encoding));
    setup.set_allow_exec(spec.allow_exec);
  }
  for (const KernelLimit& limit : limits) {
    internal::ResourceLimit* const added = setup.add_limits();
    added->set_resource(static_cast<std::uint32_t>(limit.resource));
    added->set_soft(limit.soft);
    added->set_hard(limit.hard);
  }
  std::string frame;
  wire::AppendFrame(internal::FRAME_KIND_SETUP, &setup, {}, &frame);
  return frame;
}

}  // namespace poold::process
