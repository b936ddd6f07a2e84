// The last words of a worker that dies of a fault.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "wire/readable.h"
#include "wire/worker_page.h"

namespace poold::wire {
namespace {

class CrashNoteTest : public ::testing::Test {
 protected:
  ~CrashNoteTest() override { munmap(memory_, kWorkerPageBytes); }
  void Append(const std::string& text) { AppendCrashText(memory_, text.data(), text.size()); }
  CrashNote& note() { return *reinterpret_cast<CrashNote*>(static_cast<char*>(memory_) + kCrashNoteOffset); }
  void* memory_ = mmap(nullptr, kWorkerPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
};

TEST_F(CrashNoteTest, AWorkerThatDidNotCrashLeftNone) { EXPECT_FALSE(ReadCrashNote(memory_)); }

TEST_F(CrashNoteTest, WhatADyingWorkerWroteIsReadableAfterItsDeath) {
  const pid_t worker = fork();
  if (worker == 0) {
    BeginCrashNote(memory_, SIGSEGV, 0x10);
    Append("inner (module.so+0x1)\n");
    Append("outer (module.so+0x2)\n");
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(worker, &status, 0), worker);
  const auto crash = ReadCrashNote(memory_);
  ASSERT_TRUE(crash);
  EXPECT_EQ(crash->signal, SIGSEGV);
  EXPECT_EQ(crash->address, 0x10u);
  EXPECT_EQ(crash->backtrace, "inner (module.so+0x1)\nouter (module.so+0x2)\n");
}

TEST_F(CrashNoteTest, WhatHasNoRoomIsLeftOut) {
  BeginCrashNote(memory_, SIGABRT, 0);
  const std::string line(100, 'x');
  for (int i = 0; i < 1000; ++i) Append(line);
  const auto crash = ReadCrashNote(memory_);
  ASSERT_TRUE(crash);
  EXPECT_EQ(crash->backtrace.size(), sizeof note().text / 100 * 100);
  for (std::size_t i = 0; i < kRingBytes; ++i) {
    ASSERT_EQ((static_cast<char*>(memory_) + kRingOffset)[i], 0) << "wrote into the ring";
  }
}

TEST_F(CrashNoteTest, AnythingInThePageIsHarmless) {
  std::memset(static_cast<void*>(&note()), 0xff, sizeof(CrashNote));
  EXPECT_FALSE(ReadCrashNote(memory_)) << "there is no such signal";
  note().signal = SIGBUS;
  const auto crash = ReadCrashNote(memory_);
  ASSERT_TRUE(crash);
  EXPECT_LE(crash->backtrace.size(), sizeof note().text);
  EXPECT_TRUE(IsReadable(crash->backtrace));
  EXPECT_TRUE(crash->backtrace.starts_with("\ufffd\ufffd"));
}

}  // namespace
}  // namespace poold::wire
