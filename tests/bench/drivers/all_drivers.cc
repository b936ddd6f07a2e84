#include "drivers/all_drivers.h"

#include "drivers/bare_forks.h"
#include "drivers/beanstalkd.h"
#include "drivers/poold_driver.h"
#include "drivers/python_pool.h"
#include "drivers/redis.h"
#include "drivers/sleeping_poold.h"
#include "drivers/socket_relay.h"
#include "drivers/socketpair_pool.h"
#include "drivers/stream_echo.h"
#include "drivers/unary_calls.h"
#ifdef POOLD_BENCH_GEARMAN
#include "drivers/gearman.h"
#endif

namespace poold::bench {

Drivers AllDrivers(const Place& place, std::uint32_t workers) {
  Drivers drivers;
  const bool unix_socket = place.address.rfind("unix:", 0) == 0 || place.address.front() == '/';
  drivers.push_back(std::make_unique<PooldDriver>(unix_socket ? "poold-unix" : "poold-tcp", place.address, workers));
  if (unix_socket) {
    drivers.push_back(std::make_unique<PooldDriver>("poold-grpc", place.address, workers, /*only_grpc=*/true));
  }
  if (!place.tcp_address.empty()) {
    drivers.push_back(std::make_unique<PooldDriver>("poold-tcp", place.tcp_address, workers));
  }
  drivers.push_back(std::make_unique<UnaryCalls>(place.address, workers));
  drivers.push_back(std::make_unique<SleepingPoold>(workers));
  drivers.push_back(std::make_unique<StreamEcho>());
  drivers.push_back(std::make_unique<SocketpairPool>(workers));
  drivers.push_back(std::make_unique<SocketRelay>());
  drivers.push_back(std::make_unique<BareForks>(place.address, workers));
  if (PythonPool::Installed()) {
    drivers.push_back(std::make_unique<PythonPool>("pool", workers));
    drivers.push_back(std::make_unique<PythonPool>("executor", workers));
  }
#ifdef POOLD_BENCH_GEARMAN
  if (Gearman::Installed()) drivers.push_back(std::make_unique<Gearman>(workers));
#endif
  if (Beanstalkd::Installed()) {
    drivers.push_back(std::make_unique<Beanstalkd>(workers));
    drivers.push_back(std::make_unique<Beanstalkd>(workers, /*over_tcp=*/true));
  }
  if (Redis::Installed()) drivers.push_back(std::make_unique<Redis>(workers));
  return drivers;
}

}  // namespace poold::bench
