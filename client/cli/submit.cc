#include <unistd.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/exec_call.h"
#include "cli/live/interrupt.h"
#include "cli/live/progress.h"
#include "cli/text/message_json.h"
#include "cli/text/outcome_text.h"
#include "cli/text/state_text.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

using SubmittedTask = client::TaskHandle<client::Payload>;

// What a task prints, and how far it says that it is: both on the thread that reads the connection.
void ShowLive(const SubmitOptions& options, const Context& context, const std::shared_ptr<LiveBar>& bar,
              client::TaskOptions& task) {
  // What a program of exec prints is its result.
  if (options.output && !IsExec(options.function)) {
    task.on_output = [print = LiveOutput(context.json(), options.raw_output), bar](const client::Output& output) {
      bar->Clear();
      print(output);
    };
  }
  if (options.progress == ShowProgress::kNever) return;
  task.on_progress = [bar](const client::Progress& progress) { bar->Show(progress); };
}

absl::StatusOr<client::TaskOptions> OptionsFrom(const SubmitOptions& options, const Context& context,
                                                const std::shared_ptr<LiveBar>& bar) {
  client::TaskOptions task = client::FromProto(options.task);
  if (!options.no_wait) ShowLive(options, context, bar, task);
  if (options.id.empty()) return task;
  task.id = client::HandleId::FromHex(options.id);
  if (!task.id) return absl::InvalidArgumentError(absl::StrCat("--id: ", options.id, " is not 32 hex digits"));
  return task;
}

ExitStatus PrintHandle(const SubmittedTask& handle, const Context& context) {
  // What the daemon refuses, it refuses before it has taken what was sent.
  if (absl::Status status = context.client().Flush(context.global().wait_timeout.value_or(client::kForever));
      !status.ok()) {
    return Complain(status);
  }
  if (handle.done()) {
    if (auto outcome = handle.outcome(); !outcome.ok()) return Complain(outcome.status());
  }
  if (context.json()) {
    PrintJson(Json{{"id", handle.id().ToHex()}});
  } else {
    PrintLine(handle.id().ToHex());
  }
  return ExitStatus::kOk;
}

ExitStatus PrintAnswer(const SubmitOptions& options, const v1::Outcome& outcome) {
  const bool ran = IsExec(options.function) && outcome.state() == v1::TASK_STATE_SUCCEEDED;
  if (!ran) return PrintOutcome(options.function, outcome, options.raw_output);
  auto result = ExecResultFrom(outcome.result());
  if (!result.ok()) return ComplainUsage(std::string(result.status().message()));
  PrintExec(*result, options.raw_output);
  return static_cast<ExitStatus>(result->Status());
}

ExitStatus PrintEnd(const SubmitOptions& options, const SubmittedTask& handle, const Context& context) {
  const auto ended = handle.outcome();
  if (!ended.ok()) return Complain(ended.status());
  v1::Outcome outcome = ToProto(*ended);
  if (outcome.state() == v1::TASK_STATE_SUCCEEDED) {
    // It may have to be fetched still.
    auto result = handle.Get();
    if (!result.ok()) return Complain(result.status());
    *outcome.mutable_result() = ToProto(*result);
  }
  if (!context.json()) return PrintAnswer(options, outcome);
  v1::Task task;
  task.set_id(handle.id().ToBytes());
  task.set_pool(context.global().pool);
  task.set_function(options.function);
  task.set_state(outcome.state());
  *task.mutable_outcome() = std::move(outcome);
  PrintJson(JsonFromMessage(task));
  return StatusOf(task.state());
}

void OnInterrupt(const SubmitOptions& options, const SubmittedTask& handle) {
  const std::string id = handle.id().ToHex();
  if (options.cancel_on_interrupt) {
    Warn("cancelling; a second Ctrl-C leaves it to itself");
    handle.Cancel(/*running=*/true).IgnoreError();
    return;
  }
  Warn(absl::StrCat(options.function, " goes on; its outcome: poolctl get ", id,
                    "; to stop it: poolctl cancel --running ", id));
  _exit(static_cast<int>(ExitStatus::kInterrupted));
}

}  // namespace

ExitStatus Run(const SubmitOptions& options, Context& context) {
  auto args = ArgumentsOf(options);
  if (!args.ok()) return ComplainInput(args.status());
  const auto bar = std::make_shared<LiveBar>(MakeBar(options.progress, options.function));
  auto task = OptionsFrom(options, context, bar);
  if (!task.ok()) return ComplainUsage(std::string(task.status().message()));
  const client::Pool pool(context.client().connection(), context.global().pool);
  const SubmittedTask handle = pool.SubmitPayload<client::Payload>(*task, options.function, *args);
  if (options.no_wait || options.keep || task->id) handle.Keep();
  if (options.no_wait) return PrintHandle(handle, context);

  Interrupt interrupt([&] { OnInterrupt(options, handle); });
  const absl::Status ended = handle.Await(context.global().wait_timeout.value_or(client::kForever));
  bar->End();
  if (!handle.done()) {
    handle.Keep();
    if (client::ReasonOf(ended) == reason::kWouldDeadlock) return Complain(ended);
    Warn(
        absl::StrCat(options.function, " is not finished and goes on; its outcome: poolctl get ", handle.id().ToHex()));
    if (context.json()) PrintJson(Json{{"id", handle.id().ToHex()}, {"state", StateWord(ToProto(handle.state()))}});
    return ExitStatus::kWaitPassed;
  }
  const ExitStatus status = PrintEnd(options, handle, context);
  if (Written()) return status;
  handle.Keep();
  Warn(absl::StrCat("its outcome is kept: poolctl get ", handle.id().ToHex()));
  return ExitStatus::kNoOutput;
}

}  // namespace poold::cli
