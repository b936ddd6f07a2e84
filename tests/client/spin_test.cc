// Trips to a daemon whose thread looks again before it sleeps, while others want the cores: then it stops looking, and
// must be woken as before.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "daemon_fixture.h"

namespace poold::client {
namespace {

class SpinningDaemonTest : public DaemonTest {
 protected:
  std::vector<std::string> MoreFlags() const override { return {"--spin-us", "100"}; }
};

// As many threads as there are cores, which compute until this ends.
class Burners {
 public:
  Burners() {
    for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) {
      threads_.emplace_back([this] {
        while (!over_.load(std::memory_order_relaxed)) continue;
      });
    }
  }
  ~Burners() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> over_ = false;
  std::vector<std::thread> threads_;
};

TEST_F(SpinningDaemonTest, NoTripGetsLostWhenItStopsLooking) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 500; ++i) ASSERT_EQ(*pool.Apply<int>("identity", i), i);
    const Burners burners;
    for (int i = 0; i < 500; ++i) ASSERT_EQ(*pool.Apply<int>("identity", i), i);
  }
}

}  // namespace
}  // namespace poold::client
