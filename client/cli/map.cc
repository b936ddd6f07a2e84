// Map: items in, results out, both as they come.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <optional>

#include "absl/strings/str_cat.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/exec_call.h"
#include "cli/items/item_printer.h"
#include "cli/items/item_source.h"
#include "cli/items/map_feed.h"
#include "cli/live/interrupt.h"
#include "cli/live/progress.h"
#include "cli/text/message_json.h"
#include "cli/text/state_text.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

using SubmittedMap = client::MapHandle<client::Payload>;

// Items read ahead of the results printed.
constexpr uint64_t kBuffer = 100'000;
// While results come faster than they are printed, the bar is looked after once in so many.
constexpr uint64_t kLookEach = 256;

client::MapOptions OptionsFrom(const MapOptions& options, const Context& context) {
  client::MapOptions map;
  if (options.map.has_chunk_size()) map.chunk_size = options.map.chunk_size();
  map.fail_fast = options.map.fail_fast();
  map.task = client::FromProto(options.task);
  if (options.output && !options.no_wait && !IsExec(options.function)) {
    map.task.on_output = LiveOutput(context.json(), options.raw_output);
  }
  return map;
}

ExitStatus PrintHandle(const SubmittedMap& handle, const Context& context) {
  if (absl::Status status = context.client().Flush(context.global().wait_timeout.value_or(client::kForever));
      !status.ok()) {
    return Complain(status);
  }
  if (absl::Status status = handle.ref().refusal(); !status.ok()) return Complain(status);
  if (context.json()) {
    PrintJson(Json{{"id", handle.id().ToHex()}});
  } else {
    PrintLine(handle.id().ToHex());
  }
  return ExitStatus::kOk;
}

ExitStatus WaitPassed(const SubmittedMap& handle) {
  handle.Keep();
  Warn(absl::StrCat("the map is not finished and goes on; its items: poolctl get --items ", handle.id().ToHex()));
  return ExitStatus::kWaitPassed;
}

// The results of a map, from the first to the last, on our standard output.
class ResultPrinter {
 public:
  ResultPrinter(const MapOptions& options, const Context& context, MapFeed& feed)
      : feed_(feed),
        reader_(feed.handle().Read(options.as_completed ? client::MapOrder::kAsCompleted : client::MapOrder::kInOrder)),
        patience_(context.global()),
        bar_(MakeBar(options.progress, options.function)),
        printer_({.json = context.json(),
                  .raw = options.raw_output,
                  .with_index = options.as_completed,
                  .exec = IsExec(options.function)}) {}

  // From any thread: what is left is cancelled, what runs too.
  void Interrupt() {
    interrupted_ = true;
    Cancel();
  }

  ExitStatus Run() {
    while (true) {
      auto item = Next();
      if (std::ferror(stdout) != 0) return NobodyReads();
      if (!item.ok()) return Stopped(item.status());
      if (!item->has_value()) return End();
      feed_.Took();
      if (absl::Status status = Print(**item); !status.ok()) return Complain(status);
    }
  }

 private:
  using Item = client::MapItem<client::Payload>;

  // What is printed is seen before we wait for more.
  absl::StatusOr<std::optional<Item>> Next() {
    auto item = reader_.Next(Duration::zero());
    if (bar_ != nullptr && printer_.printed() % kLookEach == 0) LookAtBar();
    if (item.ok() || client::ReasonOf(item.status()) != reason::kWaitTimeout) return item;
    if (std::fflush(stdout) != 0) return item;
    if (bar_ == nullptr) return reader_.Next(patience_.Left());
    while (!item.ok() && client::ReasonOf(item.status()) == reason::kWaitTimeout) {
      LookAtBar();
      if (patience_.Over()) break;
      item = reader_.Next(std::min<Duration>(patience_.Left(), kProgressStep));
    }
    return item;
  }

  absl::Status Print(const Item& item) {
    if (bar_ != nullptr && (!item.result.ok() || stdout_is_terminal_)) bar_->Clear();
    if (item.result.ok()) {
      printer_.PrintResult(item.index, ToProto(*item.result));
    } else if (!item.outcome) {
      return item.result.status();
    } else if (!interrupted_ || item.outcome->state != client::TaskState::kCancelled) {
      printer_.PrintOther(item.index, ToProto(*item.outcome));
    }
    return absl::OkStatus();
  }

  void LookAtBar() { bar_->Update(client::StateOf(feed_.handle().progress())); }

  // What is said from here on comes below it.
  void EndBar() {
    if (bar_ == nullptr) return;
    LookAtBar();
    bar_->Finish();
  }

  void Cancel() {
    feed_.Stop();
    feed_.handle().Cancel(/*running=*/true).IgnoreError();
  }

  ExitStatus Stopped(const absl::Status& status) {
    EndBar();
    if (client::ReasonOf(status) != reason::kWaitTimeout) return Complain(status);
    feed_.Stop();
    return WaitPassed(feed_.handle());
  }

  ExitStatus End() {
    EndBar();
    if (interrupted_) {
      Warn(absl::StrCat("interrupted: ", printer_.printed(), " items done, what was left is cancelled"));
      return ExitStatus::kInterrupted;
    }
    if (printer_.cancelled() > 0) Warn(Count(printer_.cancelled(), "item") + " CANCELLED");
    // Why the input ended where it did.
    if (absl::Status status = feed_.Finish(); !status.ok()) return ComplainInput(status);
    return printer_.status();
  }

  // As when the reader of a pipe has seen enough. What was left is cancelled.
  ExitStatus NobodyReads() {
    Written();
    EndBar();
    Cancel();
    return ExitStatus::kNoOutput;
  }

  MapFeed& feed_;
  SubmittedMap::Reader reader_;
  const Patience patience_;
  const std::unique_ptr<client::ProgressBar> bar_;
  const bool stdout_is_terminal_ = isatty(STDOUT_FILENO) != 0;
  ItemPrinter printer_;
  std::atomic<bool> interrupted_ = false;
};

uint64_t BufferOf(const MapOptions& options) {
  if (options.no_wait) return UINT64_MAX;
  return options.buffer.value_or(kBuffer);
}

}  // namespace

ExitStatus Run(const MapOptions& options, Context& context) {
  auto source = ItemSource::Open(options);
  if (!source.ok()) return ComplainInput(source.status());
  const client::Pool pool(context.client().connection(), context.global().pool);
  MapFeed feed(pool, {.function = options.function, .map = OptionsFrom(options, context), .buffer = BufferOf(options)},
               *std::move(source));
  if (options.no_wait) {
    feed.handle().Keep();
    if (absl::Status status = feed.Finish(); !status.ok()) return ComplainInput(status);
    return PrintHandle(feed.handle(), context);
  }
  ResultPrinter printer(options, context, feed);
  const Interrupt interrupt([&printer] { printer.Interrupt(); });
  return printer.Run();
}

}  // namespace poold::cli
