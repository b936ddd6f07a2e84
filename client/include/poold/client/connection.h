// Connection: the interface under Client and Pool, and the place to mock.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "poold/client/internal/map_ref.h"
#include "poold/client/internal/task_ref.h"
#include "poold/client/options.h"
#include "poold/client/pool_info.h"
#include "poold/client/server_info.h"
#include "poold/client/task_info.h"
#include "poold/client/watch_event.h"

namespace poold::client {

// One call of a function. The views are valid during Connection::Submit.
struct TaskCall {
  // The pool's name.
  std::string_view pool;
  // The function's name.
  std::string_view function;
  // How `args` is encoded, and with kProtobuf the message's full name.
  Encoding encoding = Encoding::kMsgpack;
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
  Encoding encoding = Encoding::kMsgpack;
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

// How OpenPool treats a pool of the same name.
struct OpenOptions {
  // The owner, where PoolSpec::on_owner_lost is kClose or kTerminate. Empty: this client.
  std::string owner = {};
  // Not empty: 16 random bytes that name this call. A live pool of the same name is taken only if a call with these
  // bytes made it; otherwise the answer is ALREADY_EXISTS (POOL_EXISTS).
  std::string creation_id = {};
};

// The answer of OpenPool.
struct OpenedPool {
  PoolInfo pool = {};
  // This call made the pool.
  bool created = false;
};

// The answer of Get.
struct HandleInfo {
  // The task or map has ended.
  bool done = false;
  TaskEntry entry = {};
};

// The answer of GetMany.
struct ManyHandles {
  // For each id, in the same order: the answer of Get, or NOT_FOUND.
  std::vector<absl::StatusOr<HandleInfo>> answers = {};
  // So many of the last ids did not fit into the answer: ask for these again.
  std::uint32_t left = 0;
};

// The answer of Wait: each handle is in one of both.
struct WaitedIds {
  std::vector<HandleId> done = {};
  std::vector<HandleId> not_done = {};
};

// A question for the outcomes of a map's items.
struct ItemsQuery {
  HandleId id = {};
  // Items before this one are passed over; not with as_completed.
  std::uint64_t first_index = 0;
  // In the order in which items end, in place of their own.
  bool as_completed = false;
};

// Some outcomes of a map, in a message's order.
struct ItemsAnswer {
  std::vector<ItemOutcome> items = {};
  // Set with the last ones: where the map stands.
  std::optional<MapProgress> end = {};
};

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

  // ---- Cold: one call each ----
  // As Client::OpenPool. Blocks until the workers are ready.
  virtual absl::StatusOr<OpenedPool> OpenPool(const PoolSpec& spec, const OpenOptions& options) = 0;
  // As Client::GetPool; the answer also describes the pool's functions.
  virtual absl::StatusOr<PoolDescription> GetPool(std::string_view pool) = 0;
  // As Client::ListPools.
  virtual absl::StatusOr<std::vector<PoolInfo>> ListPools() = 0;
  // As Pool::Resize.
  virtual absl::StatusOr<PoolInfo> Resize(std::string_view pool, Count workers) = 0;
  // As Pool::Reload. Blocks until the old workers have ended.
  virtual absl::StatusOr<PoolInfo> Reload(std::string_view pool) = 0;
  // As Client::ListTasks.
  virtual absl::StatusOr<TaskPage> ListTasks(const TaskQuery& query) = 0;
  // Explain, Close, Terminate, Cancel and Release flush first, for at most call_timeout: the daemon sees them after
  // everything that was submitted here before. As Client::Explain.
  virtual absl::StatusOr<Explanation> Explain(HandleId id) = 0;
  // As Pool::Close.
  virtual absl::StatusOr<std::uint64_t> Close(std::string_view pool, bool cancel_queued) = 0;
  // As Pool::Terminate. Afterwards waits up to call_timeout for the pool's handles of this connection to end. With
  // `forget` the daemon forgets the pool when its last process is gone, at once where the pool is over already.
  virtual absl::StatusOr<std::uint64_t> Terminate(std::string_view pool, Duration grace, bool forget) = 0;
  // Cancels handles by id, as TaskHandle::Cancel, and answers for each in the same order. NOT_FOUND (HANDLE_NOT_FOUND,
  // HANDLE_RELEASED).
  virtual absl::StatusOr<std::vector<bool>> Cancel(const std::vector<HandleId>& ids, bool running) = 0;
  // Releases outcomes by id, for every holder of the handle, and answers how many were known. Unknown ids are passed
  // over.
  virtual absl::StatusOr<std::uint32_t> Release(const std::vector<HandleId>& ids) = 0;
  // As Pool::Join, for at most `timeout`. True: every handle of the pool that this connection submitted has ended and
  // its output was delivered. False: not yet.
  virtual absl::StatusOr<bool> Join(std::string_view pool, Duration timeout) = 0;
  // Asks for a task's outcome or a map's progress, and waits up to `timeout` (and ServerLimits::max_wait) for the end.
  // NOT_FOUND (HANDLE_NOT_FOUND, HANDLE_RELEASED); FAILED_PRECONDITION (WOULD_DEADLOCK: this process is a task that
  // would wait for itself).
  virtual absl::StatusOr<HandleInfo> Get(HandleId id, Duration timeout) = 0;
  // Answers for several handles in one call, in their order, as Get for each; waits up to `timeout` (and
  // ServerLimits::max_wait) for all to end. FAILED_PRECONDITION (WOULD_DEADLOCK).
  virtual absl::StatusOr<ManyHandles> GetMany(const std::vector<HandleId>& ids, Duration timeout) = 0;
  // Waits for several handles, up to `timeout` (and ServerLimits::max_wait). Errors as Get.
  virtual absl::StatusOr<WaitedIds> Wait(const std::vector<HandleId>& ids, WaitMode mode, Duration timeout) = 0;
  // As Client::GetStats; of one pool where `pool` is not empty: NOT_FOUND (POOL_NOT_FOUND).
  virtual absl::StatusOr<Stats> GetStats(std::string_view pool) = 0;
  // As Client::GetServerInfo.
  virtual absl::StatusOr<ServerInfo> GetServerInfo() = 0;
  // Calls `take` in this thread with the outcomes of a map's items as they come, until `take` returns false (OK) or the
  // map has ended (OK). Blocks without a limit, and is not tried again when the stream breaks: call again from the next
  // index. NOT_FOUND as Get.
  virtual absl::Status GetItems(const ItemsQuery& query, const std::function<bool(const ItemsAnswer&)>& take) = 0;
  // As Client::Watch; of a pool where the query names one: NOT_FOUND (POOL_NOT_FOUND). Blocks without a limit, and is
  // not tried again when the stream breaks.
  virtual absl::Status Watch(const WatchQuery& query, const WatchCallback& take) = 0;
  // Brings the bytes of a result that did not come inline, of a task or of item `index` of a map; resumes where a
  // broken stream stopped. NOT_FOUND as Get.
  virtual absl::StatusOr<std::string> Download(HandleId id, std::uint64_t index) = 0;
  // Brings the arguments of a task, or of item `index` of a map. NOT_FOUND as Get, or ARGUMENTS_NOT_KEPT: the task
  // succeeded, or there was no room to keep them.
  virtual absl::StatusOr<Payload> DownloadArguments(HandleId id, std::uint64_t index) = 0;
};

// Connects to a daemon; as Client::Connect.
absl::StatusOr<std::shared_ptr<Connection>> MakeConnection(ClientOptions options);

}  // namespace poold::client
