// How zygotes and workers begin, and what they say when they cannot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "harness.h"
#include "poold/codec/codec.h"

namespace poold::worker_test {
namespace {

using codec::EncodeArguments;
using ::testing::AllOf;
using ::testing::HasSubstr;

internal::StartFailed FailureOf(internal::Setup setup) {
  TestZygote zygote({.setup = std::move(setup)});
  EXPECT_FALSE(zygote.ready());
  EXPECT_EQ(WaitForExit(zygote.pid).code, 1);
  zygote.pid = -1;
  return zygote.last_failure;
}

TEST(StartTest, AZygoteReportsTheFunctionsOfItsModules) {
  TestZygote zygote({.setup = SetupWith({EXAMPLES_MODULE, TESTING_MODULE})});
  ASSERT_TRUE(zygote.ready());
  EXPECT_TRUE(zygote.ready_message.uses_page());
  std::vector<std::string> names;
  for (const auto& function : zygote.ready_message.functions()) names.push_back(function.name());
  EXPECT_THAT(names, ::testing::IsSupersetOf({"square", "func", "echo", "crash"}));
}

TEST(StartTest, AMissingModuleIsNamed) {
  const internal::StartFailed failed = FailureOf(SetupWith({"/nowhere/at_all.so"}));
  EXPECT_EQ(failed.phase(), "module");
  EXPECT_THAT(failed.failure().message(), AllOf(HasSubstr("/nowhere/at_all.so"), HasSubstr("No such file")));
}

TEST(StartTest, AModuleOfAnotherAbiVersionIsRefused) {
  EXPECT_THAT(FailureOf(SetupWith({WRONG_ABI_MODULE})).failure().message(),
              AllOf(HasSubstr(WRONG_ABI_MODULE), HasSubstr("has ABI version 999, this worker program has 3")));
}

TEST(StartTest, ALibraryThatIsNoModuleIsRefused) {
  EXPECT_THAT(FailureOf(SetupWith({NO_SYMBOL_MODULE})).failure().message(), HasSubstr("has no symbol poold_module"));
}

TEST(StartTest, AModuleWithAnUndefinedSymbolIsRefusedByTheLoadersWords) {
  EXPECT_THAT(FailureOf(SetupWith({UNLOADABLE_MODULE})).failure().message(), HasSubstr("defined_nowhere"));
}

TEST(StartTest, ANameThatIsRegisteredTwiceIsRefused) {
  EXPECT_THAT(FailureOf(SetupWith({TWICE_MODULE})).failure().message(),
              HasSubstr("function 'same' is registered twice"));
  EXPECT_THAT(FailureOf(SetupWith({EXAMPLES_MODULE, ONE_TASK_MODULE})).failure().message(),
              AllOf(HasSubstr("function 'square' is registered twice"), HasSubstr(EXAMPLES_MODULE),
                    HasSubstr(ONE_TASK_MODULE)));
}

TEST(StartTest, AnotherProtocolVersionIsRefused) {
  internal::Setup setup = SetupWith({});
  setup.set_protocol_version(2);
  const internal::StartFailed failed = FailureOf(setup);
  EXPECT_EQ(failed.phase(), "protocol");
  EXPECT_THAT(failed.failure().message(), AllOf(HasSubstr("version 2"), HasSubstr("version 1")));
}

TEST(StartTest, PreloadRunsOnceInTheZygote) {
  internal::Setup setup = SetupWith({TESTING_MODULE});
  setup.add_preload("preload_ok");
  TestZygote zygote({.setup = setup});
  ASSERT_TRUE(zygote.ready());
  for (int i = 0; i < 2; ++i) {
    auto worker = zygote.MakeWorker();
    const Heard outcome = worker->Call({.function = "preloaded_by", .args = EncodeArguments()});
    EXPECT_EQ(*codec::Decode<int>(outcome.bytes), zygote.pid);
  }
}

TEST(StartTest, APreloadThatLeavesAThreadIsRefusedByName) {
  internal::Setup setup = SetupWith({TESTING_MODULE});
  setup.add_preload("preload_thread");
  const internal::StartFailed failed = FailureOf(setup);
  EXPECT_EQ(failed.phase(), "preload");
  EXPECT_THAT(failed.failure().message(),
              AllOf(HasSubstr("preload function 'preload_thread'"), HasSubstr("leaves 1 thread running")));
}

TEST(StartTest, APreloadThatThrowsOrIsUnknownIsNamed) {
  internal::Setup setup = SetupWith({TESTING_MODULE});
  setup.add_preload("preload_fail");
  EXPECT_THAT(FailureOf(setup).failure().message(), HasSubstr("preload 'preload_fail': preload says no"));
  setup.set_preload(0, "nope");
  EXPECT_THAT(FailureOf(setup).failure().message(), HasSubstr("preload 'nope': no such function"));
}

TEST(StartTest, TheInitializerRunsInEveryWorkerWithItsArguments) {
  internal::Setup setup = SetupWith({TESTING_MODULE});
  setup.set_initializer("init_ok");
  setup.set_initializer_args(EncodeArguments("prepared"));
  setup.set_initializer_encoding(internal::ENCODING_MSGPACK);
  TestZygote zygote({.setup = setup});
  auto worker = zygote.MakeWorker();
  ASSERT_NE(worker, nullptr);
  EXPECT_EQ(*codec::Decode<std::string>(worker->Call({.function = "init_text", .args = EncodeArguments()}).bytes),
            "prepared");
}

TEST(StartTest, AFailingInitializerSaysWhyAndEndsTheWorkerOnly) {
  internal::Setup setup = SetupWith({TESTING_MODULE});
  setup.set_initializer("init_fail");
  setup.set_initializer_args(EncodeArguments("no licence"));
  setup.set_initializer_encoding(internal::ENCODING_MSGPACK);
  TestZygote zygote({.setup = setup});
  ASSERT_TRUE(zygote.ready());
  EXPECT_EQ(zygote.MakeWorker(), nullptr);
  EXPECT_EQ(zygote.last_failure.phase(), "initializer");
  EXPECT_EQ(zygote.last_failure.failure().message(), "initializer 'init_fail': no licence");
  EXPECT_THAT(zygote.last_failure.failure().backtrace(), HasSubstr("init_fail"));
  EXPECT_FALSE(IsGone(zygote.pid));
}

TEST(StartTest, ASpawnedWorkerIsAFreshProgram) {
  internal::Setup setup = SetupWith({TESTING_MODULE});
  setup.set_exec_path(POOL_WORKER);
  setup.add_preload("preload_ok");
  TestZygote zygote({.setup = setup});
  ASSERT_TRUE(zygote.ready());
  EXPECT_EQ(zygote.ready_message.functions_size(), 0);
  auto worker = zygote.MakeWorker();
  ASSERT_NE(worker, nullptr);
  const Heard outcome = worker->Call({.function = "preloaded_by", .args = EncodeArguments()});
  EXPECT_EQ(*codec::Decode<int>(outcome.bytes), worker->pid);
}

TEST(StartTest, ASpawnedWorkerWhoseProgramIsMissingEnds) {
  internal::Setup setup = SetupWith({});
  setup.set_exec_path("/nowhere/program");
  TestZygote zygote({.setup = setup});
  EXPECT_EQ(zygote.MakeWorker(), nullptr);
  EXPECT_FALSE(IsGone(zygote.pid));
}

TEST(StartTest, NoWorkerRunsExitHandlersHoweverItWasStarted) {
  const std::string mark = ::testing::TempDir() + "exit-mark-" + std::to_string(getpid());
  for (const char* exec_path : {"", POOL_WORKER}) {
    internal::Setup setup = SetupWith({FORKS_MODULE});
    setup.set_exec_path(exec_path);
    TestZygote zygote({.setup = setup});
    auto worker = zygote.MakeWorker();
    ASSERT_NE(worker, nullptr);
    worker->Call({.function = "mark_at_exit", .args = EncodeArguments(mark)});
    worker->peer->Send(internal::FRAME_KIND_STOP, nullptr);
    EXPECT_EQ(WaitForExit(worker->pid).code, 0);
    worker->pid = -1;
    EXPECT_NE(access(mark.c_str(), F_OK), 0) << "started with '" << exec_path << "'";
    unlink(mark.c_str());
  }
}

TEST(StartTest, AUsersOwnProgramIsAWorkerProgram) {
  TestZygote zygote({.program = OWN_PROGRAM, .setup = SetupWith({EXAMPLES_MODULE})});
  ASSERT_TRUE(zygote.ready()) << zygote.last_failure.ShortDebugString();
  auto worker = zygote.MakeWorker();
  EXPECT_EQ(*codec::Decode<std::string>(worker->Call({.function = "greet", .args = EncodeArguments("Ada")}).bytes),
            "hello Ada");
  EXPECT_EQ(*codec::Decode<int>(worker->Call({.function = "square", .args = EncodeArguments(7)}).bytes), 49);
}

TEST(StartTest, WorkersOutliveTheirZygote) {
  auto zygote = TestingZygote();
  auto worker = zygote->MakeWorker();
  kill(zygote->pid, SIGKILL);
  EXPECT_EQ(WaitForExit(zygote->pid).signal, SIGKILL);
  zygote->pid = -1;
  EXPECT_EQ(worker->Call({.function = "noop", .args = EncodeArguments()}).kind, wire::RecordKind::kResult);
}

TEST(StartTest, AZygoteEndsWithItsChannel) {
  auto zygote = TestingZygote();
  zygote->peer->Close();
  EXPECT_EQ(WaitForExit(zygote->pid).code, 0);
  zygote->pid = -1;
}

TEST(StartTest, WorkersAreOurChildrenInSessionsOfTheirOwn) {
  auto zygote = TestingZygote();
  auto worker = zygote->MakeWorker();
  EXPECT_EQ(getsid(worker->pid), worker->pid);
  const Heard outcome = worker->Call({.function = "ident", .args = EncodeArguments()});
  auto me = codec::Decode<std::map<std::string, msgpack::object>>(outcome.bytes);
  ASSERT_TRUE(me.ok());
  EXPECT_EQ((*me)["ppid"].as<int>(), getpid());
}

TEST(StartTest, InAPidNamespaceWorkersAreSeenByOurNumbers) {
  if (geteuid() != 0) GTEST_SKIP() << "needs the right to make PID namespaces";
  TestZygote zygote(
      {.setup = SetupWith({TESTING_MODULE}), .environment = {"POOLD_PID_NAMESPACE=1", "POOLD_SUBREAPER=1"}});
  if (!zygote.ready()) GTEST_SKIP() << "no PID namespaces here";
  auto worker = zygote.MakeWorker();
  ASSERT_NE(worker, nullptr);
  EXPECT_EQ(getsid(worker->pid), worker->pid);
  EXPECT_THAT(worker->Failing({.function = "throw", .args = EncodeArguments("x")}).backtrace(),
              HasSubstr("throw_text(std::"))
      << "its own number there is another one than in /proc";
  kill(zygote.pid, SIGKILL);
  EXPECT_EQ(WaitForExit(worker->pid).signal, SIGKILL);
  worker->pid = -1;
}

}  // namespace
}  // namespace poold::worker_test
