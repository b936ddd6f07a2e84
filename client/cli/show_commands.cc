// Pools, workers, functions, stats, info: what is there now.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/text/message_json.h"
#include "cli/text/state_text.h"
#include "cli/text/text_table.h"
#include "nlohmann/json.hpp"
#include "src/terminal_text.h"

namespace poold::cli {
namespace {

std::string Dash(const std::string& text) { return text.empty() ? "-" : text; }

// The help behind it shall be seen.
std::string Short(const std::string& signature) {
  constexpr std::size_t kColumns = 40;
  const std::string shown = client::internal::OneLine(signature);
  if (client::internal::Columns(shown) <= kColumns) return shown;
  return std::string(client::internal::FirstColumns(shown, kColumns - 2)) + "..";
}

std::string Number(uint64_t number) { return absl::StrCat(number); }

absl::StatusOr<v1::Pool> GetPool(const std::string& name, Context& context) {
  v1::GetPoolRequest request;
  request.set_name(name);
  auto response = context.daemon().GetPool(request);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_pool());
}

std::string HeldUpText(const v1::HeldUpClient& client) {
  std::string text = absl::StrCat(client.client(), ": keeps ", SizeText(client.kept_outcome_bytes()), " of outcomes");
  if (client.has_uid()) absl::StrAppend(&text, ", uid ", client.uid());
  if (client.has_pid()) absl::StrAppend(&text, ", pid ", client.pid());
  if (client.connection() != 0) absl::StrAppend(&text, ", connection ", client.connection());
  return text;
}

std::string Counters(const v1::PoolStats& s) {
  TextTable table({"", ""});
  table.Add({"queued", Number(s.queued())});
  table.Add({"queued bytes", SizeText(s.queued_bytes())});
  table.Add({"running", Number(s.running())});
  table.Add({"submitted", Number(s.submitted())});
  table.Add({"succeeded", Number(s.succeeded())});
  table.Add({"failed", Number(s.failed())});
  table.Add({"crashed", Number(s.crashed())});
  table.Add({"timed out", Number(s.timed_out())});
  table.Add({"expired", Number(s.expired())});
  table.Add({"cancelled", Number(s.cancelled())});
  table.Add({"retried", Number(s.retried())});
  table.Add({"dropped results", Number(s.dropped_results())});
  table.Add({"taken back", Number(s.retracted())});
  table.Add({"workers started", Number(s.workers_started())});
  table.Add({"workers lost", Number(s.workers_lost())});
  table.Add({"workers recycled", Number(s.recycled())});
  table.Add({"reloads", Number(s.reloads())});
  table.Add({"rolled back", Number(s.rollbacks())});
  table.Add({"outcomes kept", absl::StrCat(s.kept_outcomes(), " (", SizeText(s.kept_outcome_bytes()), ")")});
  table.Add({"outcomes dropped", Number(s.dropped_outcomes())});
  return table.Text().substr(1);
}

std::string LimitsText(const v1::ServerLimits& limits) {
  TextTable table({"", ""});
  table.Add({"message", SizeText(limits.max_message_bytes())});
  table.Add({"inline result", SizeText(limits.max_inline_result_bytes())});
  table.Add({"arguments or result", SizeText(limits.max_payload_bytes())});
  table.Add({"kept outcomes", SizeText(limits.max_kept_outcome_bytes())});
  table.Add({"tasks in memory", SizeText(limits.max_task_bytes())});
  table.Add({"arguments in memory", SizeText(limits.max_argument_bytes())});
  table.Add({"outcome kept for", SpanText(Seconds(limits.outcome_ttl()))});
  table.Add({"upload kept for", SpanText(Seconds(limits.upload_ttl()))});
  table.Add({"remembered ids", Number(limits.remembered_ids())});
  table.Add({"longest wait", SpanText(Seconds(limits.max_wait()))});
  table.Add({"pools", Number(limits.max_pools())});
  table.Add({"workers of a pool", Number(limits.max_workers_per_pool())});
  table.Add({"payloads in shared memory", SizeText(limits.max_shared_memory_bytes())});
  table.Add({"payloads on disk", SizeText(limits.max_spool_bytes())});
  table.Add({"tail of output", SizeText(limits.output_tail_bytes())});
  table.Add({"items of a call", Number(limits.max_items_per_call())});
  table.Add({"parts of a message", Number(limits.max_message_parts())});
  table.Add({"owner may be away", SpanText(Seconds(limits.owner_grace()))});
  return table.Text().substr(1);
}

std::string MemoryText(const v1::MemoryBudget& memory) {
  TextTable table({"MEMORY", "USED", "MOST"});
  std::uint64_t used = 0;
  for (const v1::MemoryPart& part : memory.parts()) {
    table.Add({part.name(), SizeText(part.used_bytes()), SizeText(part.max_bytes())});
    used += part.used_bytes();
  }
  table.Add({"budget", SizeText(used), SizeText(memory.budget_bytes())});
  return table.Text();
}

std::string ServerText(const v1::ServerInfo& info) {
  TextTable table({"", ""});
  table.Add({"version", absl::StrCat(info.version(), " (", info.api_version(), ")")});
  table.Add({"instance", info.instance_id()});
  table.Add({"pid", Number(info.pid())});
  table.Add({"running for", AgeText(info.started_at())});
  std::string containment = ContainmentWord(info.containment());
  if (!info.containment_note().empty()) absl::StrAppend(&containment, " (", info.containment_note(), ")");
  table.Add({"containment", containment});
  table.Add({"shards", Number(info.shards())});
  table.Add({"exec", info.exec_allowed() ? "allowed" : "not allowed"});
  return table.Text().substr(1);
}

}  // namespace

ExitStatus Run(const PoolsOptions&, Context& context) {
  auto response = context.daemon().ListPools();
  if (!response.ok()) return Complain(response.status());
  if (context.json()) {
    PrintJson(JsonFromMessage(*response));
    return ExitStatus::kOk;
  }
  TextTable table({"NAME", "STATE", "WORKERS", "QUEUED", "RUNNING", "SUCCEEDED", "OTHER", "MODULES"});
  for (const v1::Pool& pool : response->pools()) {
    const v1::PoolStats& stats = pool.stats();
    table.Add({pool.spec().name(), StateWord(pool.state()), Number(pool.workers_size()), Number(stats.queued()),
               Number(stats.running()), Number(stats.succeeded()), Number(Unsuccessful(stats)),
               ModulesText(pool.spec())});
  }
  Print(table);
  for (const v1::Pool& pool : response->pools()) {
    if (!pool.failure().empty()) Warn(absl::StrCat(pool.spec().name(), " failed: ", pool.failure()));
  }
  return ExitStatus::kOk;
}

ExitStatus Run(const WorkersOptions& options, Context& context) {
  auto pool = GetPool(context.PoolOr(options.pool), context);
  if (!pool.ok()) return Complain(pool.status());
  if (context.json()) {
    Json workers = Json::array();
    for (const v1::Worker& worker : pool->workers()) workers.push_back(JsonFromMessage(worker));
    PrintJson(Json{{"workers", workers}});
    return ExitStatus::kOk;
  }
  TextTable table({"WORKER", "PID", "STATE", "GENERATION", "AGE", "RSS", "TASKS", "FUNCTION"});
  for (const v1::Worker& worker : pool->workers()) {
    table.Add({Number(worker.id()), worker.pid() == 0 ? "-" : Number(worker.pid()), StateWord(worker.state()),
               Number(worker.generation()), AgeText(worker.started_at()),
               worker.rss_bytes() == 0 ? "-" : SizeText(worker.rss_bytes()), Number(worker.tasks_done()),
               worker.function().empty() ? "-" : worker.function()});
  }
  Print(table);
  return ExitStatus::kOk;
}

ExitStatus Run(const FunctionsOptions& options, Context& context) {
  v1::GetPoolRequest request;
  request.set_name(context.PoolOr(options.pool));
  auto response = context.daemon().GetPool(request);
  if (!response.ok()) return Complain(response.status());
  if (context.json()) {
    PrintJson(Json{{"functions", JsonFromMessage(*response)["functions"]}});
    return ExitStatus::kOk;
  }
  TextTable table({"FUNCTION", "ARGUMENTS", "RESULT", "HELP"});
  for (const v1::FunctionInfo& function : response->functions()) {
    const std::string arguments = absl::StrJoin(function.arguments(), ", ");
    table.Add({function.name(), Dash(Short(arguments)), Dash(Short(function.result())), Dash(function.help())});
  }
  Print(table);
  return ExitStatus::kOk;
}

ExitStatus Run(const StatsOptions& options, Context& context) {
  v1::GetStatsRequest request;
  request.set_pool(options.pool);
  auto response = context.daemon().GetStats(request);
  if (!response.ok()) return Complain(response.status());
  absl::StatusOr<v1::ServerInfo> info;
  if (options.server) {
    info = context.daemon().GetServerInfo();
    if (!info.ok()) return Complain(info.status());
  }
  if (context.json()) {
    Json document = JsonFromMessage(*response);
    if (options.server) document["server"] = JsonFromMessage(*info);
    PrintJson(document);
    return ExitStatus::kOk;
  }
  if (options.server) {
    std::string text = ServerText(*info);
    TextTable table({"", ""});
    table.Add({"sessions", Number(response->sessions())});
    table.Add({"kept outcomes", SizeText(response->kept_outcome_bytes())});
    table.Add({"payloads in shared memory", SizeText(response->shared_memory_bytes())});
    table.Add({"payloads on disk", SizeText(response->spool_bytes())});
    table.Add({"resident memory", SizeText(response->rss_bytes())});
    table.Add({"CPU time", SpanText(Seconds(response->cpu_time()))});
    table.Add({"core entries", Number(response->core_entries())});
    for (const v1::HeldUpClient& client : response->held_up_clients()) table.Add({"held up", HeldUpText(client)});
    absl::StrAppend(&text, table.Text().substr(1), "\n", MemoryText(info->memory()), "\nlimits\n",
                    LimitsText(info->limits()));
    PrintLines("daemon\n" + text + "\n");
  }
  std::map<std::string, v1::PoolStats> pools(response->pools().begin(), response->pools().end());
  bool first = true;
  for (const auto& [name, stats] : pools) {
    if (!first) PrintLine("");
    PrintLine(absl::StrCat("pool ", name));
    PrintLines(Counters(stats));
    first = false;
  }
  return ExitStatus::kOk;
}

ExitStatus Run(const InfoOptions&, Context& context) {
  auto response = context.daemon().GetServerInfo();
  if (!response.ok()) return Complain(response.status());
  if (context.json()) {
    PrintJson(JsonFromMessage(*response));
    return ExitStatus::kOk;
  }
  PrintLines(absl::StrCat(ServerText(*response), "\nlimits\n", LimitsText(response->limits())));
  return ExitStatus::kOk;
}

}  // namespace poold::cli
