// Daemon: the calls of a connection as the contract's messages, which --json prints.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "poold/client.h"
#include "poold/client/proto.h"

namespace poold::cli {

// Threads: any thread. Errors: those of client::Connection.
class Daemon {
 public:
  explicit Daemon(std::shared_ptr<client::Connection> connection) : connection_(std::move(connection)) {}

  absl::StatusOr<v1::OpenPoolResponse> OpenPool(const v1::OpenPoolRequest& request) const;
  absl::StatusOr<v1::GetPoolResponse> GetPool(const v1::GetPoolRequest& request) const;
  absl::StatusOr<v1::ListPoolsResponse> ListPools() const;
  absl::StatusOr<v1::ResizeResponse> Resize(const v1::ResizeRequest& request) const;
  absl::StatusOr<v1::ReloadResponse> Reload(const v1::ReloadRequest& request) const;
  absl::StatusOr<v1::CloseResponse> Close(const v1::CloseRequest& request) const;
  absl::StatusOr<v1::TerminateResponse> Terminate(const v1::TerminateRequest& request) const;
  absl::StatusOr<v1::ListTasksResponse> ListTasks(const v1::ListTasksRequest& request) const;
  absl::StatusOr<v1::ExplainResponse> Explain(const v1::ExplainRequest& request) const;
  absl::StatusOr<v1::CancelResponse> Cancel(const v1::CancelRequest& request) const;
  absl::StatusOr<v1::ReleaseResponse> Release(const v1::ReleaseRequest& request) const;
  absl::StatusOr<v1::GetResponse> Get(const v1::GetRequest& request) const;
  // Answers for each id in order; waits up to `timeout` for all to end.
  absl::StatusOr<std::vector<absl::StatusOr<v1::GetResponse>>> GetMany(const std::vector<std::string>& ids,
                                                                       client::Duration timeout) const;
  absl::StatusOr<v1::WaitResponse> Wait(const v1::WaitRequest& request) const;
  absl::StatusOr<v1::GetStatsResponse> GetStats(const v1::GetStatsRequest& request) const;
  absl::StatusOr<v1::ServerInfo> GetServerInfo() const;
  // Calls `take` with each item of a map and its outcome.
  absl::Status GetItems(const v1::GetItemsRequest& request,
                        const std::function<bool(std::uint64_t, const v1::Outcome&)>& take) const;
  absl::Status Watch(const v1::WatchRequest& request, const std::function<bool(const v1::WatchResponse&)>& take) const;
  absl::StatusOr<std::string> Download(const v1::DownloadRequest& request) const;
  absl::StatusOr<v1::Payload> DownloadArguments(const v1::DownloadRequest& request) const;

 private:
  std::shared_ptr<client::Connection> connection_;
};

}  // namespace poold::cli
