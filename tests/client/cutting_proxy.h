// A Unix socket that passes everything on to another one, until it cuts all connections, or goes silent.
#pragma once

#include <atomic>
#include <memory>
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
  // Passes nothing more on of the connections that there are, as a host without power does; new ones are taken.
  void Silence();
  std::size_t accepted();

 private:
  void Accept();
  void Pass(int from, int to, const std::shared_ptr<std::atomic<bool>>& silent);

  const std::string target_;
  int listener_ = -1;
  std::mutex mu_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::size_t accepted_ = 0;
  std::shared_ptr<std::atomic<bool>> silent_ = std::make_shared<std::atomic<bool>>(false);
  std::thread acceptor_;
};

}  // namespace poold::client
