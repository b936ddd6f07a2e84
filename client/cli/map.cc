#include <unistd.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/item_printer.h"
#include "cli/live_output.h"
#include "cli/map_items.h"
#include "cli/message_json.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

using Handle = client::MapHandle<client::Payload>;

client::MapOptions OptionsFrom(const MapOptions& options, const Context& context) {
  client::MapOptions map;
  map.chunk_size = options.chunk_size;
  map.fail_fast = options.fail_fast;
  map.task = TaskOptionsFrom(options.task);
  if (options.output && !options.no_wait) map.task.on_output = LiveOutput(context.json());
  return map;
}

ExitStatus PrintHandle(const Handle& handle, const Context& context) {
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

void OnInterrupt(const MapOptions& options, const Handle& handle) {
  const std::string id = handle.id().ToHex();
  if (options.cancel_on_interrupt) {
    Warn("cancelling; a second Ctrl-C leaves it to itself");
    handle.Cancel(/*running=*/true).IgnoreError();
    return;
  }
  Warn(absl::StrCat("the map goes on; how far it is: poolctl get ", id, "; to stop it: poolctl cancel --running ", id));
  _exit(static_cast<int>(ExitStatus::kInterrupted));
}

ExitStatus WaitPassed(const Handle& handle) {
  handle.Keep();
  Warn(absl::StrCat("the map is not finished and goes on; its items: poolctl get --items ", handle.id().ToHex()));
  return ExitStatus::kWaitPassed;
}

ExitStatus PrintItems(const MapOptions& options, const Handle& handle, const Context& context) {
  ItemPrinter printer({.json = context.json(), .raw = options.raw_output, .with_index = options.as_completed});
  auto reader = handle.Read(options.as_completed ? client::MapOrder::kAsCompleted : client::MapOrder::kInOrder);
  const Patience patience(context.global());
  while (true) {
    auto item = reader.Next(patience.Left());
    if (!item.ok()) {
      return client::ReasonOf(item.status()) == "WAIT_TIMEOUT" ? WaitPassed(handle) : Complain(item.status());
    }
    if (!item->has_value()) return printer.status();
    const client::MapItem<client::Payload>& next = **item;
    if (next.result.ok()) {
      printer.PrintResult(next.index, ToMessage(*next.result));
    } else if (next.outcome) {
      printer.PrintOther(next.index, *next.outcome);
    } else {
      return Complain(next.result.status());
    }
  }
}

}  // namespace

ExitStatus Run(const MapOptions& options, Context& context) {
  auto items = ItemsOf(options);
  if (!items.ok()) return ComplainUsage(std::string(items.status().message()));
  const client::Pool pool(context.client().connection(), context.global().pool);
  const Handle handle = pool.MapPayloads<client::Payload>(options.function, *items, OptionsFrom(options, context));
  if (options.no_wait) {
    handle.Keep();
    return PrintHandle(handle, context);
  }
  Interrupt interrupt([&] { OnInterrupt(options, handle); });
  return PrintItems(options, handle, context);
}

}  // namespace poold::cli
