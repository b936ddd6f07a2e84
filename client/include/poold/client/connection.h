// Connection: the interface under Client and Pool, and the place to mock.
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

// One call of a function. The views are valid during Connection::Submit.
struct TaskCall {
  // The pool's name.
  std::string_view pool;
  // The function's name.
  std::string_view function;
  // How `args` is encoded, and with ENCODING_PROTOBUF the message's full name.
  Encoding encoding = v1::ENCODING_MSGPACK;
  std::string_view type_name;
  // The encoded arguments.
  std::string_view args;
  // Never null; valid during the call.
  const TaskOptions* options = nullptr;
};

// A map without its items. The views are valid during Connection::OpenMap; the members mean the same as those of
// TaskCall.
struct MapCall {
  std::string_view pool;
  std::string_view function;
  Encoding encoding = v1::ENCODING_MSGPACK;
  std::string_view type_name;
  // Never null; valid during the call.
  const MapOptions* options = nullptr;
  // The map is walked once, in the order of the options, and both sides forget items that the walk has passed.
  bool streamed = false;
};

// Neighbouring items of a map. The views are valid during Connection::AddItems.
struct MapBatch {
  // The length of each item in bytes.
  std::span<const std::uint32_t> item_bytes;
  // The items, one behind the other without gaps.
  std::string_view items;
  // The map takes no items after these.
  bool complete = false;
};

// Takes one event of a Watch. Returns false to end the Watch.
using WatchCallback = std::function<bool(const v1::WatchResponse&)>;

// Purpose: the calls of poold.v1.PoolService, with submissions batched over one stream. MakeConnection makes the real
//   connection, mocks/mock_connection.h one for tests; Client(connection) takes either.
// Performance: Submit returns at once (it blocks or fails only when ClientOptions::max_unsent_bytes wait to be sent);
//   submissions that come while a write is under way leave together. Each cold call is one RPC.
// Thread safety: every method may be called from any thread.
// Errors: a cold call returns the daemon's refusal with its reason (status.h). Where no daemon answers, a cold call
//   tries again for up to 3 s and then returns UNAVAILABLE with the address. After ClientOptions::call_timeout, plus
//   the time that the call itself waits for, the answer is DEADLINE_EXCEEDED. In a forked child the answer is
//   FAILED_PRECONDITION (FORKED). Submissions answer through their handle.
// Repeating: every cold call may be made again without harm; the connection itself does so when no daemon answered.
// Example:
//   auto mock = std::make_shared<MockConnection>();
//   EXPECT_CALL(*mock, Submit).WillOnce([](const TaskCall&) { return MakeFinishedTask(49); });
//   Client client(mock);
class Connection {
 public:
  virtual ~Connection() = default;

  // ---- Hot: over the stream ----
  // Submits a task. Never fails: a refusal, by this client (CLIENT_FULL, FORKED, TOO_LARGE) or by the daemon, ends the
  // handle. Safe to repeat only with the same TaskOptions::id (see Pool::SubmitWith); otherwise each call is another
  // task.
  virtual internal::TaskRef Submit(const TaskCall& call) = 0;
  // As Submit, with the arguments in pieces, one behind the other, in place of call.args: large arguments are joined at
  // the place where they are handed over. The default joins them into one string and calls Submit.
  virtual internal::TaskRef SubmitPieces(const TaskCall& call, std::span<const std::string_view> pieces);
  // Opens a map without items. Sends nothing yet and does not block.
  virtual internal::MapRef OpenMap(const MapCall& call) = 0;
  // Adds items behind those that were added. Blocks while there is no room for the items: max_unsent_bytes, and with
  // wait_when_full some megabytes that wait for room in the pool's queue. An error means that the map takes no more
  // items: CANCELLED (the map has ended, or the daemon takes no more), RESOURCE_EXHAUSTED (CLIENT_FULL),
  // FAILED_PRECONDITION (FORKED). Not safe to repeat: the items would be in the map twice.
  virtual absl::Status AddItems(const internal::MapRef& map, const MapBatch& batch) = 0;
  // Takes up a task by a text that TaskHandle::ToString wrote, or by 32 hexadecimal digits. INVALID_ARGUMENT: the text
  // names no handle, or names a map of this client. Does not block; safe to repeat.
  virtual absl::StatusOr<internal::TaskRef> ResumeTask(std::string_view written) = 0;
  // As ResumeTask, for a map.
  virtual absl::StatusOr<internal::MapRef> ResumeMap(std::string_view written) = 0;
  // As Client::Flush. DEADLINE_EXCEEDED (WAIT_TIMEOUT): the daemon has not taken everything yet.
  virtual absl::Status Flush(Duration timeout) = 0;

  // ---- Cold: one call each; `timeout` is for what the call waits for ----
  // As Client::OpenPool. This client is the owner where the spec's on_owner_lost is CLOSE or TERMINATE and the request
  // names no owner. Blocks until the workers are ready.
  virtual absl::StatusOr<v1::OpenPoolResponse> OpenPool(const v1::OpenPoolRequest& request) = 0;
  // As Client::GetPool; the response also lists the pool's functions.
  virtual absl::StatusOr<v1::GetPoolResponse> GetPool(const v1::GetPoolRequest& request) = 0;
  // As Client::ListPools.
  virtual absl::StatusOr<v1::ListPoolsResponse> ListPools(const v1::ListPoolsRequest& request) = 0;
  // As Pool::Resize.
  virtual absl::StatusOr<v1::ResizeResponse> Resize(const v1::ResizeRequest& request) = 0;
  // As Pool::Reload. Blocks until the old workers have ended.
  virtual absl::StatusOr<v1::ReloadResponse> Reload(const v1::ReloadRequest& request) = 0;
  // As Client::ListTasks.
  virtual absl::StatusOr<v1::ListTasksResponse> ListTasks(const v1::ListTasksRequest& request) = 0;
  // Explain, Close, Terminate, Cancel and Release flush first, for at most call_timeout: the daemon sees them after
  // everything that was submitted here before. As Client::Explain.
  virtual absl::StatusOr<v1::ExplainResponse> Explain(const v1::ExplainRequest& request) = 0;
  // As Pool::Close.
  virtual absl::StatusOr<v1::CloseResponse> Close(const v1::CloseRequest& request) = 0;
  // As Pool::Terminate. Afterwards waits up to call_timeout for the pool's handles of this connection to end.
  virtual absl::StatusOr<v1::TerminateResponse> Terminate(const v1::TerminateRequest& request) = 0;
  // Cancels handles by id. NOT_FOUND (HANDLE_NOT_FOUND, HANDLE_RELEASED).
  virtual absl::StatusOr<v1::CancelResponse> Cancel(const v1::CancelRequest& request) = 0;
  // Releases outcomes by id, for every holder of the handle. Unknown ids are passed over.
  virtual absl::StatusOr<v1::ReleaseResponse> Release(const v1::ReleaseRequest& request) = 0;
  // As Pool::Join, for at most `timeout`. When `done` is set, every handle of the pool that this connection submitted
  // has ended and its output was delivered.
  virtual absl::StatusOr<v1::JoinResponse> Join(const v1::JoinRequest& request, Duration timeout) = 0;
  // Asks for a task's outcome or a map's progress, and waits up to request.wait_timeout. NOT_FOUND (HANDLE_NOT_FOUND,
  // HANDLE_RELEASED); FAILED_PRECONDITION (WOULD_DEADLOCK: this process is a task that would wait for itself).
  virtual absl::StatusOr<v1::GetResponse> Get(const v1::GetRequest& request) = 0;
  // Answers for several handles in one call, in their order, as Get for each: waits up to request.wait_timeout for all
  // to end. A handle that is not known has an error as its answer. `left` of the response tells how many of the last
  // ids did not fit: ask for these again. FAILED_PRECONDITION (WOULD_DEADLOCK).
  virtual absl::StatusOr<v1::GetManyResponse> GetMany(const v1::GetManyRequest& request) = 0;
  // Waits for several handles, up to request.wait_timeout. Errors as Get.
  virtual absl::StatusOr<v1::WaitResponse> Wait(const v1::WaitRequest& request) = 0;
  // As Client::GetStats; of one pool where the request names one: NOT_FOUND (POOL_NOT_FOUND).
  virtual absl::StatusOr<v1::GetStatsResponse> GetStats(const v1::GetStatsRequest& request) = 0;
  // As Client::GetServerInfo.
  virtual absl::StatusOr<v1::GetServerInfoResponse> GetServerInfo(const v1::GetServerInfoRequest& request) = 0;
  // Calls `take` in this thread with every message of a map's outcomes, until `take` returns false (OK) or the map has
  // ended (OK). Blocks without a limit, and is not tried again when the stream breaks: call again from the next index.
  // NOT_FOUND as Get.
  virtual absl::Status GetItems(const v1::GetItemsRequest& request,
                                const std::function<bool(const v1::GetItemsResponse&)>& take) = 0;
  // As Client::Watch; of a pool where the request names one: NOT_FOUND (POOL_NOT_FOUND). Blocks without a limit, and is
  // not tried again when the stream breaks.
  virtual absl::Status Watch(const v1::WatchRequest& request, const WatchCallback& take) = 0;
  // Brings the bytes of a result that did not come inline; resumes where a broken stream stopped. NOT_FOUND as Get.
  virtual absl::StatusOr<std::string> Download(const v1::DownloadRequest& request) = 0;
  // Brings the arguments of a task (of a map: of one item). NOT_FOUND as Get, or ARGUMENTS_NOT_KEPT: the task
  // succeeded, or there was no room to keep them.
  virtual absl::StatusOr<v1::Payload> DownloadArguments(const v1::DownloadRequest& request) = 0;
};

// Connects to a daemon; as Client::Connect.
absl::StatusOr<std::shared_ptr<Connection>> MakeConnection(ClientOptions options);

}  // namespace poold::client
