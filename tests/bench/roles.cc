#include "roles.h"

#include <cstring>
#include <map>

#include "drivers/beanstalkd.h"
#include "drivers/redis.h"
#include "drivers/socket_relay.h"
#include "drivers/socketpair_pool.h"
#include "drivers/stream_echo.h"
#include "raw_sessions.h"
#ifdef POOLD_BENCH_GEARMAN
#include "drivers/gearman.h"
#endif

namespace poold::bench {
namespace {

using Role = int (*)(const std::vector<std::string>& arguments);

const std::map<std::string, Role>& Roles() {
  static const std::map<std::string, Role> roles = {
      {"beanstalkd-worker", WorkForBeanstalkd},
      {"sessions", HoldSessions},
      {"relay", RelayToWorker},
      {"redis-worker", WorkForRedis},
      {"socketpair-worker", WorkAtSocketpair},
      {"stream-echo", ServeStreamEcho},
#ifdef POOLD_BENCH_GEARMAN
      {"gearman-worker", WorkForGearman},
#endif
  };
  return roles;
}

}  // namespace

std::optional<int> PlayRole(int argc, const char* const* argv) {
  if (argc < 3 || std::strcmp(argv[1], kRoleFlag) != 0) return std::nullopt;
  const auto role = Roles().find(argv[2]);
  if (role == Roles().end()) return 64;
  return role->second(std::vector<std::string>(argv + 3, argv + argc));
}

}  // namespace poold::bench
