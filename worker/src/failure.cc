#include "failure.h"

#include <cxxabi.h>

#include <exception>
#include <typeinfo>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backtrace.h"
#include "wire/absl_text.h"
#include "wire/readable.h"

namespace poold::worker {
TaskFailure FailureOfException() {
  TaskFailure failure;
  const std::exception_ptr thrown = std::current_exception();
  if (const std::type_info* const type = abi::__cxa_current_exception_type()) failure.type = Demangle(type->name());
  failure.backtrace = BacktraceOf(thrown);
  try {
    throw;
  } catch (const absl::BadStatusOrAccess& error) {
    failure.message = error.status().ToString();
    failure.status_code = error.status().raw_code();
  } catch (const absl::Status& status) {
    failure.type = "absl::Status";
    failure.message = std::string(wire::ToStd(status.message()));
    failure.status_code = status.raw_code();
  } catch (const std::exception& error) {
    failure.message = error.what();
  } catch (const std::string& text) {
    failure.type = "std::string";
    failure.message = text;
  } catch (const char* text) {
    failure.message = text;
  } catch (...) {
    failure.message = "a value of this type was thrown";
  }
  return failure;
}

internal::Failure ToProto(const TaskFailure& failure) {
  // A message may hold anything.
  internal::Failure proto;
  proto.set_type(wire::Readable(failure.type));
  proto.set_message(wire::Readable(failure.message));
  proto.set_backtrace(wire::Readable(failure.backtrace));
  proto.set_status_code(failure.status_code);
  return proto;
}

}  // namespace poold::worker
