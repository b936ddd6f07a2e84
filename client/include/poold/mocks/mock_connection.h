// MockConnection: a Connection of GoogleMock, for tests of programs that use the SDK.
//
// Example:
//   auto mock = std::make_shared<poold::client::MockConnection>();
//   EXPECT_CALL(*mock, Submit).WillOnce([](const TaskCall& call) { return MakeFinishedTask(49); });
//   poold::client::Client client(mock);
//   EXPECT_EQ(client.Default().Apply<int>("square", 7).value(), 49);
#pragma once

#include <gmock/gmock.h>

#include <functional>
#include <string>

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
  MOCK_METHOD(StatusOr<v1::OpenPoolResponse>, OpenPool, (const v1::OpenPoolRequest&), (override));
  MOCK_METHOD(StatusOr<v1::GetPoolResponse>, GetPool, (const v1::GetPoolRequest&), (override));
  MOCK_METHOD(StatusOr<v1::ListPoolsResponse>, ListPools, (const v1::ListPoolsRequest&), (override));
  MOCK_METHOD(StatusOr<v1::ResizeResponse>, Resize, (const v1::ResizeRequest&), (override));
  MOCK_METHOD(StatusOr<v1::ReloadResponse>, Reload, (const v1::ReloadRequest&), (override));
  MOCK_METHOD(StatusOr<v1::ListTasksResponse>, ListTasks, (const v1::ListTasksRequest&), (override));
  MOCK_METHOD(StatusOr<v1::ExplainResponse>, Explain, (const v1::ExplainRequest&), (override));
  MOCK_METHOD(StatusOr<v1::CloseResponse>, Close, (const v1::CloseRequest&), (override));
  MOCK_METHOD(StatusOr<v1::TerminateResponse>, Terminate, (const v1::TerminateRequest&), (override));
  MOCK_METHOD(StatusOr<v1::CancelResponse>, Cancel, (const v1::CancelRequest&), (override));
  MOCK_METHOD(StatusOr<v1::ReleaseResponse>, Release, (const v1::ReleaseRequest&), (override));
  MOCK_METHOD(StatusOr<v1::JoinResponse>, Join, (const v1::JoinRequest&, Duration), (override));
  MOCK_METHOD(StatusOr<v1::GetResponse>, Get, (const v1::GetRequest&), (override));
  MOCK_METHOD(StatusOr<v1::GetManyResponse>, GetMany, (const v1::GetManyRequest&), (override));
  MOCK_METHOD(StatusOr<v1::WaitResponse>, Wait, (const v1::WaitRequest&), (override));
  MOCK_METHOD(StatusOr<v1::GetStatsResponse>, GetStats, (const v1::GetStatsRequest&), (override));
  MOCK_METHOD(StatusOr<v1::GetServerInfoResponse>, GetServerInfo, (const v1::GetServerInfoRequest&), (override));
  MOCK_METHOD(absl::Status, GetItems,
              (const v1::GetItemsRequest&, const std::function<bool(const v1::GetItemsResponse&)>&), (override));
  MOCK_METHOD(absl::Status, Watch, (const v1::WatchRequest&, const std::function<bool(const v1::WatchResponse&)>&),
              (override));
  MOCK_METHOD(StatusOr<std::string>, Download, (const v1::DownloadRequest&), (override));
  MOCK_METHOD(StatusOr<v1::Payload>, DownloadArguments, (const v1::DownloadRequest&), (override));
};

}  // namespace poold::client
