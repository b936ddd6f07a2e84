#include "cli/daemon.h"

#include <algorithm>
#include <vector>

namespace poold::cli {
namespace {

client::HandleId IdOf(const std::string& bytes) {
  return client::HandleId::FromBytes(bytes).value_or(client::HandleId{});
}

template <typename Request>
std::vector<client::HandleId> IdsOf(const Request& request) {
  std::vector<client::HandleId> ids;
  for (const std::string& bytes : request.ids()) ids.push_back(IdOf(bytes));
  return ids;
}

client::WaitMode FromProto(v1::WaitMode mode) {
  switch (mode) {
    case v1::WAIT_MODE_FIRST_COMPLETED:
      return client::WaitMode::kFirstCompleted;
    case v1::WAIT_MODE_FIRST_EXCEPTION:
      return client::WaitMode::kFirstException;
    default:
      return client::WaitMode::kAllCompleted;
  }
}

// The struct as its message.
template <typename Struct>
auto AsMessage(const absl::StatusOr<Struct>& answer) -> absl::StatusOr<decltype(ToProto(*answer))> {
  if (!answer.ok()) return answer.status();
  return ToProto(*answer);
}

// The answer as the one field of a response that `set` writes.
template <typename Response, typename Answer, typename Set>
absl::StatusOr<Response> With(const absl::StatusOr<Answer>& answer, Set set) {
  if (!answer.ok()) return answer.status();
  Response response;
  set(*answer, response);
  return response;
}

absl::StatusOr<v1::GetResponse> GetResponseOf(const absl::StatusOr<client::HandleInfo>& info) {
  return With<v1::GetResponse>(info, [](const client::HandleInfo& answer, v1::GetResponse& response) {
    response.set_done(answer.done);
    if (const auto* task = std::get_if<client::TaskInfo>(&answer.entry)) *response.mutable_task() = ToProto(*task);
    if (const auto* map = std::get_if<client::MapProgress>(&answer.entry)) *response.mutable_map() = ToProto(*map);
  });
}

}  // namespace

absl::StatusOr<v1::OpenPoolResponse> Daemon::OpenPool(const v1::OpenPoolRequest& request) const {
  const auto opened = connection_->OpenPool(client::FromProto(request.spec()), {});
  return With<v1::OpenPoolResponse>(opened, [](const client::OpenedPool& answer, v1::OpenPoolResponse& response) {
    *response.mutable_pool() = ToProto(answer.pool);
    response.set_created(answer.created);
  });
}

absl::StatusOr<v1::GetPoolResponse> Daemon::GetPool(const v1::GetPoolRequest& request) const {
  return AsMessage(connection_->GetPool(request.name()));
}

absl::StatusOr<v1::ListPoolsResponse> Daemon::ListPools() const {
  return With<v1::ListPoolsResponse>(connection_->ListPools(), [](const auto& pools, v1::ListPoolsResponse& response) {
    for (const client::PoolInfo& pool : pools) *response.add_pools() = ToProto(pool);
  });
}

absl::StatusOr<v1::ResizeResponse> Daemon::Resize(const v1::ResizeRequest& request) const {
  return With<v1::ResizeResponse>(
      connection_->Resize(request.pool(), request.workers()),
      [](const client::PoolInfo& pool, v1::ResizeResponse& response) { *response.mutable_pool() = ToProto(pool); });
}

absl::StatusOr<v1::ReloadResponse> Daemon::Reload(const v1::ReloadRequest& request) const {
  return With<v1::ReloadResponse>(
      connection_->Reload(request.pool()),
      [](const client::PoolInfo& pool, v1::ReloadResponse& response) { *response.mutable_pool() = ToProto(pool); });
}

absl::StatusOr<v1::CloseResponse> Daemon::Close(const v1::CloseRequest& request) const {
  return With<v1::CloseResponse>(
      connection_->Close(request.pool(), request.cancel_queued()),
      [](std::uint64_t cancelled, v1::CloseResponse& response) { response.set_cancelled_tasks(cancelled); });
}

absl::StatusOr<v1::TerminateResponse> Daemon::Terminate(const v1::TerminateRequest& request) const {
  return With<v1::TerminateResponse>(
      connection_->Terminate(request.pool(), client::FromProto(request.grace()), request.forget()),
      [](std::uint64_t cancelled, v1::TerminateResponse& response) { response.set_cancelled_tasks(cancelled); });
}

absl::StatusOr<v1::ListTasksResponse> Daemon::ListTasks(const v1::ListTasksRequest& request) const {
  return AsMessage(connection_->ListTasks(client::FromProto(request)));
}

absl::StatusOr<v1::ExplainResponse> Daemon::Explain(const v1::ExplainRequest& request) const {
  return AsMessage(connection_->Explain(IdOf(request.id())));
}

absl::StatusOr<v1::CancelResponse> Daemon::Cancel(const v1::CancelRequest& request) const {
  return With<v1::CancelResponse>(connection_->Cancel(IdsOf(request), request.running()),
                                  [](const std::vector<bool>& cancelled, v1::CancelResponse& response) {
                                    for (const bool one : cancelled) response.add_cancelled(one);
                                  });
}

absl::StatusOr<v1::ReleaseResponse> Daemon::Release(const v1::ReleaseRequest& request) const {
  return With<v1::ReleaseResponse>(
      connection_->Release(IdsOf(request)),
      [](std::uint32_t released, v1::ReleaseResponse& response) { response.set_released(released); });
}

absl::StatusOr<v1::GetResponse> Daemon::Get(const v1::GetRequest& request) const {
  return GetResponseOf(connection_->Get(IdOf(request.id()), client::FromProto(request.wait_timeout())));
}

absl::StatusOr<std::vector<absl::StatusOr<v1::GetResponse>>> Daemon::GetMany(const std::vector<std::string>& ids,
                                                                             client::Duration timeout) const {
  std::vector<client::HandleId> left;
  for (const std::string& bytes : ids) left.push_back(IdOf(bytes));
  std::vector<absl::StatusOr<v1::GetResponse>> answers;
  while (!left.empty()) {
    const auto many = connection_->GetMany(left, timeout);
    if (!many.ok()) return many.status();
    if (many->answers.empty()) return absl::InternalError("the daemon answers for no handle");
    for (const auto& answer : many->answers) answers.push_back(GetResponseOf(answer));
    left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(std::min(many->answers.size(), left.size())));
  }
  return answers;
}

absl::StatusOr<v1::WaitResponse> Daemon::Wait(const v1::WaitRequest& request) const {
  return With<v1::WaitResponse>(
      connection_->Wait(IdsOf(request), FromProto(request.mode()), client::FromProto(request.wait_timeout())),
      [](const client::WaitedIds& ids, v1::WaitResponse& response) {
        for (const client::HandleId& id : ids.done) response.add_done(id.ToBytes());
        for (const client::HandleId& id : ids.not_done) response.add_not_done(id.ToBytes());
      });
}

absl::StatusOr<v1::GetStatsResponse> Daemon::GetStats(const v1::GetStatsRequest& request) const {
  return AsMessage(connection_->GetStats(request.pool()));
}

absl::StatusOr<v1::ServerInfo> Daemon::GetServerInfo() const { return AsMessage(connection_->GetServerInfo()); }

absl::Status Daemon::GetItems(const v1::GetItemsRequest& request,
                              const std::function<bool(std::uint64_t, const v1::Outcome&)>& take) const {
  const client::ItemsQuery query{IdOf(request.id()), request.first_index(), request.as_completed()};
  return connection_->GetItems(query, [&take](const client::ItemsAnswer& answer) {
    for (const client::ItemOutcome& item : answer.items) {
      if (!take(item.index, ToProto(item.outcome))) return false;
    }
    return true;
  });
}

absl::Status Daemon::Watch(const v1::WatchRequest& request,
                           const std::function<bool(const v1::WatchResponse&)>& take) const {
  return connection_->Watch({IdsOf(request), request.pool(), request.output()},
                            [&take](const client::WatchEvent& event) { return take(ToProto(event)); });
}

absl::StatusOr<std::string> Daemon::Download(const v1::DownloadRequest& request) const {
  return connection_->Download(IdOf(request.id()), request.index());
}

absl::StatusOr<v1::Payload> Daemon::DownloadArguments(const v1::DownloadRequest& request) const {
  return AsMessage(connection_->DownloadArguments(IdOf(request.id()), request.index()));
}

}  // namespace poold::cli
