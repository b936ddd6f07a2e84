#include "bootstrap_environment.h"

#include <fcntl.h>

#include <cstdlib>

namespace poold::worker {
namespace {

std::string TakeVariable(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) return "";
  std::string copy = value;
  unsetenv(name);
  return copy;
}

wire::UniqueFd TakeFd(const char* name) {
  const std::string text = TakeVariable(name);
  if (text.empty()) return {};
  const int fd = std::atoi(text.c_str());
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return {};
  return wire::UniqueFd(fd);
}

void GiveVariable(const char* name, const std::string& value) { setenv(name, value.c_str(), 1); }

void GiveFd(const char* name, const wire::UniqueFd& fd) {
  if (!fd) return;
  fcntl(fd.get(), F_SETFD, 0);
  GiveVariable(name, std::to_string(fd.get()));
}

}  // namespace

BootstrapEnvironment BootstrapEnvironment::Take() {
  if (!TakeVariable("POOLD_BIND_NOW").empty()) unsetenv("LD_BIND_NOW");
  BootstrapEnvironment taken;
  taken.role = TakeVariable("POOLD_ROLE");
  taken.channel = TakeFd("POOLD_CHANNEL_FD");
  taken.page = TakeFd("POOLD_PAGE_FD");
  taken.stdout_read = TakeFd("POOLD_STDOUT_FD");
  taken.stderr_read = TakeFd("POOLD_STDERR_FD");
  taken.cgroup_kill = TakeFd("POOLD_CGROUP_KILL_FD");
  taken.pid_namespace = TakeVariable("POOLD_PID_NAMESPACE") == "1";
  taken.subreaper = TakeVariable("POOLD_SUBREAPER") == "1";
  // A worker's is for its tasks.
  if (taken.role == "zygote") taken.worker_secret = TakeVariable("POOLD_WORKER");
  taken.worker_id = std::strtoull(TakeVariable("POOLD_WORKER_ID").c_str(), nullptr, 10);
  return taken;
}

void BootstrapEnvironment::Give() const {
  GiveVariable("POOLD_ROLE", "worker");
  GiveFd("POOLD_CHANNEL_FD", channel);
  GiveFd("POOLD_PAGE_FD", page);
  GiveFd("POOLD_STDOUT_FD", stdout_read);
  GiveFd("POOLD_STDERR_FD", stderr_read);
  if (subreaper) GiveVariable("POOLD_SUBREAPER", "1");
  GiveVariable("POOLD_WORKER_ID", std::to_string(worker_id));
}

void BootstrapEnvironment::TellTasks() const {
  if (!worker_secret.empty()) GiveVariable("POOLD_WORKER", worker_secret + "." + std::to_string(worker_id));
}

}  // namespace poold::worker
