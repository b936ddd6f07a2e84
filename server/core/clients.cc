// Clients come and go, and what they wait for is looked at again when they have room for outcomes.
//
// Lines of a client that has no room are taken out of the ready queues, all of each in constant time, and go back when
// the client has room again: see outcome/kept_outcomes.h.
#include <algorithm>
#include <utility>

#include "core/state.h"

namespace poold::core {

void Core::State::NotePresence(ClientId client, bool present) {
  maps.open().NotePresence(now, client, present);
  pools.NotePresence(now, client, present);
}

// A step for each.
void Core::State::CloseLostMaps(ClientId client) {
  while (MapRun* map = maps.open().NextLost(client)) {
    if (!steps.any()) return maps.open().GoOnLater(now, client);
    steps.Spend(1);
    if (Reach(*map)) continue;
    const std::shared_ptr<Pool> pool = map->group->pool;
    maps.Close(*map);
    Reconcile(*pool);
  }
}

void Core::State::OwnersGone(Pool& gone) {
  const std::shared_ptr<Pool> pool = gone.shared_from_this();
  if (pool->spec.on_owner_lost == OwnerLost::kTerminate) {
    TerminatePool(*pool, pool->spec.stop_grace, "its pool's owner is gone");
  } else {
    ClosePool(*pool, /*cancel_queued=*/false);
  }
}

void Core::State::ClientGoes(ClientId id) {
  ClientQuota* client = endings.kept().Goes(id);
  if (client == nullptr) return;
  WakeClients();
  endings.kept().Leave(*client);
}

// While the daemon drains nobody has a floor, and nobody is held up.
void Core::State::AllClientsGo() {
  while (!endings.kept().room().present().empty()) ClientGoes(endings.kept().room().present().back()->id);
}

void Core::State::WakeEachClient() {
  if (std::exchange(is_waking, true)) return;
  while (ClientQuota* client = endings.kept().NextToWake()) WakeClient(*client);
  is_waking = false;
}

void Core::State::WakeClient(ClientQuota& client) {
  std::vector<std::shared_ptr<Pool>> settle;
  for (const HeldLine& line : endings.kept().TakeLines(client)) {
    if (!endings.kept().room().HasRoom(client) && !scheduler.Drains(*line.pool)) {
      KeptOutcomes::HoldOn(client, line);
      continue;
    }
    Scheduler::LetGo(line);
    const std::shared_ptr<Pool> pool = pools.At(line.pool->id);
    if (pool == nullptr) continue;  // it is over; only outcomes of it are kept
    if (std::find(settle.begin(), settle.end(), pool) == settle.end()) settle.push_back(pool);
  }
  endings.kept().Woken(client);
  for (const std::shared_ptr<Pool>& pool : settle) {
    if (pool->dispatches()) Reconcile(*pool);
  }
}

}  // namespace poold::core
