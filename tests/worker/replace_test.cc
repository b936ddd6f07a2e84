// A module that is written over while workers have it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "harness.h"
#include "poold/codec/codec.h"
#include "wire/worker_page.h"

namespace poold::worker_test {
namespace {

namespace fs = std::filesystem;
using codec::EncodeArguments;
using ::testing::HasSubstr;

class ReplaceTest : public ::testing::Test {
 protected:
  ReplaceTest() : folder_(fs::path(testing::TempDir()) / ("poold-replace-" + std::to_string(getpid()))) {
    fs::create_directory(folder_);
    WriteOver("1");
  }
  ~ReplaceTest() override { fs::remove_all(folder_); }

  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "with the sanitizers a module's file must stay as it is";
#endif
  }
  // As cp does it: the same files, with another content.
  void WriteOver(const std::string& version) {
    for (const char* name : {"replaced.so", "libreplaced_part.so"}) {
      std::ifstream from(fs::path(REPLACED_FOLDER) / version / name, std::ios::binary);
      std::ofstream(folder_ / name, std::ios::binary | std::ios::trunc) << from.rdbuf();
    }
  }
  void Empty() {
    for (const char* name : {"replaced.so", "libreplaced_part.so"}) std::ofstream(folder_ / name, std::ios::trunc);
  }
  internal::Setup WithModule() const { return SetupWith({folder_ / "replaced.so"}); }

  static std::int64_t Call(TestWorker& worker, const std::string& function) {
    const Heard outcome = worker.Call({.function = function, .args = EncodeArguments()});
    return codec::Decode<std::int64_t>(outcome.bytes).value_or(-1);
  }
  static void ExpectVersion(TestWorker& worker, std::int64_t version) {
    EXPECT_EQ(Call(worker, "version"), version);
    EXPECT_EQ(Call(worker, "part"), version) << "the library beside it";
    EXPECT_EQ(Call(worker, "table_sum"), version);
    EXPECT_EQ(Call(worker, "count"), version + 1) << "what can be written to";
  }

  const fs::path folder_;
};

TEST_F(ReplaceTest, WhoHasTheOldOneKeepsItAndTheNextZygoteTakesTheNew) {
  TestZygote old({.setup = WithModule()});
  ASSERT_TRUE(old.ready()) << old.last_failure.ShortDebugString();
  auto before = old.MakeWorker();
  WriteOver("2");
  ExpectVersion(*before, 1);
  ExpectVersion(*old.MakeWorker(), 1);
  TestZygote young({.setup = WithModule()});
  ExpectVersion(*young.MakeWorker(), 2);
}

TEST_F(ReplaceTest, ASpawnedWorkerKeepsItsOwnToo) {
  internal::Setup setup = WithModule();
  setup.set_exec_path(POOL_WORKER);
  TestZygote zygote({.setup = setup});
  auto worker = zygote.MakeWorker();
  ASSERT_NE(worker, nullptr);
  WriteOver("2");
  ExpectVersion(*worker, 1);
}

TEST_F(ReplaceTest, NamesAreToldWhileTheFileIsTheSameAndNothingBreaksWhenItIsNot) {
  TestZygote zygote({.setup = WithModule()});
  auto worker = zygote.MakeWorker();
  const TestTask fail{.function = "fail", .args = EncodeArguments()};
  EXPECT_THAT(worker->Failing(fail).backtrace(), HasSubstr("fail() ("));
  for (const bool empty : {false, true}) {
    empty ? Empty() : WriteOver("2");
    EXPECT_THAT(worker->Failing(fail).backtrace(), HasSubstr("fail() (")) << "it is known already";
    const internal::Failure failure = zygote.MakeWorker()->Failing(fail);
    EXPECT_EQ(failure.message(), "version 1");
    EXPECT_THAT(failure.backtrace(), HasSubstr("(replaced.so+0x")) << "a place, but no wrong name";
  }
}

TEST_F(ReplaceTest, ACrashIsToldWithTheFilesName) {
  TestZygote zygote({.setup = WithModule()});
  Empty();
  auto worker = zygote.MakeWorker();
  worker->Run({{.function = "crash", .args = EncodeArguments()}});
  EXPECT_EQ(WaitForExit(worker->pid).signal, SIGSEGV);
  worker->pid = -1;
  const auto crash = wire::ReadCrashNote(worker->memory);
  ASSERT_TRUE(crash.has_value());
  EXPECT_THAT(crash->backtrace, HasSubstr("(replaced.so+0x"));
}

}  // namespace
}  // namespace poold::worker_test
