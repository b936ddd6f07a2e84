// A user's program tested without a daemon.
#include "gmock/gmock.h"
#include "poold/client.h"
#include "poold/mocks/mock_connection.h"
#include "poold/v1/pool.pb.h"

namespace poold::client {
namespace {

using ::testing::_;
using ::testing::HasSubstr;
using ::testing::NiceMock;

class MockTest : public ::testing::Test {
 protected:
  std::shared_ptr<NiceMock<MockConnection>> connection_ = std::make_shared<NiceMock<MockConnection>>();
  Client client_{connection_};
  Pool pool_ = client_.Default();
};

TEST_F(MockTest, SubmitSendsArgumentsAsOneMessagePackArray) {
  EXPECT_CALL(*connection_, Submit).WillOnce([](const TaskCall& call) {
    EXPECT_EQ(call.pool, "default");
    EXPECT_EQ(call.function, "square");
    EXPECT_EQ(call.args, "\x91\x07");
    return MakeFinishedTask(49);
  });
  EXPECT_EQ(pool_.Apply<int>("square", 7).value(), 49);
}

TEST_F(MockTest, OneMessageTravelsAsProtobufWithItsName) {
  v1::PoolSpec message;
  message.set_name("acme");
  EXPECT_CALL(*connection_, Submit).WillOnce([&](const TaskCall& call) {
    EXPECT_EQ(call.encoding, Encoding::kProtobuf);
    EXPECT_EQ(call.type_name, "poold.v1.PoolSpec");
    return MakeFinishedTask(message);
  });
  EXPECT_EQ(pool_.Apply<v1::PoolSpec>("same", message)->name(), "acme");
}

TEST_F(MockTest, WhatExpiredNamesTheLimitThatPassed) {
  const Outcome outcome{.state = TaskState::kExpired,
                        .failure = Failure{.message = "total_timeout passed before it started"}};
  EXPECT_CALL(*connection_, Submit).WillOnce([&](const TaskCall&) { return MakeEndedTask("square", outcome); });
  const absl::Status status = pool_.Apply<int>("square", 7).status();
  EXPECT_EQ(ReasonOf(status), "TASK_EXPIRED");
  EXPECT_EQ(status.message(), "square expired: total_timeout passed before it started");
}

TEST_F(MockTest, RawBytesTravelAsTheyAre) {
  EXPECT_CALL(*connection_, Submit).WillOnce([](const TaskCall& call) {
    EXPECT_EQ(call.encoding, Encoding::kRaw);
    return MakeFinishedTask(Bytes{std::string(call.args)});
  });
  EXPECT_EQ(pool_.Apply<Bytes>("echo", Bytes{std::string("\0x", 2)})->data.size(), 2u);
}

TEST_F(MockTest, LargeTextsComeAsOneStringLikeSmallOnes) {
  for (const std::size_t bytes : {std::size_t{10}, std::size_t{100'000}}) {
    const std::string text(bytes, 'x');
    EXPECT_CALL(*connection_, Submit).WillOnce([&](const TaskCall& call) {
      EXPECT_TRUE(call.args == codec::EncodeArguments(1, text, "small", Bytes{text}, std::string_view(text)));
      return MakeFinishedTask(text);
    });
    const auto result = pool_.Apply<SharedBytes>("f", 1, text, "small", BytesView{text}, std::string_view(text));
    EXPECT_TRUE(result->view() == text);
  }
}

TEST_F(MockTest, SharedBytesTakeTextsAndBytesAndNothingElse) {
  EXPECT_CALL(*connection_, Submit)
      .WillOnce([](const TaskCall&) { return MakeFinishedTask(std::string("text")); })
      .WillOnce([](const TaskCall&) { return MakeFinishedTask(Bytes{"raw"}); })
      .WillOnce([](const TaskCall&) { return MakeFinishedTask(49); });
  EXPECT_EQ(pool_.Apply<SharedBytes>("f")->view(), "text");
  EXPECT_EQ(pool_.Apply<SharedBytes>("f")->view(), "raw");
  EXPECT_THAT(std::string(pool_.Apply<SharedBytes>("f").status().message()), HasSubstr("wanted bytes, given integer"));
}

TEST_F(MockTest, AFailureNamesFunctionTypeAndMessage) {
  EXPECT_CALL(*connection_, Submit).WillOnce([](const TaskCall& call) {
    return MakeFailedTask(std::string(call.function), "std::runtime_error", "no such file");
  });
  const auto handle = pool_.Submit<int>("load", "x");
  const auto result = handle.Get();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(result.status().message(), "load failed: std::runtime_error: no such file");
  EXPECT_EQ(ReasonOf(result.status()), "TASK_FAILED");
  EXPECT_EQ(handle.outcome()->failure->type, "std::runtime_error");
}

TEST_F(MockTest, AResultOfAnotherTypeIsToldAsSuch) {
  EXPECT_CALL(*connection_, Submit).WillOnce([](const TaskCall&) { return MakeFinishedTask("text"); });
  const auto result = pool_.Apply<int>("square", 7);
  EXPECT_EQ(ReasonOf(result.status()), "RESULT_TYPE");
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("not of the type asked for"));
}

TEST_F(MockTest, ACrashTellsTheSignalAndTheLastWords) {
  EXPECT_CALL(*connection_, Submit).WillOnce([](const TaskCall&) {
    return MakeEndedTask("risky", {.state = TaskState::kCrashed,
                                   .death = DeathCertificate{.signal = 11, .killed_by = KilledBy::kItself, .pid = 77},
                                   .stderr_tail = "first\nbad pointer\n"});
  });
  const auto handle = pool_.Submit<void>("risky");
  const absl::Status status = handle.Get();
  EXPECT_EQ(ReasonOf(status), "TASK_CRASHED");
  EXPECT_EQ(status.message(), "risky crashed: worker 77 was ended by SIGSEGV of its own; its last words: bad pointer");
  EXPECT_EQ(handle.outcome()->death->signal, 11);
  // What people see who print it.
  EXPECT_EQ(status.ToString(),
            "ABORTED: risky crashed: worker 77 was ended by SIGSEGV of its own; its last words: bad pointer "
            "[poold/reason='TASK_CRASHED']");
}

TEST_F(MockTest, ARefusalComesThroughTheHandle) {
  EXPECT_CALL(*connection_, Submit).WillOnce([](const TaskCall&) {
    return MakeRefusedTask("square", absl::ResourceExhaustedError("full"));
  });
  const auto handle = pool_.Submit<int>("square", 7);
  EXPECT_TRUE(handle.done());
  EXPECT_EQ(handle.state(), TaskState::kUnspecified);
  EXPECT_TRUE(absl::IsResourceExhausted(handle.Get().status()));
}

TEST_F(MockTest, AMapHandsOverItsItemsPackedAndGivesEachItsResult) {
  std::string items;
  EXPECT_CALL(*connection_, OpenMap).WillOnce([](const MapCall& call) {
    return MakeEndedMap(std::string(call.function),
                        {{.state = TaskState::kSucceeded, .result = ResultOf(1)},
                         {.state = TaskState::kFailed, .failure = Failure{.message = "odd"}}});
  });
  EXPECT_CALL(*connection_, AddItems).WillOnce([&](const internal::MapRef&, const MapBatch& batch) {
    items = batch.items;
    EXPECT_TRUE(batch.complete);
    return absl::OkStatus();
  });
  const auto map = pool_.Map<int>("half", std::vector<int>{2, 3});
  EXPECT_EQ(items, "\x91\x02\x91\x03");
  std::vector<bool> good;
  for (const auto& item : map) good.push_back(item.result.ok());
  EXPECT_EQ(good, (std::vector<bool>{true, false}));
  EXPECT_EQ(map.Get().status().message(), "item 1 of half failed: odd");
}

TEST_F(MockTest, PoolOptionsAreOverlaidByThoseOfTheCall) {
  const Pool urgent = pool_.With({.priority = 7});
  EXPECT_CALL(*connection_, Submit)
      .WillOnce([](const TaskCall& call) {
        EXPECT_EQ(call.options->priority, 7);
        return MakeFinishedTask(0);
      })
      .WillOnce([](const TaskCall& call) {
        EXPECT_EQ(call.options->priority, 1);
        return MakeFinishedTask(0);
      });
  urgent.Submit<int>("f");
  urgent.SubmitWith<int>({.priority = 1}, "f");
}

TEST_F(MockTest, AScopeTerminatesItsPool) {
  EXPECT_CALL(*connection_, Terminate).WillOnce([](std::string_view pool, Duration grace, bool forget) {
    EXPECT_EQ(pool, "default");
    EXPECT_EQ(grace, Duration::zero());
    EXPECT_FALSE(forget);
    return 0;
  });
  PoolScope scope(pool_);
}

TEST_F(MockTest, WhatADaemonTellsIsPlain) {
  EXPECT_CALL(*connection_, GetPool).WillOnce([](std::string_view pool) {
    return PoolDescription{.pool = {.spec = {.name = std::string(pool), .workers = 2},
                                    .state = PoolState::kRunning,
                                    .workers = {{.id = 1, .state = WorkerState::kIdle}}}};
  });
  const absl::StatusOr<PoolInfo> info = pool_.Info();
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->spec.name, "default");
  EXPECT_EQ(ToString(info->state), "RUNNING");
  EXPECT_EQ(ToString(info->workers.front().state), "IDLE");
}

TEST(HandleId, TextAndBytesGoThereAndBack) {
  const HandleId id{0x0123456789abcdef, 0xfedcba9876543210};
  EXPECT_EQ(id.ToHex(), "0123456789abcdeffedcba9876543210");
  EXPECT_EQ(HandleId::FromHex("01234567-89AB-CDEF-FEDC-BA9876543210"), id);
  EXPECT_EQ(HandleId::FromBytes(id.ToBytes()), id);
  EXPECT_EQ(HandleId::FromHex("123"), std::nullopt);
}

TEST(Handles, OfNothingSaySo) {
  EXPECT_TRUE(absl::IsFailedPrecondition(TaskHandle<int>().Get().status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(MapHandle<int>().Get().status()));
}

}  // namespace
}  // namespace poold::client
