#include "cli/grammar/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace poold::cli {
namespace {

using ::testing::Contains;
using ::testing::Not;
using Kind = Completion::Kind;

Completion Of(const std::vector<std::string>& words) { return CompletionOf(Grammar(), words); }

TEST(Completion, TheFirstWordIsACommand) {
  EXPECT_THAT(Of({""}).words, Contains("submit"));
  EXPECT_THAT(Of({"--json", "su"}).words, Contains("submit"));
  // The value of an option is none.
  EXPECT_EQ(Of({"--pool", "x", ""}).words.size(), Grammar().Commands().size());
}

TEST(Completion, OptionsAreThoseOfTheCommandAndOfAll) {
  const Completion map = Of({"map", "--"});
  EXPECT_THAT(map.words, Contains("--as-completed"));
  EXPECT_THAT(map.words, Contains("--no-output"));
  EXPECT_THAT(map.words, Contains("--json"));
  EXPECT_THAT(map.words, Not(Contains("--running")));
}

TEST(Completion, NamesComeFromTheDaemon) {
  EXPECT_EQ(Of({"--pool", ""}).kind, Kind::kPools);
  EXPECT_EQ(Of({"terminate", ""}).kind, Kind::kPools);
  EXPECT_EQ(Of({"explain", ""}).kind, Kind::kHandles);
  EXPECT_EQ(Of({"cancel", "--running", "ab", ""}).kind, Kind::kHandles);
  const Completion function = Of({"--pool", "demo", "submit", "sq"});
  EXPECT_EQ(function.kind, Kind::kFunctions);
  EXPECT_EQ(function.pool, "demo");
  EXPECT_EQ(function.prefix, "sq");
}

TEST(Completion, ValuesOfOptionsAreKnown) {
  EXPECT_THAT(Of({"open", "x", "--start-method", ""}).words, Contains("fresh"));
  EXPECT_THAT(Of({"tasks", "--state", "r"}).words, Contains("running"));
}

TEST(Completion, ArgumentsOfAFunctionAreNobodysBusiness) {
  const Completion argument = Of({"submit", "square", ""});
  EXPECT_EQ(argument.kind, Kind::kWords);
  EXPECT_TRUE(argument.words.empty());
}

}  // namespace
}  // namespace poold::cli
