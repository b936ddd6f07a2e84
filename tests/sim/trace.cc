#include "trace.h"

#include <cstdio>
#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/errors.h"

namespace poold::core::sim {
namespace {

template <typename Number>
std::uint64_t N(Number number) {
  return static_cast<std::uint64_t>(number);
}

std::string Text(HandleId id) { return absl::StrCat(absl::Hex(id.high), ":", absl::Hex(id.low)); }

std::string Text(const absl::Status& status) {
  return absl::StrCat(" refused ", DetailOf(status).reason, " ", std::string(status.message()));
}

std::string Text(const Outcome& outcome) {
  std::string text =
      absl::StrCat(" state ", N(outcome.state), " attempt ", outcome.attempt, " at ", outcome.submitted_at, " ",
                   outcome.started_at, " ", outcome.ended_at, " bytes ", outcome.result.data.size());
  if (outcome.detail == nullptr) return text;
  if (outcome.detail->failure) absl::StrAppend(&text, " failure ", outcome.detail->failure->message);
  if (outcome.detail->death) absl::StrAppend(&text, " killed by ", N(outcome.detail->death->killed_by));
  return absl::StrCat(text, " poison ", N(outcome.detail->poison));
}

std::string Text(const ItemBlock& block) {
  std::string text = absl::StrCat(" items ", block.first_index, " + ", block.result_bytes.size());
  for (const auto& [index, outcome] : block.others) absl::StrAppend(&text, " other ", index, Text(*outcome));
  return text;
}

std::string Text(const PoolView& view) {
  const PoolStats& s = view.stats;
  std::string text = absl::StrCat(" pool ", view.spec.name, " workers ", view.spec.workers, " state ", N(view.state),
                                  " generation ", view.generation, " reloading ", N(view.reloading), " why ",
                                  view.failure, view.start_failure, view.reload_failure);
  for (const std::uint64_t count : {s.queued,
                                    s.running,
                                    s.queued_bytes,
                                    s.submitted,
                                    s.succeeded,
                                    s.failed,
                                    s.crashed,
                                    s.timed_out,
                                    s.expired,
                                    s.cancelled,
                                    s.retried,
                                    s.dropped_results,
                                    s.workers_started,
                                    s.workers_lost,
                                    s.retracted,
                                    s.kept_outcomes,
                                    s.kept_outcome_bytes,
                                    s.recycled,
                                    s.reloads,
                                    s.rollbacks,
                                    s.dropped_outcomes}) {
    absl::StrAppend(&text, " ", count);
  }
  for (const WorkerView& worker : view.workers) {
    absl::StrAppend(&text, " worker ", N(worker.id), " ", N(worker.state), " ", worker.tasks_done);
  }
  for (const FunctionView& function : view.function_states) {
    absl::StrAppend(&text, " function ", function.name, " ", function.calls, " ", function.deaths_in_a_row, " ",
                    function.breaker_open_for);
  }
  return text;
}

std::string Text(const TaskView& view) {
  const std::string outcome = view.outcome == nullptr ? "" : Text(*view.outcome);
  return absl::StrCat(" task ", Text(view.id), " state ", N(view.state), " attempt ", view.attempt, " worker ",
                      N(view.worker), " since ", view.started_at, outcome);
}

std::string Text(const MapView& view) {
  return absl::StrCat(" map ", Text(view.id), " items ", view.items, " done ", view.done_items, " bad ",
                      view.unsuccessful_items, " running ", view.running_items, " over ", N(view.done));
}

std::string Text(const OutputEvent& event) {
  return absl::StrCat(" output ", Text(event.id), " ", N(event.stream), " ", event.data.size());
}

std::string Text(const ProgressEvent& event) {
  return absl::StrCat(" progress ", Text(event.id), " ", event.progress.index, " ", event.progress.text);
}

template <typename Variant>
std::string TextOfAny(const Variant& view) {
  return std::visit([](const auto& one) { return Text(one); }, view);
}

std::string TextOf(const std::vector<HandleId>& ids) {
  std::string text;
  for (const HandleId id : ids) absl::StrAppend(&text, " ", Text(id));
  return text;
}

}  // namespace

void Trace::Note(std::string_view text) {
  const std::string line = absl::StrCat(*now_, " ", absl::string_view(text.data(), text.size()));
  if (prints_) std::printf("%s\n", line.c_str());
  for (const char c : line) digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
}

// ---- Clients ----

void Trace::SendOutcome(SubscriberId to, HandleId task, OutcomePtr outcome) {
  Note(absl::StrCat("outcome to ", N(to), " of ", Text(task), Text(*outcome)));
  clients_->SendOutcome(to, task, std::move(outcome));
}

void Trace::SendItems(SubscriberId to, HandleId map, ItemBlockPtr items) {
  Note(absl::StrCat("items to ", N(to), " of ", Text(map), Text(*items)));
  clients_->SendItems(to, map, std::move(items));
}

void Trace::SendMapEnd(SubscriberId to, const MapView& map) {
  Note(absl::StrCat("map end to ", N(to), Text(map)));
  clients_->SendMapEnd(to, map);
}

void Trace::SendOutput(SubscriberId to, const OutputEvent& output) {
  Note(absl::StrCat("output to ", N(to), Text(output)));
  clients_->SendOutput(to, output);
}

void Trace::SendProgress(SubscriberId to, const ProgressEvent& progress) {
  Note(absl::StrCat("progress to ", N(to), Text(progress)));
  clients_->SendProgress(to, progress);
}

void Trace::AnswerOpenPool(SubscriberId to, absl::StatusOr<PoolView> pool, bool created) {
  Note(absl::StrCat("open ", N(to), " created ", N(created), pool.ok() ? Text(*pool) : Text(pool.status())));
  clients_->AnswerOpenPool(to, std::move(pool), created);
}

void Trace::AnswerGet(SubscriberId to, absl::StatusOr<HandleView> handle) {
  Note(absl::StrCat("get ", N(to), handle.ok() ? TextOfAny(*handle) : Text(handle.status())));
  clients_->AnswerGet(to, std::move(handle));
}

void Trace::AnswerWait(SubscriberId to, absl::StatusOr<WaitAnswer> answer) {
  Note(absl::StrCat("wait ", N(to),
                    answer.ok() ? absl::StrCat(" first ", N(answer->first), " done", TextOf(answer->done), " not done",
                                               TextOf(answer->not_done))
                                : Text(answer.status())));
  clients_->AnswerWait(to, std::move(answer));
}

void Trace::AnswerClose(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled) {
  Note(absl::StrCat("close ", N(to), cancelled.ok() ? absl::StrCat(" ", *cancelled) : Text(cancelled.status())));
  clients_->AnswerClose(to, std::move(cancelled));
}

void Trace::AnswerTerminate(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled) {
  Note(absl::StrCat("terminate ", N(to), cancelled.ok() ? absl::StrCat(" ", *cancelled) : Text(cancelled.status())));
  clients_->AnswerTerminate(to, std::move(cancelled));
}

void Trace::AnswerReload(SubscriberId to, absl::StatusOr<PoolView> pool) {
  Note(absl::StrCat("reload ", N(to), pool.ok() ? Text(*pool) : Text(pool.status())));
  clients_->AnswerReload(to, std::move(pool));
}

void Trace::AnswerJoin(SubscriberId to, absl::StatusOr<bool> done) {
  Note(absl::StrCat("join ", N(to), done.ok() ? absl::StrCat(" ", N(*done)) : Text(done.status())));
  clients_->AnswerJoin(to, std::move(done));
}

void Trace::SendEvent(SubscriberId to, WatchEvent event) {
  Note(absl::StrCat("event to ", N(to), TextOfAny(event)));
  clients_->SendEvent(to, std::move(event));
}

void Trace::EndWatch(SubscriberId to) {
  Note(absl::StrCat("watch end ", N(to)));
  clients_->EndWatch(to);
}

void Trace::RoomIsShort(ClientId client, bool is_short) {
  Note(absl::StrCat("room of ", N(client), " short ", N(is_short)));
  clients_->RoomIsShort(client, is_short);
}

void Trace::ClientIsHeldUp(const ClientView& client, bool held_up) {
  Note(absl::StrCat("client ", N(client.id), " held up ", N(held_up), " keeps ", client.kept_bytes, " of ",
                    client.floor_bytes, " common ", client.common_used, " of ", client.common_bytes));
  clients_->ClientIsHeldUp(client, held_up);
}

void Trace::StartsChanged() {
  Note("starts changed");
  clients_->StartsChanged();
}

void Trace::AllPoolsGone() {
  Note("all pools gone");
  clients_->AllPoolsGone();
}

// ---- Workers ----

void Trace::StartZygote(PoolId pool, std::uint32_t generation, const PoolSpec& spec) {
  Note(absl::StrCat("start zygote ", N(pool), " ", generation));
  workers_->StartZygote(pool, generation, spec);
}

void Trace::StopZygote(PoolId pool, std::uint32_t generation) {
  Note(absl::StrCat("stop zygote ", N(pool), " ", generation));
  workers_->StopZygote(pool, generation);
}

void Trace::StartWorker(PoolId pool, std::uint32_t generation, WorkerId worker) {
  Note(absl::StrCat("start worker ", N(pool), " ", generation, " ", N(worker)));
  workers_->StartWorker(pool, generation, worker);
}

void Trace::Dispatch(WorkerId worker, std::vector<Assignment> work) {
  for (const Assignment& one : work) {
    std::uint64_t items = 0;
    for (const ItemSlice& slice : one.items) items += slice.count;
    Note(absl::StrCat("dispatch to ", N(worker), " ", N(one.token), " function ", one.function, " attempt ",
                      one.attempt, " items ", items));
  }
  workers_->Dispatch(worker, std::move(work));
}

std::uint32_t Trace::TakeBack(WorkerId worker, AttemptToken token, std::uint32_t keep) {
  const std::uint32_t came = workers_->TakeBack(worker, token, keep);
  Note(absl::StrCat("take back from ", N(worker), " ", N(token), " keep ", keep, " came ", came));
  return came;
}

void Trace::StopWorker(WorkerId worker) {
  Note(absl::StrCat("stop worker ", N(worker)));
  workers_->StopWorker(worker);
}

void Trace::KillWorker(WorkerId worker, Nanos grace) {
  Note(absl::StrCat("kill worker ", N(worker), " ", grace));
  workers_->KillWorker(worker, grace);
}

}  // namespace poold::core::sim
