#include "cli/text/message_json.h"

#include <gtest/gtest.h>

#include "nlohmann/json.hpp"
#include "poold/v1/map.pb.h"
#include "poold/v1/pool.pb.h"
#include "poold/v1/task.pb.h"

namespace poold::cli {
namespace {

TEST(MessageJson, ATaskHasTheNamesOfTheContract) {
  v1::Task task;
  task.set_id(std::string(15, '\0') + "\x7f");
  task.set_function("square");
  task.set_state(v1::TASK_STATE_SUCCEEDED);
  task.mutable_outcome()->set_state(v1::TASK_STATE_SUCCEEDED);
  task.mutable_outcome()->mutable_result()->set_encoding(v1::ENCODING_MSGPACK);
  task.mutable_outcome()->mutable_result()->set_data("\x31");
  task.mutable_outcome()->mutable_started_at()->set_seconds(1);
  const Json json = JsonFromMessage(task);
  EXPECT_EQ(json["id"], "0000000000000000000000000000007f");
  EXPECT_EQ(json["state"], "SUCCEEDED");
  EXPECT_EQ(json["outcome"]["result"], 49);
  EXPECT_EQ(json["outcome"]["started_at"], "1970-01-01T00:00:01Z");
  EXPECT_EQ(json["outcome"]["attempt"], 0);
  EXPECT_FALSE(json["outcome"].contains("death"));
}

TEST(MessageJson, DurationsAreSecondsMapsAreObjectsUnsetOptionalsAreLeftOut) {
  v1::PoolSpec spec;
  spec.mutable_stop_grace()->set_nanos(250'000'000);
  (*spec.mutable_environment())["A"] = "b";
  spec.set_start_method(v1::START_METHOD_SPAWN);
  const Json json = JsonFromMessage(spec);
  EXPECT_EQ(json["stop_grace"], 0.25);
  EXPECT_EQ(json["environment"]["A"], "b");
  EXPECT_EQ(json["start_method"], "SPAWN");
  EXPECT_EQ(json["modules"], Json::array());
  EXPECT_FALSE(json.contains("workers"));
}

TEST(MessageJson, AFlagCalledDoneIsNoHandle) {
  v1::MapProgress progress;
  progress.set_done(true);
  EXPECT_EQ(JsonFromMessage(progress)["done"], true);
}

TEST(MessageJson, OutputThatIsNoTextIsBase64) {
  v1::Outcome outcome;
  outcome.set_stdout_tail("fine\n");
  outcome.set_stderr_tail("\xff");
  const Json json = JsonFromMessage(outcome);
  EXPECT_EQ(json["stdout_tail"], "fine\n");
  EXPECT_EQ(json["stderr_tail"]["$bytes"], "/w==");
}

TEST(MessageJson, APayloadNamesWhatIsNoMessagePack) {
  v1::Payload payload;
  EXPECT_EQ(JsonFromPayload(payload), Json(nullptr));
  payload.set_encoding(v1::ENCODING_PROTOBUF);
  payload.set_type_name("acme.Order");
  payload.set_data("hi");
  EXPECT_EQ(Dump(JsonFromPayload(payload)), R"({"$protobuf":"acme.Order","$bytes":"aGk="})");
  payload.set_encoding(v1::ENCODING_RAW);
  EXPECT_EQ(Dump(JsonFromPayload(payload)), R"({"$bytes":"aGk="})");
}

TEST(MessageJson, HandlesAre32HexDigits) {
  const auto id = IdFromHex("00112233-4455-6677-8899-aabbccddeeFF");
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(HexFromId(*id), "00112233445566778899aabbccddeeff");
  EXPECT_FALSE(IdFromHex("").ok());
  EXPECT_FALSE(IdFromHex("0011").ok());
  EXPECT_FALSE(IdFromHex(std::string(32, 'x')).ok());
}

}  // namespace
}  // namespace poold::cli
