#include "process/failure_text.h"

#include <algorithm>
#include <utility>

#include "wire/readable.h"

namespace poold::process {
namespace {

constexpr std::size_t kMaxTextBytes = 64 << 10;
constexpr std::size_t kMaxTypeBytes = 4 << 10;

std::string Bounded(std::string text, std::size_t max_bytes) {
  return text.size() <= max_bytes ? std::move(text) : wire::ReadableStart(text, max_bytes);
}

constexpr std::size_t kMaxDoingBytes = 500;

}  // namespace

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

}  // namespace poold::process
