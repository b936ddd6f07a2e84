// What is around a clone: the handlers of pthread_atfork, and that there is one thread.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <set>

#include "harness.h"
#include "poold/codec/codec.h"

namespace poold::worker_test {
namespace {

using codec::EncodeArguments;
using ::testing::AllOf;
using ::testing::HasSubstr;

internal::Setup SetupPreloading(const std::string& function) {
  internal::Setup setup = SetupWith({FORK_HANDLERS_MODULE});
  setup.add_preload(function);
  return setup;
}

template <typename T>
T Call(TestWorker& worker, const std::string& function) {
  return codec::Decode<T>(worker.Call({.function = function, .args = EncodeArguments()}).bytes).value_or(T());
}

std::set<std::uint64_t> DrawsOfClones(const std::string& program) {
  TestZygote zygote({.program = program, .setup = SetupPreloading("warm")});
  EXPECT_TRUE(zygote.ready()) << zygote.last_failure.ShortDebugString();
  std::set<std::uint64_t> draws;
  for (int i = 0; i < 20; ++i) draws.insert(Call<std::uint64_t>(*zygote.MakeWorker(), "draw"));
  return draws;
}

TEST(CloneTest, NoTwoClonesDrawTheSameNumbers) {
  EXPECT_EQ(DrawsOfClones(POOL_WORKER).size(), 20u);
  EXPECT_EQ(DrawsOfClones(OWN_PROGRAM).size(), 20u) << "of a program of one's own";
}

TEST(CloneTest, AChildOfATaskDrawsOthersThanItsParent) {
  TestZygote zygote({.setup = SetupPreloading("warm")});
  auto worker = zygote.MakeWorker();
  std::set<std::uint64_t> draws;
  for (int i = 0; i < 5; ++i) draws.insert(Call<std::uint64_t>(*worker, "draw_in_child"));
  draws.insert(Call<std::uint64_t>(*worker, "draw"));
  EXPECT_EQ(draws.size(), 6u);
}

TEST(CloneTest, HandlersOfALibraryThatWasClosedAreStillThere) {
  TestZygote zygote({.setup = SetupPreloading("open_and_close")});
  ASSERT_TRUE(zygote.ready());
  auto worker = zygote.MakeWorker();
  ASSERT_NE(worker, nullptr);
  EXPECT_EQ(Call<std::string>(*worker, "order_so_far"), "");
}

TEST(CloneTest, HandlersRunInTheOrderOfAForkAndGiveBackWhatTheyTook) {
  TestZygote zygote({.setup = SetupPreloading("lock_around_forks")});
  EXPECT_EQ(Call<std::string>(*zygote.MakeWorker(), "order_so_far"), "abYX");
  EXPECT_EQ(Call<std::string>(*zygote.MakeWorker(), "order_so_far"), "abyxabYX") << "the zygote's were run too";
}

TEST(CloneTest, AHandlerThatThrowsBeforeACloneIsToldWithItsLibrary) {
  TestZygote zygote({.setup = SetupPreloading("throw_before_forks")});
  ASSERT_TRUE(zygote.ready());
  for (int i = 0; i < 2; ++i) {
    // What the others took they gave back, or the second one would wait for ever.
    EXPECT_THAT(zygote.RefusedClone(),
                AllOf(HasSubstr("pthread_atfork"), HasSubstr("fork_handlers.so"), HasSubstr("not now")));
  }
}

TEST(CloneTest, AHandlerThatThrowsInACloneEndsThatOne) {
  TestZygote zygote({.setup = SetupPreloading("throw_in_children")});
  ASSERT_TRUE(zygote.ready());
  EXPECT_EQ(zygote.MakeWorker(), nullptr);
  EXPECT_EQ(zygote.last_failure.phase(), "clone");
  EXPECT_THAT(zygote.last_failure.failure().message(),
              AllOf(HasSubstr("fork_handlers.so"), HasSubstr("no child of mine")));
  EXPECT_FALSE(IsGone(zygote.pid));
}

internal::StartFailed FailureOf(ZygoteOptions options) {
  TestZygote zygote(std::move(options));
  EXPECT_FALSE(zygote.ready());
  WaitForExit(zygote.pid);
  zygote.pid = -1;
  return zygote.last_failure;
}

TEST(ThreadsTest, AModuleThatStartsOneIsRefusedWithItsNameAndTheWayOut) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers start each thread: it is theirs by name";
#endif
  EXPECT_THAT(FailureOf({.setup = SetupWith({THREADED_MODULE})}).failure().message(),
              AllOf(HasSubstr("leaves 1 thread running"), HasSubstr("of worker_test_threaded.so"),
                    HasSubstr("START_METHOD_SPAWN"), HasSubstr("initializer")));
}

TEST(ThreadsTest, SoIsAProgramThatStartsOne) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers start each thread: it is theirs by name";
#endif
  EXPECT_THAT(FailureOf({.program = THREADED_PROGRAM, .setup = SetupWith({})}).failure().message(),
              AllOf(HasSubstr("the worker program leaves 1 thread running"), HasSubstr("of the program")));
}

TEST(ThreadsTest, WhatIsSpawnedMayHaveWhatItLikes) {
  for (const bool own : {false, true}) {
    internal::Setup setup = own ? SetupWith({}) : SetupWith({THREADED_MODULE});
    setup.set_exec_path(own ? THREADED_PROGRAM : POOL_WORKER);
    TestZygote zygote({.setup = setup});
    ASSERT_TRUE(zygote.ready());
    auto worker = zygote.MakeWorker();
    ASSERT_NE(worker, nullptr) << zygote.last_failure.ShortDebugString();
    EXPECT_EQ(*codec::Decode<int>(worker->Call({.function = "twice", .args = EncodeArguments(21)}).bytes), 42);
  }
}

TEST(ThreadsTest, OneThatIsEndedBeforeAForkIsNoHindrance) {
  TestZygote zygote({.setup = SetupPreloading("keep_helper")});
  ASSERT_TRUE(zygote.ready()) << zygote.last_failure.ShortDebugString();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Call<std::string>(*zygote.MakeWorker(), "order_so_far"), "");
}

}  // namespace
}  // namespace poold::worker_test
