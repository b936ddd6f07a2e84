#include "poold/client/client.h"

#include "convert.h"

namespace poold::client {

absl::StatusOr<Client> Client::Connect(ClientOptions options) {
  auto connection = MakeConnection(std::move(options));
  if (!connection.ok()) return connection.status();
  return Client(*std::move(connection));
}

absl::StatusOr<Pool> Client::OpenPool(const PoolSpec& spec) const {
  v1::OpenPoolRequest request;
  internal::ToProto(spec, request.mutable_spec());
  auto response = connection_->OpenPool(request);
  if (!response.ok()) return response.status();
  return Pool(connection_, spec.name);
}

absl::StatusOr<Pool> Client::GetPool(std::string_view name) const {
  v1::GetPoolRequest request;
  request.set_name(std::string(name));
  auto response = connection_->GetPool(request);
  if (!response.ok()) return response.status();
  return Pool(connection_, request.name());
}

absl::StatusOr<std::vector<v1::Pool>> Client::ListPools() const {
  auto response = connection_->ListPools({});
  if (!response.ok()) return response.status();
  return std::vector<v1::Pool>(response->pools().begin(), response->pools().end());
}

absl::StatusOr<v1::ListTasksResponse> Client::ListTasks(const v1::ListTasksRequest& request) const {
  return connection_->ListTasks(request);
}

absl::StatusOr<v1::ExplainResponse> Client::Explain(HandleId id) const {
  v1::ExplainRequest request;
  request.set_id(id.ToBytes());
  return connection_->Explain(request);
}

absl::Status Client::Watch(const std::vector<HandleId>& ids, const WatchCallback& take, bool output) const {
  v1::WatchRequest request;
  for (const HandleId& id : ids) request.add_ids(id.ToBytes());
  request.set_output(output);
  return connection_->Watch(request, take);
}

absl::StatusOr<v1::ServerInfo> Client::GetServerInfo() const {
  auto response = connection_->GetServerInfo({});
  if (!response.ok()) return response.status();
  return response->server();
}

absl::StatusOr<v1::GetStatsResponse> Client::GetStats() const { return connection_->GetStats({}); }

}  // namespace poold::client
