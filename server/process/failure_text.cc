#include "process/failure_text.h"

#include <utility>

#include "wire/readable.h"

namespace poold::process {
namespace {

constexpr std::size_t kMaxTextBytes = 64 << 10;
constexpr std::size_t kMaxTypeBytes = 4 << 10;

std::string Bounded(std::string text, std::size_t max_bytes) {
  return text.size() <= max_bytes ? std::move(text) : wire::ReadableStart(text, max_bytes);
}

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

}  // namespace poold::process
