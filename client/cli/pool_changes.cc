// Resize, reload, close, terminate, join.
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/text/message_json.h"
#include "cli/text/state_text.h"
#include "nlohmann/json.hpp"

namespace poold::cli {

ExitStatus Run(const ResizeOptions& options, Context& context) {
  v1::ResizeRequest request;
  request.set_pool(options.pool);
  request.set_workers(options.workers);
  auto response = context.daemon().Resize(request);
  if (!response.ok()) return Complain(response.status());
  if (context.json()) {
    PrintJson(JsonFromMessage(*response));
  } else {
    PrintLine(absl::StrCat(options.pool, ": ", Count(options.workers, "worker")));
  }
  return ExitStatus::kOk;
}

ExitStatus Run(const ReloadOptions& options, Context& context) {
  v1::ReloadRequest request;
  request.set_pool(options.pool);
  auto response = context.daemon().Reload(request);
  if (!response.ok()) return Complain(response.status());
  if (context.json()) {
    PrintJson(JsonFromMessage(*response));
  } else {
    PrintLine(absl::StrCat(options.pool, ": generation ", response->pool().generation()));
  }
  return ExitStatus::kOk;
}

ExitStatus Run(const CloseOptions& options, Context& context) {
  v1::CloseRequest request;
  request.set_pool(options.pool);
  request.set_cancel_queued(options.cancel_queued);
  auto response = context.daemon().Close(request);
  if (!response.ok()) return Complain(response.status());
  if (context.json()) {
    PrintJson(JsonFromMessage(*response));
  } else if (options.cancel_queued) {
    PrintLine(absl::StrCat(options.pool, ": closing, ", response->cancelled_tasks(), " queued cancelled"));
  }
  return ExitStatus::kOk;
}

ExitStatus Run(const TerminateOptions& options, Context& context) {
  v1::TerminateRequest request;
  request.set_pool(options.pool);
  if (options.grace) *request.mutable_grace() = client::ToProto(*options.grace);
  request.set_forget(options.forget);
  auto response = context.daemon().Terminate(request);
  if (!response.ok()) return Complain(response.status());
  if (context.json()) {
    PrintJson(JsonFromMessage(*response));
  } else {
    PrintLine(absl::StrCat(options.pool, options.forget ? ": terminated and forgotten, " : ": terminated, ",
                           response->cancelled_tasks(), " unfinished cancelled"));
  }
  return ExitStatus::kOk;
}

ExitStatus Run(const JoinOptions& options, Context& context) {
  const client::Pool pool(context.client().connection(), options.pool);
  const absl::Status status = pool.Join(Patience(context.global()).Left());
  const bool over = client::ReasonOf(status) == reason::kWaitTimeout;
  if (!status.ok() && !over) return Complain(status);
  if (context.json()) PrintJson(Json{{"done", !over}});
  if (!over) return ExitStatus::kOk;
  Warn(options.pool + " still has processes; ask again, or: poolctl terminate " + options.pool);
  return ExitStatus::kWaitPassed;
}

}  // namespace poold::cli
