#include "failure.h"

#include <cxxabi.h>

#include <exception>
#include <typeinfo>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backtrace.h"
#include "wire/absl_text.h"

namespace poold::worker {
namespace {

// Protobuf refuses text that is not UTF-8, and a message may hold anything.
std::string Readable(const std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    std::size_t good = length == 0 || i + length > text.size() ? 0 : 1;
    while (good > 0 && good < length && (static_cast<unsigned char>(text[i + good]) >> 6) == 2) ++good;
    if (length != 0 && good == length) {
      out.append(text, i, length);
      i += length;
    } else {
      out += '?';
      ++i;
    }
  }
  return out;
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
  internal::Failure proto;
  proto.set_type(Readable(failure.type));
  proto.set_message(Readable(failure.message));
  proto.set_backtrace(Readable(failure.backtrace));
  proto.set_status_code(failure.status_code);
  return proto;
}

}  // namespace poold::worker
