// Connection: what Client and Pool stand on, and where you mock.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "poold/client/internal/map_ref.h"
#include "poold/client/internal/task_ref.h"
#include "poold/client/options.h"
#include "poold/v1/pool_service.pb.h"

namespace poold::client {

// One call of a function. Views are valid during Connection::Submit.
struct TaskCall {
  std::string_view pool;
  std::string_view function;
  Encoding encoding = v1::ENCODING_MSGPACK;
  std::string_view type_name;
  std::string_view args;
  const TaskOptions* options = nullptr;  // never null
};

// A map without its items. Views are valid during Connection::OpenMap.
struct MapCall {
  std::string_view pool;
  std::string_view function;
  Encoding encoding = v1::ENCODING_MSGPACK;
  std::string_view type_name;
  const MapOptions* options = nullptr;  // never null
  // Walked once, in the order of the options: what was walked is forgotten.
  bool streamed = false;
};

// Some items of a map, packed one behind the other.
struct MapBatch {
  std::span<const std::uint32_t> item_bytes;
  std::string_view items;
  // No more will come.
  bool complete = false;
};

// Takes what a Watch brings. False: enough.
using WatchCallback = std::function<bool(const v1::WatchResponse&)>;

// Purpose: the calls of poold.v1.PoolService, submissions batched over one stream. MakeConnection makes the real one,
//   mocks/mock_connection.h the one for your tests: Client(connection) takes either.
// Performance: Submit returns at once (it blocks, or fails, only at ClientOptions::max_unsent_bytes); what is submitted
//   while a write is under way leaves together. Cold calls are one RPC each.
// Thread safety: all of it may be called from any thread.
// Errors: cold calls return the daemon's refusal with its reason (status.h); where the daemon cannot be reached,
//   UNAVAILABLE with its address. What is submitted answers through its handle.
// Example:
//   auto mock = std::make_shared<MockConnection>();
//   EXPECT_CALL(*mock, Submit).WillOnce([](const TaskCall&) { return MakeFinishedTask(49); });
//   Client client(mock);
class Connection {
 public:
  virtual ~Connection() = default;

  // ---- Hot: over the stream ----
  virtual internal::TaskRef Submit(const TaskCall& call) = 0;
  // The same with the arguments in pieces, one behind the other, in place of call.args: large ones are put together
  // where they are to lie. Without a word of its own it is Submit, of one string.
  virtual internal::TaskRef SubmitPieces(const TaskCall& call, std::span<const std::string_view> pieces);
  virtual internal::MapRef OpenMap(const MapCall& call) = 0;
  // The status is set when no more items are wanted: the map has ended.
  virtual absl::Status AddItems(const internal::MapRef& map, const MapBatch& batch) = 0;
  virtual absl::StatusOr<internal::TaskRef> ResumeTask(std::string_view written) = 0;
  virtual absl::StatusOr<internal::MapRef> ResumeMap(std::string_view written) = 0;
  // Waits until the daemon has taken everything that was submitted before. DEADLINE_EXCEEDED: not yet.
  virtual absl::Status Flush(Duration timeout) = 0;

  // ---- Cold: one call each; `timeout` is for what the call waits for ----
  // Where the spec has another on_owner_lost than KEEP and no owner is named, this client is the owner.
  virtual absl::StatusOr<v1::OpenPoolResponse> OpenPool(const v1::OpenPoolRequest& request) = 0;
  virtual absl::StatusOr<v1::GetPoolResponse> GetPool(const v1::GetPoolRequest& request) = 0;
  virtual absl::StatusOr<v1::ListPoolsResponse> ListPools(const v1::ListPoolsRequest& request) = 0;
  virtual absl::StatusOr<v1::ResizeResponse> Resize(const v1::ResizeRequest& request) = 0;
  virtual absl::StatusOr<v1::ReloadResponse> Reload(const v1::ReloadRequest& request) = 0;
  virtual absl::StatusOr<v1::ListTasksResponse> ListTasks(const v1::ListTasksRequest& request) = 0;
  // The daemon sees the next five after everything that was submitted here before.
  virtual absl::StatusOr<v1::ExplainResponse> Explain(const v1::ExplainRequest& request) = 0;
  virtual absl::StatusOr<v1::CloseResponse> Close(const v1::CloseRequest& request) = 0;
  virtual absl::StatusOr<v1::TerminateResponse> Terminate(const v1::TerminateRequest& request) = 0;
  virtual absl::StatusOr<v1::CancelResponse> Cancel(const v1::CancelRequest& request) = 0;
  virtual absl::StatusOr<v1::ReleaseResponse> Release(const v1::ReleaseRequest& request) = 0;
  // When it is done, every handle of the pool that this connection submitted has ended, its output printed.
  virtual absl::StatusOr<v1::JoinResponse> Join(const v1::JoinRequest& request, Duration timeout) = 0;
  virtual absl::StatusOr<v1::GetResponse> Get(const v1::GetRequest& request) = 0;
  virtual absl::StatusOr<v1::WaitResponse> Wait(const v1::WaitRequest& request) = 0;
  virtual absl::StatusOr<v1::GetStatsResponse> GetStats(const v1::GetStatsRequest& request) = 0;
  virtual absl::StatusOr<v1::GetServerInfoResponse> GetServerInfo(const v1::GetServerInfoRequest& request) = 0;
  // Calls `take` with every message, until it returns false or the stream ends.
  virtual absl::Status GetItems(const v1::GetItemsRequest& request,
                                const std::function<bool(const v1::GetItemsResponse&)>& take) = 0;
  virtual absl::Status Watch(const v1::WatchRequest& request, const WatchCallback& take) = 0;
  // The bytes of a result that does not come inline.
  virtual absl::StatusOr<std::string> Download(const v1::DownloadRequest& request) = 0;
  // The arguments of a task (of a map: of one item), whole. NOT_FOUND (ARGUMENTS_NOT_KEPT).
  virtual absl::StatusOr<v1::Payload> DownloadArguments(const v1::DownloadRequest& request) = 0;
};

// Connects, or says at once why it cannot: UNAVAILABLE with the address and what to do.
absl::StatusOr<std::shared_ptr<Connection>> MakeConnection(ClientOptions options);

}  // namespace poold::client
