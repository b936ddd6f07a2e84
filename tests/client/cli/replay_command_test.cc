#include "cli/replay_command.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace poold::cli {
namespace {

namespace fs = std::filesystem;

class Replay : public ::testing::Test {
 protected:
  Replay() {
    fs::create_directories(folder_);
    std::ofstream(folder_ / "mine.so");
    std::ofstream(folder_ / "worker");
    plan_.function = "square";
    plan_.arguments.set_encoding(v1::ENCODING_MSGPACK);
    plan_.arguments.set_data("\x91\x07");
    plan_.spec.set_name("demo");
    plan_.spec.add_modules("mine");
    options_.program = folder_ / "worker";
    options_.module_folders = {folder_};
  }
  ~Replay() override { fs::remove_all(folder_); }

  // What stands behind an option.
  static std::string After(const std::vector<std::string>& words, const std::string& option) {
    auto at = std::find(words.begin(), words.end(), option);
    return at == words.end() || at + 1 == words.end() ? "" : *(at + 1);
  }

  const fs::path folder_ = fs::path(::testing::TempDir()) / ("replay-" + std::to_string(getpid()));
  ReplayPlan plan_;
  ReplayOptions options_;
};

TEST_F(Replay, NamesTheFunctionItsModulesAndItsArguments) {
  auto words = ReplayCommand(plan_, options_);
  ASSERT_TRUE(words.ok()) << words.status();
  EXPECT_EQ(words->front(), folder_ / "worker");
  EXPECT_EQ(After(*words, "--run"), "square");
  EXPECT_EQ(After(*words, "--module"), folder_ / "mine.so");
  EXPECT_EQ(After(*words, "--encoding"), "msgpack");
  std::ifstream file(After(*words, "--arguments"), std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "\x91\x07");
}

TEST_F(Replay, PreparesAsThePoolDoes) {
  plan_.spec.add_preload("load");
  plan_.spec.set_initializer("connect");
  plan_.spec.set_allow_exec(true);
  auto words = ReplayCommand(plan_, options_);
  ASSERT_TRUE(words.ok()) << words.status();
  EXPECT_EQ(After(*words, "--preload"), "load");
  EXPECT_EQ(After(*words, "--initializer"), "connect");
  EXPECT_EQ(words->back(), "--allow-exec");
}

TEST_F(Replay, RunsUnderTheDebuggerWhenAsked) {
  options_.debugger = true;
  auto words = ReplayCommand(plan_, options_);
  ASSERT_TRUE(words.ok()) << words.status();
  EXPECT_EQ((*words)[0], "gdb");
  EXPECT_EQ((*words)[1], "--args");
}

TEST_F(Replay, SaysWhereAModuleWasLookedFor) {
  plan_.spec.add_modules("theirs");
  auto words = ReplayCommand(plan_, options_);
  EXPECT_EQ(words.status().message(),
            "the module theirs (theirs.so) is not in " + folder_.string() + "; --module-dir names another folder");
}

TEST_F(Replay, WantsTheProgramOfAPoolThatHasItsOwn) {
  options_.program.clear();
  plan_.spec.set_program("snake");
  EXPECT_EQ(ReplayCommand(plan_, options_).status().message(),
            "the pool demo has a worker program of its own, snake; --program says where it is here");
}

}  // namespace
}  // namespace poold::cli
