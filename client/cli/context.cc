#include "cli/context.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "cli/text/message_json.h"

namespace poold::cli {
namespace {

// The command that helps further where the daemon refused something for this reason.
const char* HelpfulCommand(std::string_view reason) {
  static const std::map<std::string_view, const char*> kCommands{
      {reason::kFunctionNotFound, "poolctl functions"}, {reason::kPoolNotFound, "poolctl pools"},
      {reason::kHandleNotFound, "poolctl tasks"},       {reason::kPoolExists, "poolctl pools"},
      {reason::kPoolFailed, "poolctl pools"},           {reason::kPoolStillRunning, "poolctl close --help"}};
  const auto found = kCommands.find(reason);
  return found == kCommands.end() ? nullptr : found->second;
}

}  // namespace

ExitStatus Complain(const absl::Status& status) {
  const std::string reason = client::ReasonOf(status);
  if (reason.empty() && absl::IsUnavailable(status)) {
    const std::string text(status.message());
    Warn(text.ends_with("POOLD_ADDRESS") ? text + " or --address" : text + "; is it running? --address names another");
    return ExitStatus::kUnreachable;
  }
  if (reason == reason::kHandleLost) {
    Warn(absl::StrCat("LOST: ", std::string(status.message())));
    return ExitStatus::kCancelled;
  }
  const std::string mark = reason.empty() ? absl::StatusCodeToString(status.code()) : reason;
  const char* const command = HelpfulCommand(reason);
  Warn(absl::StrCat(std::string(status.message()), " (", mark, ")",
                    command == nullptr ? "" : "; see: ", command == nullptr ? "" : command));
  return ExitStatus::kRefused;
}

Patience::Patience(const GlobalOptions& global) {
  constexpr Duration kAsGoodAsForever = std::chrono::hours(24 * 365 * 100);
  if (global.wait_timeout && *global.wait_timeout < kAsGoodAsForever) {
    end_ = std::chrono::steady_clock::now() + *global.wait_timeout;
  }
}

bool Patience::Over() const { return end_ && std::chrono::steady_clock::now() >= *end_; }

Duration Patience::Left() const {
  if (!end_) return client::kForever;
  return std::max<Duration>(*end_ - std::chrono::steady_clock::now(), Duration::zero());
}

google::protobuf::Duration Patience::Next(Duration most) const { return client::ToProto(std::min(Left(), most)); }

}  // namespace poold::cli
