#include "process/failure_text.h"

#include <utility>

namespace poold::process {

core::Failure ToCore(internal::Failure failure) {
  core::Failure made;
  made.type = std::move(*failure.mutable_type());
  made.message = std::move(*failure.mutable_message());
  made.backtrace = std::move(*failure.mutable_backtrace());
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
  words += failed.failure().message();
  if (!failed.failure().backtrace().empty()) words += "\n" + failed.failure().backtrace();
  return words;
}

}  // namespace poold::process
