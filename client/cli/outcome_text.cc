#include "cli/outcome_text.h"

#include <google/protobuf/util/time_util.h>

#include <csignal>
#include <cstdio>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/console.h"
#include "cli/message_json.h"
#include "cli/text_table.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

double Seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + duration.nanos() * 1e-9;
}

std::string HowItEnded(const v1::DeathCertificate& death) {
  if (death.signal() == 0) return absl::StrCat("exited with code ", death.exit_code());
  const char* name = sigabbrev_np(death.signal());
  return absl::StrCat("was ended by ", name == nullptr ? "signal " : "SIG", name == nullptr ? "" : name,
                      name == nullptr ? absl::StrCat(death.signal()) : "");
}

const char* ByWhom(v1::KilledBy killed_by) {
  switch (killed_by) {
    case v1::KILLED_BY_ITSELF:
      return ", by itself";
    case v1::KILLED_BY_TIME_LIMIT:
      return ", for its time limit";
    case v1::KILLED_BY_CANCEL:
      return ", because it was cancelled";
    case v1::KILLED_BY_TERMINATE:
      return ", because the pool was terminated";
    case v1::KILLED_BY_OUTSIDER:
      return ", by somebody else (an operator, or the kernel for want of memory)";
    default:
      return "";
  }
}

std::string Certificate(const v1::DeathCertificate& death) {
  std::string text = absl::StrCat("its worker (pid ", death.pid(), ") ", HowItEnded(death), ByWhom(death.killed_by()));
  absl::StrAppend(&text, "; it had used ", SpanText(Seconds(death.cpu_time())), " of CPU in ",
                  SpanText(Seconds(death.wall_time())), ", at most ", SizeText(death.peak_rss_bytes()));
  return text;
}

void AppendIndented(std::string& text, const char* title, const std::string& lines) {
  if (lines.empty()) return;
  absl::StrAppend(&text, "\n  ", title, ":");
  std::string body = lines;
  while (!body.empty() && body.back() == '\n') body.pop_back();
  for (const auto& line : absl::StrSplit(body, '\n')) absl::StrAppend(&text, "\n    ", line);
}

}  // namespace

std::string StateWord(v1::TaskState state) {
  const std::string& name = v1::TaskState_Name(state);
  const std::size_t prefix = std::strlen("TASK_STATE_");
  return name.size() > prefix ? name.substr(prefix) : "UNKNOWN";
}

ExitStatus PrintOutcome(const std::string& function, const v1::Outcome& outcome, bool raw) {
  if (outcome.state() != v1::TASK_STATE_SUCCEEDED) {
    Warn(absl::StrCat(function, " ", ExplainOutcome(outcome)));
    return StatusOf(outcome.state());
  }
  const std::string text = ResultText(outcome.result(), raw);
  const bool nothing = !raw && text == "null";
  if (raw) std::fwrite(text.data(), 1, text.size(), stdout);
  if (!raw && !nothing) PrintLine(text);
  return ExitStatus::kOk;
}

ExitStatus StatusOf(v1::TaskState state) {
  switch (state) {
    case v1::TASK_STATE_SUCCEEDED:
      return ExitStatus::kOk;
    case v1::TASK_STATE_FAILED:
      return ExitStatus::kFailed;
    case v1::TASK_STATE_CRASHED:
      return ExitStatus::kCrashed;
    case v1::TASK_STATE_TIMED_OUT:
    case v1::TASK_STATE_EXPIRED:
      return ExitStatus::kTimedOut;
    case v1::TASK_STATE_CANCELLED:
      return ExitStatus::kCancelled;
    default:
      return ExitStatus::kWaitPassed;
  }
}

ExitStatus Worse(ExitStatus a, ExitStatus b) {
  if (a == ExitStatus::kOk) return b;
  if (b == ExitStatus::kOk) return a;
  return a < b ? a : b;
}

std::string ExplainOutcome(const v1::Outcome& outcome) {
  if (outcome.state() == v1::TASK_STATE_SUCCEEDED) return "";
  std::string text = StateWord(outcome.state());
  const v1::Failure& failure = outcome.failure();
  if (!failure.type().empty()) absl::StrAppend(&text, ": ", failure.type());
  if (!failure.message().empty()) absl::StrAppend(&text, ": ", failure.message());
  if (outcome.has_death()) absl::StrAppend(&text, ": ", Certificate(outcome.death()));
  if (outcome.attempt() > 1) absl::StrAppend(&text, "\n  attempts: ", outcome.attempt());
  if (outcome.poison()) absl::StrAppend(&text, "\n  set aside: it ended too many workers");
  AppendIndented(text, "thrown at", failure.backtrace());
  return text;
}

std::string ResultText(const v1::Payload& result, bool raw) {
  if (raw && result.encoding() == v1::ENCODING_RAW) return result.data();
  const Json value = JsonFromPayload(result);
  if (raw && value.is_string()) return value.get<std::string>();
  if (raw && value.is_object() && value.contains("$bytes")) {
    std::string bytes;
    absl::Base64Unescape(value["$bytes"].get<std::string>(), &bytes);
    return bytes;
  }
  return Dump(value);
}

}  // namespace poold::cli
