#include "error.h"

#include <csignal>
#include <cstring>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "convert.h"
#include "google/rpc/error_details.pb.h"
#include "poold/client/codec.h"
#include "wire/absl_text.h"

namespace poold::client {
namespace {

using wire::ToAbsl;

// What is set is a text that people can read: whoever prints a status sees it.
constexpr const char* kReason = "poold/reason";
constexpr const char* kField = "poold/field";
constexpr const char* kRetryAfter = "poold/retry_after";

void SetText(const char* url, absl::string_view text, absl::Status* status) {
  if (!text.empty()) status->SetPayload(url, absl::Cord(text));
}

std::string TextOf(const absl::Status& status, const char* url) {
  const auto text = status.GetPayload(url);
  return text.has_value() ? std::string(*text) : "";
}

absl::Duration ToAbsl(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name != nullptr ? absl::StrCat("SIG", name) : absl::StrCat("signal ", signal);
}

const char* Killer(v1::KilledBy by) {
  switch (by) {
    case v1::KILLED_BY_ITSELF:
      return " of its own";
    case v1::KILLED_BY_TIME_LIMIT:
      return ": its time limit passed";
    case v1::KILLED_BY_CANCEL:
      return ": the task was cancelled";
    case v1::KILLED_BY_TERMINATE:
      return ": the pool was terminated";
    case v1::KILLED_BY_OUTSIDER:
      return " from outside (an operator, or the kernel for lack of memory)";
    case v1::KILLED_BY_MEMORY_LIMIT:
      return ": it went above the pool's memory_limit_bytes";
    case v1::KILLED_BY_KERNEL:
      return " from the kernel (out of memory, or a resource limit)";
    default:
      return "";
  }
}

std::string HowItDied(const v1::DeathCertificate& death) {
  if (death.signal() != 0) {
    return absl::StrCat("worker ", death.pid(), " was ended by ", SignalName(death.signal()),
                        Killer(death.killed_by()));
  }
  return absl::StrCat("worker ", death.pid(), " exited with code ", death.exit_code());
}

std::string LastWords(const v1::Outcome& outcome) {
  std::string_view tail = outcome.stderr_tail();
  while (!tail.empty() && tail.back() == '\n') tail.remove_suffix(1);
  if (const auto line = tail.rfind('\n'); line != std::string_view::npos) tail.remove_prefix(line + 1);
  return tail.empty() ? "" : absl::StrCat("; its last words: ", ToAbsl(tail));
}

std::string HowItFailed(const v1::Failure& failure) {
  return absl::StrCat(failure.type(), failure.type().empty() ? "" : ": ", failure.message());
}

// Which of its limits passed, in the daemon's words.
std::string WhyExpired(const v1::Outcome& outcome) {
  const std::string& why = outcome.failure().message();
  return why.empty() ? "its time passed before it started" : why;
}

struct Verdict {
  // Null: a state that this client does not know.
  const reason::Reason* why = nullptr;
  std::string text;
};

Verdict Judge(const v1::Outcome& outcome) {
  switch (outcome.state()) {
    case v1::TASK_STATE_FAILED:
      return {&reason::kTaskFailed, " failed: " + HowItFailed(outcome.failure())};
    case v1::TASK_STATE_CRASHED:
      return {&reason::kTaskCrashed, " crashed: " + HowItDied(outcome.death()) + LastWords(outcome)};
    case v1::TASK_STATE_TIMED_OUT:
      return {&reason::kTaskTimedOut, " took longer than its limit and was stopped"};
    case v1::TASK_STATE_EXPIRED:
      return {&reason::kTaskExpired, " expired: " + WhyExpired(outcome)};
    case v1::TASK_STATE_CANCELLED:
      return {&reason::kTaskCancelled,
              absl::StrCat(" was cancelled",
                           outcome.failure().message().empty() ? "" : ": " + outcome.failure().message())};
    default:
      return {nullptr, absl::StrCat(" has no outcome that this client knows: state ", outcome.state())};
  }
}

}  // namespace

std::string ReasonOf(const absl::Status& status) { return TextOf(status, kReason); }

std::string FieldOf(const absl::Status& status) { return TextOf(status, kField); }

std::optional<Duration> RetryDelayOf(const absl::Status& status) {
  absl::Duration delay;
  if (!absl::ParseDuration(TextOf(status, kRetryAfter), &delay)) return std::nullopt;
  return absl::ToChronoNanoseconds(delay);
}

namespace internal {

absl::Status MakeError(const reason::Reason& why, std::string_view message) {
  absl::Status status(why.code, ToAbsl(message));
  SetText(kReason, ToAbsl(why.name), &status);
  return status;
}

absl::Status FromProto(const google::rpc::Status& proto) {
  absl::Status status(static_cast<absl::StatusCode>(proto.code()), proto.message());
  google::rpc::ErrorInfo info;
  google::rpc::RetryInfo retry;
  for (const auto& detail : proto.details()) {
    if (detail.UnpackTo(&info)) SetText(kReason, info.reason(), &status);
    if (detail.UnpackTo(&retry)) SetText(kRetryAfter, absl::FormatDuration(ToAbsl(retry.retry_delay())), &status);
  }
  if (const auto subject = info.metadata().find("subject"); subject != info.metadata().end()) {
    SetText(kField, subject->second, &status);
  }
  return status;
}

absl::Status OutcomeStatus(std::string_view what, const v1::Outcome& outcome) {
  if (outcome.state() == v1::TASK_STATE_SUCCEEDED) return absl::OkStatus();
  const Verdict verdict = Judge(outcome);
  const std::string text = std::string(what) + verdict.text;
  return verdict.why == nullptr ? absl::InternalError(text) : MakeError(*verdict.why, text);
}

absl::Status WaitTimeoutError(std::string_view what) {
  return MakeError(reason::kWaitTimeout, std::string(what) + " is not finished yet: nothing is lost, ask again");
}

absl::Status MapTimeoutError(std::string_view what) {
  return MakeError(reason::kMapTimeout,
                   "the map " + std::string(what) + " took longer than its timeout; what is left is cancelled");
}

absl::Status LostError(std::string_view what) {
  return MakeError(reason::kHandleLost, std::string(what) +
                                            " is lost: the daemon was restarted and does not know it. It may have run "
                                            "or not; submit it again if that does no harm");
}

absl::Status ForkedError() {
  return MakeError(reason::kForked,
                   "this poold client belongs to the process that this one was forked from: make no client before the "
                   "fork and one in each child, or exec");
}

absl::Status ResultTypeError(std::string_view function, std::string_view detail) {
  return MakeError(
      reason::kResultType,
      std::string(function) + " succeeded, but its result is not of the type asked for: " + std::string(detail));
}

absl::Status WrongEncoding(std::string_view function, Encoding wanted, const ResultView& got) {
  return ResultTypeError(function, "wanted " + v1::Encoding_Name(ToProto(wanted)) + ", got " +
                                       v1::Encoding_Name(ToProto(got.encoding)) +
                                       (got.type_name.empty() ? "" : " (" + std::string(got.type_name) + ")"));
}

}  // namespace internal
}  // namespace poold::client
