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
namespace {

constexpr std::size_t kMaxFailureTextBytes = 64 << 10;
constexpr std::size_t kMaxTypeBytes = 4 << 10;

// A null one too, which some exceptions have in place of words.
std::string Bounded(const char* text) { return text == nullptr ? "" : wire::ReadableStart(text, kMaxFailureTextBytes); }

// Whatever it does where it is asked.
std::string WordsOf(const std::exception& error) {
  try {
    const char* const words = error.what();
    return words == nullptr ? "its what() is null" : Bounded(words);
  } catch (...) {
    return "its what() throws";
  }
}

}  // namespace

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
    failure.message = WordsOf(error);
  } catch (const std::string& text) {
    failure.type = "std::string";
    failure.message = wire::ReadableStart(text, kMaxFailureTextBytes);
  } catch (const char* text) {
    failure.message = Bounded(text);
  } catch (...) {
    failure.message = "a value of this type was thrown";
  }
  return failure;
}

internal::Failure ToProto(const TaskFailure& failure) {
  // A message may hold anything, and of any length.
  internal::Failure proto;
  proto.set_type(wire::ReadableStart(failure.type, kMaxTypeBytes));
  proto.set_message(wire::ReadableStart(failure.message, kMaxFailureTextBytes));
  proto.set_backtrace(wire::ReadableStart(failure.backtrace, kMaxFailureTextBytes));
  proto.set_status_code(failure.status_code);
  return proto;
}

}  // namespace poold::worker
