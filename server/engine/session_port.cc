#include "engine/session_port.h"

#include <algorithm>
#include <span>
#include <utility>
#include <variant>

#include "wire/handle_shard.h"

namespace poold::engine {
namespace {

using What = Batch::HandleRequest::What;

// How many items of this map were taken; nothing if there is no such map.
std::optional<std::uint64_t> AcceptedItems(const core::Core& core, const core::HandleId& id) {
  const absl::StatusOr<core::HandleView> handle = core.ViewHandle(id);
  const auto* map = handle.ok() ? std::get_if<core::MapView>(&*handle) : nullptr;
  if (map == nullptr || map->done) return std::nullopt;
  return map->items;
}

}  // namespace

void Batch::ClearAsked() {
  tasks.clear();
  groups.clear();
  maps.clear();
  refused_maps.clear();
  without_args.clear();
  handle_requests.clear();
}

void Batch::ClearRefused() {
  refused.clear();
  returned.clear();
}

void SessionPort::Enter(const std::shared_ptr<Subscriber>& session, const core::ClientOrigin& origin) {
  origin_ = origin;
  for (std::size_t i = 0; i < engine_.size(); ++i) {
    Shard& shard = engine_.shard(i);
    ids_.push_back(shard.Enter([&](core::Core&, core::Nanos) { return shard.subscribers().Add(session); }));
  }
}

void SessionPort::Greet(core::ClientId client) {
  client_ = client;
  greets_.assign(engine_.size(), true);
  present_ = true;
}

void SessionPort::Leave() {
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    Shard& shard = engine_.shard(i);
    shard.Enter([&](core::Core& core, core::Nanos now) {
      shard.Unsubscribe(core, now, ids_[i]);
      if (present_ && shard.present().Go(client_, ids_[i])) core.OnClientAbsent(now, client_);
    });
  }
}

void SessionPort::Apply(const std::shared_ptr<Subscriber>& session, Batch* batch, absl::FunctionRef<bool()> done) {
  const ClaimedIds claimed = Route(batch);
  while (const std::optional<std::size_t> next = Next()) {
    waits_[*next] = false;
    Shard& shard = engine_.shard(*next);
    shard.Enter([&](core::Core& core, core::Nanos now) {
      const Visit visit{core, now, *next, ids_[*next]};
      if (!greets_.empty()) BePresent(visit, session);
      std::size_t slice = core::kSlice;
      const bool all = ApplyDoubtful(visit, batch, &slice) && ApplyTasks(visit, batch, &slice) &&
                       ApplyMaps(visit, batch, &slice) && ApplyRequests(visit, batch, &slice);
      if (!all) Await(*next);
      if (!Next() && done()) shard.subscribers().MarkDirty(session);
    });
  }
  greets_.clear();
  // Tasks are the cores' now, or nobody's.
  batch->ClearAsked();
}

void SessionPort::BePresent(const Visit& visit, const std::shared_ptr<Subscriber>& session) {
  if (!greets_[visit.shard]) return;
  greets_[visit.shard] = false;
  const bool first = engine_.shard(visit.shard).present().Come(client_, visit.me);
  if (first) visit.core.OnClientPresent(visit.now, client_, origin_);
  if (!first && visit.core.ViewClient(client_).room_is_short) session->OnRoom(true);
}

// ---- Where each part goes ----

ClaimedIds SessionPort::Route(Batch* batch) {
  waits_.assign(engine_.size(), !greets_.empty());
  if (engine_.size() == 1) return Await(0), ClaimedIds();
  const Shards& directory = engine_.directory();
  std::erase_if(batch->groups, [&](Batch::Tasks& tasks) { return RefuseStrayTasks(&tasks, batch); });
  std::erase_if(batch->maps, [&](const Batch::Map& map) {
    absl::Status told = directory.CheckTold(map.group.id, map.group.pool, "map.id");
    if (told.ok()) return false;
    batch->refused.push_back({map.group.id, std::move(told)});
    return true;
  });
  for (Batch::Tasks& tasks : batch->groups) tasks.shard = directory.OfPool(tasks.group.pool);
  for (Batch::Map& map : batch->maps) map.shard = directory.OfPool(map.group.pool);
  ClaimedIds claimed = ClaimIds(batch);
  for (const Batch::Tasks& tasks : batch->groups) Await(tasks.shard);
  for (const Batch::Map& map : batch->maps) Await(map.shard);
  for (std::vector<Batch::Doubtful>* doubtful : {&batch->refused_maps, &batch->without_args}) {
    for (Batch::Doubtful& one : *doubtful) {
      one.shard = directory.OfPool(one.pool);
      Await(one.shard);
    }
  }
  RouteRequests(batch);
  if (!Next()) Await(0);
  return claimed;
}

// What another shard has is refused.
ClaimedIds SessionPort::ClaimIds(Batch* batch) const {
  std::vector<Shards::NewId> ids;
  for (const Batch::Tasks& tasks : batch->groups) {
    for (std::size_t i = 0; i < tasks.count; ++i) ids.push_back({batch->tasks[tasks.begin + i].id, tasks.shard});
  }
  for (const Batch::Map& map : batch->maps) ids.push_back({map.group.id, map.shard});
  std::vector<absl::Status> why;
  ClaimedIds claimed = engine_.directory().Claim(ids, &why);
  std::span<const absl::Status> rest = why;
  for (Batch::Tasks& tasks : batch->groups) {
    const std::size_t asked = tasks.count;
    RefuseTaken(rest.first(asked), &tasks, batch);
    rest = rest.subspan(asked);
  }
  std::erase_if(batch->groups, [](const Batch::Tasks& tasks) { return tasks.count == 0; });
  std::erase_if(batch->maps, [&](const Batch::Map& map) {
    const absl::Status own = rest.front();
    rest = rest.subspan(1);
    if (!own.ok()) batch->refused.push_back({map.group.id, own});
    return !own.ok();
  });
  return claimed;
}

// Those of the group that may not be: the others stay, in their order.
void SessionPort::RefuseTaken(std::span<const absl::Status> why, Batch::Tasks* tasks, Batch* batch) {
  const auto own = std::span(batch->tasks).subspan(tasks->begin, tasks->count);
  std::size_t stay = 0;
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (why[i].ok()) {
      if (stay != i) own[stay] = std::move(own[i]);
      ++stay;
      continue;
    }
    batch->refused.push_back({own[i].id, why[i]});
    if (tasks->upload_id.empty()) continue;
    batch->returned.push_back({std::move(tasks->upload_id), std::move(own[i].args.data), why[i]});
  }
  tasks->count = stay;
}

// Ids of another shard than their pool's. True: the tasks are refused.
bool SessionPort::RefuseStrayTasks(Batch::Tasks* tasks, Batch* batch) const {
  const auto own = std::span(batch->tasks).subspan(tasks->begin, tasks->count);
  absl::Status told = engine_.directory().CheckTold(own.front().id, tasks->group.pool, "submit.id_high");
  if (told.ok()) told = engine_.directory().CheckTold(own.back().id, tasks->group.pool, "submit.id_high");
  if (told.ok()) return false;
  for (const core::NewTask& task : own) batch->refused.push_back({task.id, told});
  if (!tasks->upload_id.empty()) {
    batch->returned.push_back({std::move(tasks->upload_id), std::move(own.front().args.data), told});
  }
  return true;
}

// Each piece says the same of its shard. What does not say it is looked for in one after the other.
void SessionPort::RouteRequests(Batch* batch) {
  constexpr std::uint64_t kOfOneShard = std::uint64_t{1} << wire::kShardShift;
  for (Batch::HandleRequest& asked : std::exchange(batch->handle_requests, {})) {
    for (std::uint64_t left = asked.count; left > 0;) {
      asked.count = std::min(left, kOfOneShard - asked.first.low % kOfOneShard);
      const std::optional<std::size_t> told = engine_.directory().Told(asked.first);
      asked.shard = told.value_or(0);
      asked.others = told ? 0 : engine_.size() - 1;
      AddRequest(batch, asked);
      asked.first.low += asked.count;
      left -= asked.count;
    }
  }
}

void SessionPort::AddRequest(Batch* batch, const Batch::HandleRequest& asked) {
  Await(asked.shard);
  if (asked.what != What::kConsumed && !batch->handle_requests.empty()) {
    Batch::HandleRequest& last = batch->handle_requests.back();
    const bool goes_on = last.what == asked.what && last.shard == asked.shard && last.others == asked.others &&
                         last.first.high == asked.first.high && last.first.low + last.count == asked.first.low;
    if (goes_on) {
      last.count += asked.count;
      return;
    }
  }
  batch->handle_requests.push_back(asked);
}

std::optional<std::size_t> SessionPort::Next() const {
  const auto next = std::find(waits_.begin(), waits_.end(), true);
  if (next == waits_.end()) return std::nullopt;
  return next - waits_.begin();
}

// ---- Inside the events ----

bool SessionPort::ApplyDoubtful(const Visit& visit, Batch* batch, std::size_t* slice) {
  if (batch->without_args.empty()) return true;
  std::vector<Batch::Doubtful> left;
  bool all = true;
  for (Batch::Doubtful& one : batch->without_args) {
    if (one.shard != visit.shard || *slice == 0) {
      all &= one.shard != visit.shard;
      left.push_back(std::move(one));
      continue;
    }
    --*slice;
    if (!visit.core.OnSubscribe(visit.now, visit.me, one.refused.id).ok()) {
      batch->refused.push_back(std::move(one.refused));
    }
  }
  batch->without_args = std::move(left);
  return all;
}

bool SessionPort::ApplyTasks(const Visit& visit, Batch* batch, std::size_t* slice) {
  bool all = true;
  for (Batch::Tasks& tasks : batch->groups) {
    if (tasks.shard != visit.shard || tasks.count == 0) continue;
    if (*slice == 0) {
      all = false;
      break;
    }
    tasks.group.subscriber = visit.me;
    tasks.group.origin = origin_;
    const std::size_t refused_before = refusals_.size();
    const auto own = std::span(batch->tasks).subspan(tasks.begin, std::min(tasks.count, *slice));
    tasks.begin += own.size();
    tasks.count -= own.size();
    *slice -= own.size();
    all = tasks.count == 0;
    visit.core.OnSubmit(visit.now, tasks.group, own, &refusals_);
    if (tasks.upload_id.empty() || refusals_.size() == refused_before) continue;
    batch->returned.push_back({std::move(tasks.upload_id), std::move(own.front().args.data), refusals_.back().why});
  }
  for (core::Refusal& refusal : refusals_) batch->refused.push_back({refusal.id, std::move(refusal.why)});
  refusals_.clear();
  return all;
}

bool SessionPort::ApplyMaps(const Visit& visit, Batch* batch, std::size_t* slice) {
  std::erase_if(batch->refused_maps, [&](Batch::Doubtful& one) {
    if (one.shard != visit.shard) return false;
    one.refused.accepted_items = AcceptedItems(visit.core, one.refused.id);
    batch->refused.push_back(std::move(one.refused));
    return true;
  });
  for (Batch::Map& map : batch->maps) {
    if (map.shard != visit.shard || map.is_applied) continue;
    if (*slice == 0) return false;
    --*slice;
    map.is_applied = true;
    map.group.subscriber = visit.me;
    map.group.origin = origin_;
    const absl::StatusOr<std::uint64_t> items = visit.core.OnMap(visit.now, map.group);
    if (items.ok()) continue;
    Batch::Refused& refused = batch->refused.emplace_back(Batch::Refused{map.group.id, items.status()});
    if (!absl::IsAlreadyExists(items.status())) refused.accepted_items = AcceptedItems(visit.core, map.group.id);
  }
  return true;
}

bool SessionPort::ApplyRequests(const Visit& visit, Batch* batch, std::size_t* slice) {
  if (batch->handle_requests.empty()) return true;
  bool all = true;
  for (Batch::HandleRequest& asked : std::exchange(batch->handle_requests, {})) {
    const std::uint64_t here = asked.shard == visit.shard ? std::min<std::uint64_t>(asked.count, *slice) : 0;
    *slice -= here;
    for (std::uint64_t i = 0; i < here; ++i) {
      const core::HandleId id{asked.first.high, asked.first.low + i};
      const absl::Status found = Ask(visit, asked, id);
      const bool stray = asked.others > 0 && !found.ok() && visit.core.Knows(id) == core::Known::kNo;
      if (stray) {
        LookElsewhere(batch, asked, id);
      } else if (!found.ok() && asked.what == What::kSubscribe) {
        batch->refused.push_back({id, found});
      }
    }
    if (here == asked.count) continue;
    all &= asked.shard != visit.shard;
    asked.first.low += here;
    asked.count -= here;
    AddRequest(batch, asked);
  }
  return all;
}

// What a cancel comes to shows in the outcome; what is not known any more is nothing to cancel, or to release.
absl::Status SessionPort::Ask(const Visit& visit, const Batch::HandleRequest& asked, const core::HandleId& id) const {
  core::Core& core = visit.core;
  switch (asked.what) {
    case What::kSubscribe:
      return core.OnSubscribe(visit.now, visit.me, id);
    case What::kCancel:
    case What::kCancelRunning:
      return core.OnCancel(visit.now, id, asked.what == What::kCancelRunning).status();
    case What::kRelease:
      return core.OnRelease(visit.now, id) || drop_other_(id) ? absl::OkStatus() : absl::NotFoundError("");
    case What::kConsumed:
      core.OnConsumed(visit.now, id, asked.first_item, asked.items);
      return asked.others == 0 || core.Knows(id) == core::Known::kYes ? absl::OkStatus() : absl::NotFoundError("");
  }
  return absl::OkStatus();
}

void SessionPort::LookElsewhere(Batch* batch, const Batch::HandleRequest& asked, const core::HandleId& id) {
  Batch::HandleRequest elsewhere = asked;
  elsewhere.first = id;
  elsewhere.count = 1;
  elsewhere.shard = (asked.shard + 1) % engine_.size();
  --elsewhere.others;
  AddRequest(batch, elsewhere);
}

}  // namespace poold::engine
