#include "drivers/kept_pool.h"

namespace poold::bench {

absl::StatusOr<client::Client> KeptPool::Connect(const std::string& address) {
  return client::Client::Connect({.address = address, .client_name = "poold-bench"});
}

absl::Status KeptPool::Open(const client::PoolSpec& spec) {
  auto client = Connect(address_);
  if (!client.ok()) return client.status();
  auto pool = client->OpenPool(spec);
  if (!pool.ok()) return pool.status();
  name_ = pool->name();
  return absl::OkStatus();
}

void KeptPool::Terminate() {
  if (!is_open()) return;
  if (auto client = Connect(address_); client.ok()) {
    if (auto pool = client->GetPool(name_); pool.ok()) pool->Terminate().status().IgnoreError();
  }
  name_.clear();
}

}  // namespace poold::bench
