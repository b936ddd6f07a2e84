#include "cli/context.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/message_json.h"

namespace poold::cli {

ExitStatus Complain(const absl::Status& status) {
  const std::string reason = client::ReasonOf(status);
  if (reason.empty() && absl::IsUnavailable(status)) {
    const std::string text(status.message());
    Warn(text.ends_with("POOLD_ADDRESS") ? text + " or --address" : text + "; is it running? --address names another");
    return ExitStatus::kUnreachable;
  }
  if (reason == "HANDLE_LOST") {
    Warn(absl::StrCat("LOST: ", std::string(status.message())));
    return ExitStatus::kCancelled;
  }
  const std::string mark = reason.empty() ? absl::StatusCodeToString(status.code()) : reason;
  Warn(absl::StrCat(std::string(status.message()), " (", mark, ")"));
  return ExitStatus::kRefused;
}

Patience::Patience(const GlobalOptions& global) {
  if (global.wait_timeout) end_ = std::chrono::steady_clock::now() + *global.wait_timeout;
}

bool Patience::Over() const { return end_ && std::chrono::steady_clock::now() >= *end_; }

Duration Patience::Left() const {
  if (!end_) return client::kForever;
  return std::max<Duration>(*end_ - std::chrono::steady_clock::now(), Duration::zero());
}

google::protobuf::Duration Patience::Next(Duration most) const { return ToProto(std::min(Left(), most)); }

}  // namespace poold::cli
