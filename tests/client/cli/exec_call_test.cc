#include "cli/exec_call.h"

#include <gtest/gtest.h>

#include "cli/text/value.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

using Words = std::vector<std::string>;

v1::Payload ResultOf(const std::string& json) {
  v1::Payload payload;
  payload.set_encoding(v1::ENCODING_MSGPACK);
  payload.set_data(*MsgpackFromValue(*ValueFromJson(json)));
  return payload;
}

TEST(ExecCall, TheItemStandsWhereTheBracesAreElseLast) {
  EXPECT_EQ(WithItem({"cp", "{}", "{}.{}"}, "x"), (Words{"cp", "x", "x.x"}));
  EXPECT_EQ(WithItem({"rm", "-f"}, "x y"), (Words{"rm", "-f", "x y"}));
  EXPECT_EQ(WithItem({"echo", "{}"}, "{}"), (Words{"echo", "{}"}));
}

TEST(ExecCall, AProgramEndsAsAShellTellsIt) {
  auto result = ExecResultFrom(ResultOf(R"({"exit_status":3,"signal":0,"stdout":{"$bytes":"aGk="},"stderr":"oh"})"));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->Status(), 3);
  EXPECT_EQ(result->stdout_bytes, "hi");
  EXPECT_EQ(result->stderr_bytes, "oh");
  EXPECT_EQ(ExecResultFrom(ResultOf(R"({"exit_status":-1,"signal":9})"))->Status(), 137);
}

TEST(ExecCall, AnotherFunctionOfThatNameIsNotMistaken) { EXPECT_FALSE(ExecResultFrom(ResultOf("49")).ok()); }

}  // namespace
}  // namespace poold::cli
