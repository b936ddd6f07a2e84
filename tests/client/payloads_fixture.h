// A daemon and clients with large payloads between them.
#pragma once

#include <cstddef>
#include <fstream>
#include <string>

#include "daemon_fixture.h"

namespace poold::client {

inline constexpr std::size_t kMiB = 1 << 20;

inline std::string Pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 2654435761u >> 13);
  return text;
}

class PayloadsTest : public DaemonTest {
 protected:
  std::string payload_path() const { return socket_path() + ".payloads"; }
  // The daemon's ends of connections to its payload socket.
  int HandOvers() const {
    std::ifstream sockets("/proc/net/unix");
    int count = 0;
    for (std::string line; std::getline(sockets, line);) count += line.ends_with(" " + payload_path());
    return count - 1;  // the one that listens
  }
  static void ExpectEcho(const Pool& pool, std::size_t bytes) {
    const Bytes sent{Pattern(bytes)};
    const auto back = pool.Submit<Bytes>("echo", sent).Get();
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_TRUE(back->data == sent.data) << bytes;
  }
};

}  // namespace poold::client
