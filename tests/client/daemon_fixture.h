// A real poold of this build on a private socket, for one test.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "poold/client.h"

namespace poold::client {

// Starts ${POOLD_BIN_DIR}/poold; ends it with SIGKILL, and removes its folder. With POOLD_TEST_TCP in the environment
// clients connect through a TCP port.
class DaemonTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Of every daemon that the test starts.
  virtual std::vector<std::string> MoreFlags() const { return {}; }
  void StartDaemon();
  void KillDaemon();
  // In an orderly way; waits for its end.
  void StopDaemon();
  // Connected to the daemon, or to `address`.
  Client Connect(ClientOptions options = {});
  // A pool of the module "testing".
  Pool OpenPool(const Client& client, const std::string& name = "test", unsigned workers = 2);

  // A TCP address on which nobody listens now.
  static std::string FreeAddress();
  std::string address() const { return "unix:" + folder_ + "/poold.sock"; }
  std::string socket_path() const { return folder_ + "/poold.sock"; }
  const std::string& folder() const { return folder_; }

 private:
  void EndDaemon(int signal);

  std::string folder_;
  std::string tcp_address_;  // empty: not used
  pid_t daemon_ = -1;
};

}  // namespace poold::client
