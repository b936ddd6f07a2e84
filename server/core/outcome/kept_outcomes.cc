#include "core/outcome/kept_outcomes.h"

#include <algorithm>

namespace poold::core {
namespace {

// What came may be a little more than what goes for it: so what was too much, because more clients have come, goes
// little by little.
constexpr std::uint64_t kMoreBytes = 16 << 10;
// Handles that are looked at, and go, at once. What is too much then goes with what comes next.
constexpr int kMostAtOnce = 4096;

}  // namespace

// ---- Clients ----

ClientQuota& KeptOutcomes::Know(ClientId id) {
  std::unique_ptr<ClientQuota>& client = clients_[id];
  if (client == nullptr) {
    client = std::make_unique<ClientQuota>();
    client->id = id;
    client->number = ++last_number_;
  }
  return *client;
}

ClientQuota& KeptOutcomes::Find(ClientId id, const ClientOrigin& origin) {
  if (latest_ == nullptr || latest_->id != id) latest_ = &Know(id);
  if (latest_ == unused_) unused_ = nullptr;
  latest_->origin = origin;
  return *latest_;
}

ClientQuota* KeptOutcomes::Enter(ClientId id, const ClientOrigin& origin) {
  ClientQuota& client = Find(id, origin);
  ++client.queues;
  return &client;
}

void KeptOutcomes::Leave(ClientQuota& client) {
  if (--client.queues > 0 || client.present || &client == unused_) return;
  if (ClientQuota* unused = std::exchange(unused_, &client)) {
    timers_->Clear(&unused->kept_timer);
    UnlistLeft(*unused);
    if (unused == latest_) latest_ = nullptr;
    clients_.erase(unused->id);
  }
}

void KeptOutcomes::Comes(ClientId id, const ClientOrigin& origin) {
  ClientQuota& client = Find(id, origin);
  if (client.present) return;
  UnlistLeft(client);
  aside_bytes_ -= client.aside_bytes;
  room_.Come(&client);
  ListAside(client);
  ListRunning(client);
  TellRoom(client);
}

ClientQuota* KeptOutcomes::Goes(ClientId id) {
  const auto at = clients_.find(id);
  if (at == clients_.end() || !at->second->present) return nullptr;
  ClientQuota& client = *at->second;
  ++client.queues;
  room_.Go(&client);
  aside_bytes_ += client.aside_bytes;
  ListAside(client);
  ListRunning(client);
  TellOne(client);
  TellRoom(client);
  if (!client.kept.empty()) ListLeft(client, EndOf(client.kept.front()));
  NoteFreed(client);
  return &client;
}

ClientView KeptOutcomes::ViewOf(const ClientQuota& client) const {
  ClientView view;
  view.id = client.id;
  view.origin = client.origin;
  view.present = client.present;
  view.room_is_short = client.is_short;
  view.held_up = !client.held.empty();
  view.kept_bytes = client.used;
  view.floor_bytes = room_.floor();
  view.common_bytes = room_.common();
  view.common_used = room_.common_used();
  return view;
}

ClientView KeptOutcomes::View(ClientId id) const {
  const auto at = clients_.find(id);
  return at == clients_.end() ? ClientView() : ViewOf(*at->second);
}

std::vector<ClientView> KeptOutcomes::ViewHeldUp() const {
  std::vector<ClientView> views;
  for (const Node* node = held_.front(); node != nullptr; node = held_.After(node)) {
    views.push_back(ViewOf(*static_cast<const ClientQuota*>(node)));
  }
  return views;
}

// ---- Who is told ----

void KeptOutcomes::TellScarce(ClientQuota& client) {
  if (room_.scarce() == told_scarce_) return TellOne(client);
  told_scarce_ = room_.scarce();
  for (ClientQuota* one : room_.present()) TellOne(*one);
}

void KeptOutcomes::TellOne(ClientQuota& client) {
  if (room_.IsShort(client) == client.is_short) return;
  client.is_short = !client.is_short;
  port_->RoomIsShort(client.id, client.is_short);
  TellGoesOn(client);
}

// Of one that was held up, when it has room again and all that it has waits only for workers.
void KeptOutcomes::TellGoesOn(ClientQuota& client) {
  if (client.is_short || !client.held.empty() || !std::exchange(client.told_held_up, false)) return;
  port_->ClientIsHeldUp(ViewOf(client), false);
}

// ---- Clients without room ----

void KeptOutcomes::HoldUp(ClientQuota& client, const HeldLine& line) {
  client.held.push_back(line);
  if (!client.linked()) held_.PushBack(&client);
  if (!std::exchange(client.told_held_up, true)) port_->ClientIsHeldUp(ViewOf(client), true);
}

HeldLine KeptOutcomes::EndLine(ClientQuota& client, const ClientQueue* queue) {
  const auto at =
      std::find_if(client.held.begin(), client.held.end(), [queue](const HeldLine& one) { return one.queue == queue; });
  const HeldLine line = *at;
  client.held.erase(at);
  if (!client.held.empty()) return line;
  (client.waking ? waking_ : held_).Remove(&client);
  client.waking = false;
  TellGoesOn(client);
  return line;
}

void KeptOutcomes::WakeAll() {
  if (faults_.never_wake) return;
  while (Node* node = held_.front()) {
    held_.Remove(node);
    waking_.PushBack(node);
    static_cast<ClientQuota*>(node)->waking = true;
  }
}

void KeptOutcomes::NoteFreed(ClientQuota& client) {
  if (held_.empty() || faults_.never_wake) return;
  if (room_.open()) return WakeAll();
  if (!client.linked() || client.waking || !room_.HasRoom(client)) return;
  held_.Remove(&client);
  waking_.PushBack(&client);
  client.waking = true;
}

std::vector<HeldLine> KeptOutcomes::TakeLines(ClientQuota& client) {
  waking_.Remove(&client);
  client.waking = false;
  return std::exchange(client.held, {});
}

void KeptOutcomes::Woken(ClientQuota& client) {
  if (!client.held.empty()) held_.PushBack(&client);
  TellGoesOn(client);
}

// ---- Keeping ----

void KeptOutcomes::NoteKept(Nanos now, ClientQuota& client) {
  if (client.kept_timer == kNoTimer) ArmTimer(client);
  if (!client.present && client.oldest_left == kNever) ListLeft(client, now);
}

void KeptOutcomes::ArmTimer(ClientQuota& client) {
  const Node* oldest = client.kept.front();
  const Nanos ended_at = oldest == nullptr ? kNever : EndOf(oldest);
  const Nanos when = ttl_ > kNever - ended_at ? kNever : ended_at + ttl_;
  timers_->Set(&client.kept_timer, when, TimerKind::kOutcomes, &client);
}

void KeptOutcomes::Due(Nanos now, ClientQuota& client, Steps* steps) {
  ++client.queues;  // so that it stays while its last outcome goes
  while (Node* oldest = client.kept.front()) {
    if (!steps->any() || now - EndOf(oldest) < ttl_) break;
    steps->Spend(1);
    listener_->Expire(*oldest);
  }
  ArmTimer(client);
  Leave(client);
}

void KeptOutcomes::ListLeft(ClientQuota& client, Nanos oldest) {
  client.oldest_left = oldest;
  left_.emplace(std::pair(oldest, client.number), &client);
}

void KeptOutcomes::UnlistLeft(ClientQuota& client) {
  if (client.oldest_left == kNever) return;
  left_.erase({client.oldest_left, client.number});
  client.oldest_left = kNever;
}

// ---- Aside ----

void KeptOutcomes::ListAside(ClientQuota& client) {
  if (client.oldest_aside != kNever) left_aside_.erase({client.oldest_aside, client.number});
  client.oldest_aside = kNever;
  if (client.present || client.aside.empty()) return;
  client.oldest_aside = EndOf(client.aside.front());
  left_aside_.emplace(std::pair(client.oldest_aside, client.number), &client);
}

void KeptOutcomes::UncountAside(ClientQuota& client, std::uint64_t bytes) {
  client.aside_bytes -= bytes;
  if (!client.present) aside_bytes_ -= bytes;
}

void KeptOutcomes::SetAside(ClientQuota& client, Node* handle) {
  client.kept.Remove(handle);
  client.aside.PushBack(handle);
  listener_->WasSetAside(*handle);
  const std::uint64_t bytes = listener_->KeptBytes(*handle);
  client.aside_bytes += bytes;
  if (!client.present) aside_bytes_ += bytes;
  if (client.aside.size() == 1) ListAside(client);
}

void KeptOutcomes::LeaveAside(ClientQuota& client, Node* handle) {
  const bool first = client.aside.front() == handle;
  client.aside.Remove(handle);
  if (first) ListAside(client);
}

void KeptOutcomes::ReturnAside(Nanos now, ClientQuota& client, Node* handle) {
  UncountAside(client, listener_->KeptBytes(*handle));
  LeaveAside(client, handle);
  Keep(now, client, handle);
}

// ---- What makes way ----

Node* KeptOutcomes::OldestOf(ClientQuota& client) {
  while (Node* node = faults_.drop_newest ? client.kept.back() : client.kept.front()) {
    if (!listener_->IsAwaited(*node)) return node;
    SetAside(client, node);
  }
  return nullptr;
}

// Those who wait for outcomes of others do not get more than half of the room for what was left: of what is more, the
// oldest goes all the same.
Node* KeptOutcomes::OldestAside() const {
  if (aside_bytes_ <= (room_.left_floor() + room_.common()) / 2) return nullptr;
  return left_aside_.begin()->second->aside.front();
}

Node* KeptOutcomes::OldestLeft() {
  if (Node* oldest = OldestAside()) return oldest;
  while (!left_.empty()) {
    ClientQuota& client = *left_.begin()->second;
    const Nanos listed = client.oldest_left;
    Node* oldest = OldestOf(client);
    if (oldest != nullptr && (EndOf(oldest) <= listed || left_.size() == 1)) return oldest;
    UnlistLeft(client);
    if (oldest != nullptr) ListLeft(client, EndOf(oldest));
  }
  return OldestAside();
}

void KeptOutcomes::ListRunning(ClientQuota& client) {
  const bool runs_on = !client.present && !client.running.empty();
  if (runs_on == std::exchange(client.runs_on, runs_on)) return;
  if (runs_on) {
    left_running_.emplace(client.number, &client);
  } else {
    left_running_.erase(client.number);
  }
}

std::uint64_t KeptOutcomes::DropRunningOf(ClientQuota& client, bool are_awaited, std::uint64_t enough, int* looks) {
  std::uint64_t freed = 0;
  for (Node* node = client.running.front(); node != nullptr && freed<enough&& * looks> 0; --*looks) {
    Node& map = *static_cast<KeepsAndRuns*>(node)->handle;
    node = client.running.After(node);
    if (listener_->IsAwaited(map) != are_awaited) continue;
    freed += listener_->KeptBytes(map);
    listener_->Drop(map);
  }
  return freed;
}

bool KeptOutcomes::DropRunningThat(bool are_awaited, ClientQuota* client, std::uint64_t enough, int* looks) {
  if (client != nullptr) return DropRunningOf(*client, are_awaited, enough, looks) > 0;
  std::uint64_t freed = 0;
  for (auto at = left_running_.begin(); at != left_running_.end() && freed<enough&& * looks> 0;) {
    ClientQuota& left = *(at++)->second;
    freed += DropRunningOf(left, are_awaited, enough - freed, looks);
  }
  return freed > 0;
}

bool KeptOutcomes::DropRunning(ClientQuota* client, std::uint64_t enough, int* looks) {
  return DropRunningThat(/*are_awaited=*/false, client, enough, looks) ||
         DropRunningThat(/*are_awaited=*/true, client, 1, looks);
}

void KeptOutcomes::MakeWay(ClientQuota& client, std::uint64_t bytes, bool drains) {
  drains = drains && client.present;
  std::uint64_t most = 2 * bytes + kMoreBytes;
  for (int looks = kMostAtOnce; most > 0 && looks > 0 && (room_.IsOverfull() || (drains && room_.IsBeyond(client)));
       --looks) {
    Node* const oldest = room_.IsOverfull() ? OldestLeft() : OldestOf(client);
    if (oldest == nullptr) {
      // More of what runs goes than has to, so that it is seldom looked for.
      const std::uint64_t enough = (room_.left_floor() + room_.common()) / 16 + 1;
      if (!DropRunning(room_.IsOverfull() ? nullptr : &client, enough, &looks)) return;
      continue;
    }
    most -= std::min(most, listener_->KeptBytes(*oldest));
    if (faults_.keep_count) room_.Add(client, 1);
    listener_->Drop(*oldest);
  }
}

// ---- What must hold ----

std::string KeptOutcomes::Check() const {
  std::vector<const ClientQuota*> clients;
  std::size_t held_up = 0;
  std::size_t left = 0;
  std::size_t left_aside = 0;
  std::uint64_t aside_bytes = 0;
  for (const auto& [id, client] : clients_) {
    if (client->id != id) return "a client is known by a wrong id";
    if (std::string wrong = CheckOne(*client); !wrong.empty()) return wrong;
    clients.push_back(client.get());
    held_up += client->linked();
    left += client->oldest_left != kNever;
    left_aside += client->oldest_aside != kNever;
    if (!client->present) aside_bytes += client->aside_bytes;
  }
  if (held_up != held_.size() + waking_.size()) return "a client that is held up is not known";
  if (left != left_.size() || left_aside != left_aside_.size()) return "a client that left something is not known";
  if (aside_bytes != aside_bytes_) return "what was left and set aside is miscounted";
  return room_.Check(clients);
}

std::string KeptOutcomes::CheckOne(const ClientQuota& client) const {
  if (client.linked() != !client.held.empty()) return "a client is held up and has no such line, or has one and is not";
  if (client.waking && !client.linked()) return "a client is about to wake that was not held up";
  if (client.runs_on != (!client.present && !client.running.empty())) return "it is not known what runs on for nobody";
  if (client.runs_on != left_running_.contains(client.number))
    return "a client that left something running is not known";
  if (client.queues == 0 && !client.present && &client != unused_) return "a client is known that is of no use";
  if (!client.kept.empty() && ttl_ < kNever && client.kept_timer == kNoTimer) return "outcomes are kept for ever";
  const bool leaves = !client.present && !client.kept.empty();
  if (leaves && client.oldest_left == kNever) return "a client left something, and is not listed";
  if (client.present && client.oldest_left != kNever) return "a client is present, and listed as one that left";
  const auto key = std::pair(client.oldest_left, client.number);
  if (client.oldest_left != kNever && !left_.contains(key)) return "a client is listed in a wrong place";
  std::uint64_t aside = 0;
  for (const Node* node = client.aside.front(); node != nullptr; node = client.aside.After(node)) {
    aside += listener_->KeptBytes(*node);
  }
  if (aside != client.aside_bytes) return "what is set aside of a client is miscounted";
  const bool leaves_aside = !client.present && !client.aside.empty();
  return leaves_aside == (client.oldest_aside != kNever) ? "" : "what a client set aside is listed, and should not be";
}

}  // namespace poold::core
