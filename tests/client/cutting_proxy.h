// A Unix socket that passes everything on to another one, until it cuts all connections.
#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace poold::client {

class CuttingProxy {
 public:
  CuttingProxy(std::string listen_path, std::string target_path);
  ~CuttingProxy();

  // Ends every connection that there is; new ones are taken.
  void Cut();
  std::size_t accepted();

 private:
  void Accept();
  void Pass(int from, int to);

  const std::string target_;
  int listener_ = -1;
  std::mutex mu_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::size_t accepted_ = 0;
  std::thread acceptor_;
};

}  // namespace poold::client
