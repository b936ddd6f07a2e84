#include "drivers/kept_pool.h"

namespace poold::bench {

absl::StatusOr<client::Client> KeptPool::Connect() const {
  return client::Client::Connect({.address = address_, .client_name = "poold-bench", .only_grpc = only_grpc_});
}

absl::Status KeptPool::Open(const client::PoolSpec& spec) {
  auto client = Connect();
  if (!client.ok()) return client.status();
  auto pool = client->OpenPool(spec);
  if (!pool.ok()) return pool.status();
  name_ = pool->name();
  return absl::OkStatus();
}

void KeptPool::Terminate() {
  if (!is_open()) return;
  if (auto client = Connect(); client.ok()) {
    if (auto pool = client->GetPool(name_); pool.ok()) pool->Terminate().status().IgnoreError();
  }
  name_.clear();
}

}  // namespace poold::bench
