#include "poold/client/client.h"

namespace poold::client {

absl::StatusOr<Client> Client::Connect(ClientOptions options) {
  auto connection = MakeConnection(std::move(options));
  if (!connection.ok()) return connection.status();
  return Client(*std::move(connection));
}

absl::StatusOr<Pool> Client::OpenPool(const PoolSpec& spec) const {
  if (auto opened = connection_->OpenPool(spec, {}); !opened.ok()) return opened.status();
  return Pool(connection_, spec.name);
}

absl::StatusOr<Pool> Client::GetPool(std::string_view name) const {
  if (auto found = connection_->GetPool(name); !found.ok()) return found.status();
  return Pool(connection_, std::string(name));
}

absl::StatusOr<std::vector<PoolInfo>> Client::ListPools() const { return connection_->ListPools(); }

absl::StatusOr<TaskPage> Client::ListTasks(const TaskQuery& query) const { return connection_->ListTasks(query); }

absl::StatusOr<Explanation> Client::Explain(HandleId id) const { return connection_->Explain(id); }

absl::Status Client::Watch(const std::vector<HandleId>& ids, const WatchCallback& take, bool output) const {
  return connection_->Watch({.ids = ids, .output = output}, take);
}

absl::StatusOr<ServerInfo> Client::GetServerInfo() const { return connection_->GetServerInfo(); }

absl::StatusOr<Stats> Client::GetStats() const { return connection_->GetStats(""); }

}  // namespace poold::client
