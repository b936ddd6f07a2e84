#include "cutting_proxy.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace poold::client {
namespace {

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX};
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  return address;
}

}  // namespace

CuttingProxy::CuttingProxy(std::string listen_path, std::string target_path) : target_(std::move(target_path)) {
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(listen_path);
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) std::abort();
  if (listen(listener_, 8) != 0) std::abort();
  acceptor_ = std::thread([this] { Accept(); });
}

CuttingProxy::~CuttingProxy() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  Cut();
  for (auto& thread : threads_) thread.join();
  for (int fd : open_) close(fd);
  close(listener_);
}

void CuttingProxy::Accept() {
  for (int client = accept(listener_, nullptr, nullptr); client >= 0; client = accept(listener_, nullptr, nullptr)) {
    const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = AddressOf(target_);
    if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      close(server);
      close(client);
      continue;
    }
    std::lock_guard lock(mu_);
    ++accepted_;
    open_.insert(open_.end(), {client, server});
    threads_.emplace_back([this, client, server, silent = silent_] { Pass(client, server, silent); });
    threads_.emplace_back([this, client, server, silent = silent_] { Pass(server, client, silent); });
  }
}

void CuttingProxy::Pass(int from, int to, const std::shared_ptr<std::atomic<bool>>& silent) {
  char buffer[65536];
  for (ssize_t size = read(from, buffer, sizeof(buffer)); size > 0; size = read(from, buffer, sizeof(buffer))) {
    if (*silent) continue;
    for (ssize_t sent = 0; sent < size;) {
      const ssize_t now = send(to, buffer + sent, size - sent, MSG_NOSIGNAL);
      if (now <= 0) return;
      sent += now;
    }
  }
  shutdown(to, SHUT_WR);
}

void CuttingProxy::Silence() {
  std::lock_guard lock(mu_);
  *silent_ = true;
  silent_ = std::make_shared<std::atomic<bool>>(false);
}

void CuttingProxy::Cut() {
  std::lock_guard lock(mu_);
  for (int fd : open_) shutdown(fd, SHUT_RDWR);
}

std::size_t CuttingProxy::accepted() {
  std::lock_guard lock(mu_);
  return accepted_;
}

}  // namespace poold::client
