// MockConnection: a Connection of GoogleMock, for tests of programs that use the SDK.
//
// Example:
//   auto mock = std::make_shared<poold::client::MockConnection>();
//   EXPECT_CALL(*mock, Submit).WillOnce([](const TaskCall& call) { return MakeFinishedTask(49); });
//   poold::client::Client client(mock);
//   EXPECT_EQ(client.Default().Apply<int>("square", 7).value(), 49);
#pragma once

#include <gmock/gmock.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "poold/client/codec.h"
#include "poold/client/connection.h"
#include "poold/mocks/finished.h"

namespace poold::client {

// Mocks every method but SubmitPieces, which joins its pieces and calls Submit.
class MockConnection : public Connection {
 public:
  template <typename T>
  using StatusOr = absl::StatusOr<T>;

  MOCK_METHOD(internal::TaskRef, Submit, (const TaskCall&), (override));
  MOCK_METHOD(internal::MapRef, OpenMap, (const MapCall&), (override));
  MOCK_METHOD(absl::Status, AddItems, (const internal::MapRef&, const MapBatch&), (override));
  MOCK_METHOD(StatusOr<internal::TaskRef>, ResumeTask, (std::string_view), (override));
  MOCK_METHOD(StatusOr<internal::MapRef>, ResumeMap, (std::string_view), (override));
  MOCK_METHOD(absl::Status, Flush, (Duration), (override));
  MOCK_METHOD(StatusOr<OpenedPool>, OpenPool, (const PoolSpec&, const OpenOptions&), (override));
  MOCK_METHOD(StatusOr<PoolDescription>, GetPool, (std::string_view), (override));
  MOCK_METHOD(StatusOr<std::vector<PoolInfo>>, ListPools, (), (override));
  MOCK_METHOD(StatusOr<PoolInfo>, Resize, (std::string_view, Count), (override));
  MOCK_METHOD(StatusOr<PoolInfo>, Reload, (std::string_view), (override));
  MOCK_METHOD(StatusOr<TaskPage>, ListTasks, (const TaskQuery&), (override));
  MOCK_METHOD(StatusOr<Explanation>, Explain, (HandleId), (override));
  MOCK_METHOD(StatusOr<std::uint64_t>, Close, (std::string_view, bool), (override));
  MOCK_METHOD(StatusOr<std::uint64_t>, Terminate, (std::string_view, Duration, bool), (override));
  MOCK_METHOD(StatusOr<std::vector<bool>>, Cancel, (const std::vector<HandleId>&, bool), (override));
  MOCK_METHOD(StatusOr<std::uint32_t>, Release, (const std::vector<HandleId>&), (override));
  MOCK_METHOD(StatusOr<bool>, Join, (std::string_view, Duration), (override));
  MOCK_METHOD(StatusOr<HandleInfo>, Get, (HandleId, Duration), (override));
  MOCK_METHOD(StatusOr<ManyHandles>, GetMany, (const std::vector<HandleId>&, Duration), (override));
  MOCK_METHOD(StatusOr<WaitedIds>, Wait, (const std::vector<HandleId>&, WaitMode, Duration), (override));
  MOCK_METHOD(StatusOr<Stats>, GetStats, (std::string_view), (override));
  MOCK_METHOD(StatusOr<ServerInfo>, GetServerInfo, (), (override));
  MOCK_METHOD(absl::Status, GetItems, (const ItemsQuery&, const std::function<bool(const ItemsAnswer&)>&), (override));
  MOCK_METHOD(absl::Status, Watch, (const WatchQuery&, const WatchCallback&), (override));
  MOCK_METHOD(StatusOr<std::string>, Download, (HandleId, std::uint64_t), (override));
  MOCK_METHOD(StatusOr<Payload>, DownloadArguments, (HandleId, std::uint64_t), (override));
};

}  // namespace poold::client
