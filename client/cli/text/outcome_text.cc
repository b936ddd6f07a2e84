#include "cli/text/outcome_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/text/console.h"
#include "cli/text/message_json.h"
#include "cli/text/state_text.h"
#include "cli/text/text_table.h"
#include "nlohmann/json.hpp"
#include "poold/codec/text.h"
#include "src/terminal_text.h"

namespace poold::cli {
namespace {

std::string HowItEnded(const v1::DeathCertificate& death) {
  if (death.signal() == 0) return absl::StrCat("exited with code ", death.exit_code());
  return "was ended by " + SignalName(death.signal());
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
    case v1::KILLED_BY_MEMORY_LIMIT:
      return ", because it went above the pool's memory limit";
    case v1::KILLED_BY_KERNEL:
      return ", by the kernel (it was out of memory, or a resource limit was reached)";
    case v1::KILLED_BY_OUTSIDER:
      return ", by somebody else (an operator, or the kernel for want of memory)";
    default:
      return "";
  }
}

std::string Certificate(const v1::DeathCertificate& death) {
  const std::string worker = death.worker_id() == 0 ? "its worker" : absl::StrCat("its worker ", death.worker_id());
  std::string text = absl::StrCat(worker, " (pid ", death.pid(), ") ", HowItEnded(death), ByWhom(death.killed_by()));
  absl::StrAppend(&text, "; it had used ", SpanText(Seconds(death.cpu_time())), " of CPU in ",
                  SpanText(Seconds(death.wall_time())), ", at most ", SizeText(death.peak_rss_bytes()));
  return text;
}

void AppendIndented(std::string& text, const char* title, const std::string& lines) {
  if (lines.empty()) return;
  absl::StrAppend(&text, "\n  ", title, ":");
  std::string body = client::internal::Lines(lines);
  while (!body.empty() && body.back() == '\n') body.pop_back();
  for (const auto& line : absl::StrSplit(body, '\n')) absl::StrAppend(&text, "\n    ", line);
}

// Its further lines stand further in than what is told behind it.
std::string MessageText(const std::string& message) {
  return absl::StrReplaceAll(client::internal::Lines(message), {{"\n", "\n      "}});
}

}  // namespace

ExitStatus PrintOutcome(const std::string& function, const v1::Outcome& outcome, bool raw) {
  if (outcome.state() != v1::TASK_STATE_SUCCEEDED) {
    Warn(absl::StrCat(function, " ", ExplainOutcome(outcome)));
    return StatusOf(outcome.state());
  }
  const std::string text = ResultText(outcome.result(), raw);
  const bool nothing = text == "null" && ResultText(outcome.result(), /*raw=*/false) == "null";
  if (!nothing) PrintBytes(raw ? text : text + '\n');
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
  if (outcome.state() == v1::TASK_STATE_SUCCEEDED || outcome.state() == v1::TASK_STATE_UNSPECIFIED) return "";
  std::string text = StateWord(outcome.state());
  const v1::Failure& failure = outcome.failure();
  if (!failure.type().empty()) absl::StrAppend(&text, ": ", client::internal::OneLine(failure.type()));
  if (!failure.message().empty()) absl::StrAppend(&text, ": ", MessageText(failure.message()));
  if (outcome.has_death()) absl::StrAppend(&text, ": ", Certificate(outcome.death()));
  if (outcome.attempt() > 1) absl::StrAppend(&text, "\n  attempts: ", outcome.attempt());
  if (outcome.poison()) absl::StrAppend(&text, "\n  set aside: it ended too many workers");
  AppendIndented(text, "thrown at", failure.backtrace());
  AppendIndented(text, "where it was", outcome.death().backtrace());
  return text;
}

std::string ResultText(const v1::Payload& result, bool raw) {
  if (raw && result.encoding() == v1::ENCODING_RAW) return result.data();
  if (raw && result.encoding() == v1::ENCODING_MSGPACK) {
    if (const auto text = codec::ReadOnlyText(result.data())) return std::string(*text);
  }
  return Dump(JsonFromPayload(result));
}

}  // namespace poold::cli
