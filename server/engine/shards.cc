#include "engine/shards.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "core/errors.h"
#include "wire/absl_text.h"

namespace poold::engine {
namespace {

absl::Status IdIsTaken(core::Known known) {
  const bool released = known == core::Known::kReleased;
  return core::MakeError(absl::StatusCode::kAlreadyExists, released ? reason::kHandleReleased : reason::kHandleExists,
                         released ? "this id was used, and its outcome was released; a new task or map needs a new id"
                                  : "this id belongs to a task or map of another pool; a new one needs a new id",
                         "id");
}

}  // namespace

ClaimedIds::~ClaimedIds() {
  if (shards_ != nullptr) shards_->GiveBack(ids_);
}

ClaimedIds Shards::Claim(std::span<const NewId> ids, std::vector<absl::Status>* why) const {
  why->assign(ids.size(), absl::OkStatus());
  std::vector<core::HandleId> claimed;
  if (size() == 1) return {};
  {
    absl::MutexLock lock(&claims_mu_);
    const KnownToSanitizer known(&claims_mu_);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (Told(ids[i].id)) continue;
      Claimed& one = claims_.try_emplace(ids[i].id, Claimed{ids[i].shard, 0}).first->second;
      if (one.shard != ids[i].shard) {
        (*why)[i] = IdIsTaken(core::Known::kYes);
        continue;
      }
      ++one.claims;
      claimed.push_back(ids[i].id);
    }
  }
  if (claimed.empty()) return {};
  LookInOthers(ids, why);
  return {this, std::move(claimed)};
}

// A slice of them in each event.
void Shards::LookInOthers(std::span<const NewId> ids, std::vector<absl::Status>* why) const {
  for (std::size_t begin = 0; begin < ids.size(); begin += core::kSlice) {
    const std::size_t end = std::min(ids.size(), begin + core::kSlice);
    for (std::size_t shard = 0; shard < size(); ++shard) {
      gates_[shard]->Enter([&](core::Core& core, core::Nanos) {
        for (std::size_t i = begin; i < end; ++i) {
          if (ids[i].shard == shard || Told(ids[i].id)) continue;
          const core::Known known = core.Knows(ids[i].id);
          if (known != core::Known::kNo) (*why)[i] = IdIsTaken(known);
        }
      });
    }
  }
}

void Shards::GiveBack(std::span<const core::HandleId> ids) const {
  absl::MutexLock lock(&claims_mu_);
  const KnownToSanitizer known(&claims_mu_);
  for (const core::HandleId& id : ids) {
    const auto found = claims_.find(id);
    if (--found->second.claims == 0) claims_.erase(found);
  }
}

std::size_t Shards::OfPool(std::string_view name) const { return size() == 1 ? 0 : Find(name).value_or(0); }

std::optional<std::size_t> Shards::Find(std::string_view name) const {
  absl::ReaderMutexLock lock(&places_mu_);
  const KnownToSanitizer known(&places_mu_);
  const auto at = places_.find(std::string(name));
  if (at == places_.end()) return std::nullopt;
  return at->second;
}

absl::Status Shards::CheckTold(const core::HandleId& id, std::string_view pool, std::string_view field) const {
  const std::optional<std::size_t> told = Told(id);
  if (!told) return absl::OkStatus();
  const std::optional<std::size_t> lies = Find(pool);
  if (!lies || *lies == *told) return absl::OkStatus();
  return core::MakeError(
      reason::kInvalidField,
      absl::StrCat(wire::ToAbsl(field), ": the id says shard ", *told + 1, ", but the pool '", wire::ToAbsl(pool),
                   "' lies in shard ", *lies + 1, "; make ids with Pool.shard of their pool, or without a shard"),
      field);
}

std::size_t Shards::OfHandle(const core::HandleId& id) const { return OfHandles({&id, 1}).front(); }

std::vector<std::size_t> Shards::OfHandles(std::span<const core::HandleId> ids) const {
  std::vector<std::size_t> places(ids.size(), 0);
  if (size() == 1) return places;
  std::vector<core::Known> best(ids.size(), core::Known::kNo);
  std::size_t missing = ids.size();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::optional<std::size_t> told = Told(ids[i]);
    if (!told) continue;
    places[i] = *told;
    best[i] = core::Known::kYes;
    --missing;
  }
  for (std::size_t shard = 0; shard < size() && missing > 0; ++shard) {
    gates_[shard]->Enter([&](core::Core& core, core::Nanos) {
      for (std::size_t i = 0; i < ids.size(); ++i) {
        if (best[i] == core::Known::kYes) continue;
        const core::Known known = core.Knows(ids[i]);
        if (known <= best[i]) continue;
        best[i] = known;
        places[i] = shard;
        missing -= known == core::Known::kYes ? 1 : 0;
      }
    });
  }
  return places;
}

std::size_t Shards::names() const {
  absl::ReaderMutexLock lock(&places_mu_);
  const KnownToSanitizer known(&places_mu_);
  return places_.size();
}

std::uint64_t Shards::entries() const {
  std::uint64_t sum = 0;
  for (const Gate* gate : gates_) sum += gate->entries();
  return sum;
}

Shards::Place Shards::PlaceFor(const std::string& name) {
  if (size() == 1) return {};
  ForgetNames();
  std::vector<core::Load> loads;
  for (Gate* gate : gates_) loads.push_back(gate->Enter([](core::Core& core, core::Nanos) { return core.load(); }));
  // Among equals the name decides, so that the same pools lie alike after a restart.
  std::size_t least = std::hash<std::string>()(name) % size();
  for (std::size_t shard = 0; shard < size(); ++shard) {
    const auto weight = [&](std::size_t i) { return std::tie(loads[i].workers, loads[i].pools); };
    if (weight(shard) < weight(least)) least = shard;
  }
  Place place;
  {
    absl::MutexLock lock(&places_mu_);
    const KnownToSanitizer known(&places_mu_);
    place.shard = places_.try_emplace(name, least).first->second;
  }
  for (std::size_t shard = 0; shard < size(); ++shard) place.elsewhere += shard == place.shard ? 0 : loads[shard].pools;
  return place;
}

// Of pools that nobody shows any more. So there are at most about twice as many names as pools that are shown.
void Shards::ForgetNames() {
  absl::flat_hash_map<std::string, std::size_t> places;
  {
    absl::ReaderMutexLock lock(&places_mu_);
    const KnownToSanitizer known(&places_mu_);
    if (places_.size() < forget_at_) return;
    places = places_;
  }
  for (std::size_t shard = 0; shard < size(); ++shard) {
    gates_[shard]->Enter([&](core::Core& core, core::Nanos) {
      absl::erase_if(places, [&](const auto& place) { return place.second == shard && !core.KnowsPool(place.first); });
    });
  }
  forget_at_ = std::max<std::size_t>(256, 2 * places.size());
  absl::MutexLock lock(&places_mu_);
  const KnownToSanitizer known(&places_mu_);
  places_ = std::move(places);
}

}  // namespace poold::engine
