// What must hold between two events.
#include "core/state.h"

namespace poold::core {
namespace {

std::string CheckPool(const Pool& pool) {
  for (const std::string& wrong : {pool.owners.Check(), pool.present->tries.Check(), Staffing::Check(pool)}) {
    if (!wrong.empty()) return wrong;
  }
  for (const MapRun* map : pool.maps) {
    if (std::string wrong = MapCourse::Check(*map); !wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace

std::string Core::State::CheckRooms() const {
  for (const std::string& wrong : {delivery.streams().Check(), waits.Check(), delivery.watches().Check(),
                                   endings.kept().Check(), store.Check(), maps.open().Check(), pools.Check()}) {
    if (!wrong.empty()) return wrong;
  }
  for (const auto& [id, pool] : pools.all()) {
    for (const std::string& wrong : {CheckPool(*pool), scheduler.Check(*pool)}) {
      if (!wrong.empty()) return wrong;
    }
  }
  return "";
}

}  // namespace poold::core
