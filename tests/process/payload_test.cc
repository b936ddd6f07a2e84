// Large arguments and results as descriptors, between the dispatcher and real workers.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/payload_draft.h"
#include "base/payload_file.h"
#include "process/stage.h"
#include "wire/outcome_ring.h"
#include "wire/sealed_file.h"

namespace poold::process {
namespace {

using core::TaskState;

std::string Pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 2654435761u >> 13);
  return text;
}

bool InFile(const core::Bytes& bytes) { return base::PayloadFile::Behind(bytes.owner()) != nullptr; }

bool OnDisk(const core::Bytes& bytes) {
  const base::PayloadFile* const file = base::PayloadFile::Behind(bytes.owner());
  return file != nullptr && !wire::CheckSealedFile(file->fd(), bytes.size()).ok();
}

class PayloadTest : public testing::Test {
 protected:
  DispatcherOptions With(base::SpoolOptions spool, DispatcherOptions options = WithPoolWorker()) {
    spool.folder = std::filesystem::temp_directory_path();
    spool_ = std::make_shared<const base::Spool>(spool);
    options.spool = spool_;
    return options;
  }
  // In a file, as an upload or a client brings them.
  core::Bytes InMemory(const std::string& text) {
    wire::UniqueFd fd = std::move(wire::MakeSealedFile(text).value());
    const auto file = spool_->Adopt(&fd, text.size()).value();
    return core::Bytes(file, file->view());
  }
  core::Bytes Spooled(const std::string& text) {
    base::PayloadDraft draft(spool_.get());
    EXPECT_TRUE(draft.Append(text).ok());
    const base::Kept kept = draft.Finish().value();
    return core::Bytes(kept.owner, kept.view);
  }

  std::shared_ptr<const base::Spool> spool_;
};

TEST_F(PayloadTest, ArgumentsInSealedMemoryReachTheWorkerAndAResultComesBackSo) {
  Stage stage(With({}));
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const std::string text = Pattern((5u << 20) + 17);
  const core::OutcomePtr outcome = stage.clients.Outcome(stage.SubmitBytes("echo", InMemory(text)));
  ASSERT_EQ(outcome->state, TaskState::kSucceeded);
  EXPECT_TRUE(outcome->result.data.view() == text);
  EXPECT_TRUE(InFile(outcome->result.data));
  EXPECT_FALSE(OnDisk(outcome->result.data));
  // The arguments are gone.
  EXPECT_EQ(spool_->used_memory_bytes(), text.size());
}

TEST_F(PayloadTest, ArgumentsOnDiskReachTheWorker) {
  Stage stage(With({.threshold_bytes = 1000}));
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const std::string text = Pattern(3u << 20);
  const core::Bytes args = Spooled(text);
  EXPECT_TRUE(OnDisk(args));
  EXPECT_TRUE(stage.clients.Outcome(stage.SubmitBytes("echo", args))->result.data.view() == text);
}

TEST_F(PayloadTest, AWorkerThatTakesNoDescriptorsGetsTheBytes) {
  for (const char* odd : {"", "no_page"}) {
    Stage stage(With({.threshold_bytes = 1000}, {}));
    ASSERT_TRUE(stage.Open(OddPool(odd)).ok());
    const std::string text = Pattern((3u << 20) + 5);
    const core::Bytes args = Spooled(text);
    EXPECT_TRUE(stage.clients.Outcome(stage.SubmitBytes("echo", args))->result.data.view() == text) << odd;
    EXPECT_EQ(stage.Run("echo", "small")->result.data.view(), "small") << odd;
  }
}

TEST_F(PayloadTest, ManyOfThemAmongSmallOnesKeepTheirPlaces) {
  Stage stage(With({.max_files = 200}));
  ASSERT_TRUE(stage.Open(TestingPool(2)).ok());
  std::vector<std::pair<core::HandleId, std::string>> expected;
  for (int i = 0; i < 60; ++i) {
    const std::string text =
        std::to_string(i) + std::string(i % 3 == 0 ? 300'000 : 20, static_cast<char>('a' + i % 26));
    expected.emplace_back(stage.SubmitBytes("echo", i % 3 == 0 ? InMemory(text) : core::Bytes(text)), text);
  }
  for (const auto& [id, text] : expected) EXPECT_TRUE(stage.clients.Outcome(id)->result.data.view() == text);
}

TEST_F(PayloadTest, AResultForWhichThereIsNoMemoryGoesToDisk) {
  Stage stage(With({.max_memory_bytes = 1u << 20}));
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const std::string text = Pattern(3u << 20);
  const core::OutcomePtr outcome = stage.Run("echo", text);
  EXPECT_TRUE(outcome->result.data.view() == text);
  EXPECT_TRUE(OnDisk(outcome->result.data));
}

TEST_F(PayloadTest, AResultTooLargeForAFileOfItsOwnIsGatheredOnDisk) {
  Stage stage(With({}));
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const std::string text = Pattern(wire::kMaxFileBytes + 1);
  const core::OutcomePtr outcome = stage.clients.Outcome(stage.SubmitBytes("echo", InMemory(text)));
  ASSERT_EQ(outcome->state, TaskState::kSucceeded);
  EXPECT_TRUE(outcome->result.data.view() == text);
  EXPECT_TRUE(OnDisk(outcome->result.data));
}

TEST_F(PayloadTest, AFullSpoolFailsTheTaskAndTheWorkerLives) {
  Stage stage(With({.max_bytes = 2u << 20, .max_memory_bytes = 1u << 20}));
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const pid_t pid = stage.WorkerPid();
  const core::OutcomePtr outcome = stage.Run("echo", Pattern(3u << 20));
  EXPECT_EQ(outcome->state, TaskState::kFailed);
  EXPECT_EQ(outcome->detail->failure->type, "poold.ResultError");
  EXPECT_NE(outcome->detail->failure->message.find("spool.max_bytes"), std::string::npos);
  EXPECT_EQ(stage.Run("echo", "small")->result.data.view(), "small");
  EXPECT_EQ(stage.WorkerPid(), pid);
  EXPECT_EQ(spool_->used_bytes(), 0u);
}

TEST_F(PayloadTest, AWorkerThatDiesBetweenTheFileAndItsRecordHasNoResult) {
  Stage stage(With({}, {}));
  ASSERT_TRUE(stage.Open(OddPool("file_then_death")).ok());
  const core::OutcomePtr outcome = stage.Run("echo", "x");
  EXPECT_EQ(outcome->state, TaskState::kCrashed);
  EXPECT_EQ(spool_->used_memory_bytes(), 0u);
}

TEST_F(PayloadTest, AWorkerThatLiesAboutAFileIsKilled) {
  for (const char* odd : {"no_file", "unsealed_file", "file_of_another_size", "flood_files"}) {
    Stage stage(With({}, {}));
    ASSERT_TRUE(stage.Open(OddPool(odd)).ok());
    const core::OutcomePtr outcome = stage.Run("echo", "x");
    EXPECT_EQ(outcome->state, TaskState::kCrashed) << odd;
    EXPECT_EQ(outcome->detail->death->killed_by, core::KilledBy::kItself) << odd;
    EXPECT_EQ(spool_->used_memory_bytes(), 0u) << odd;
  }
}

TEST_F(PayloadTest, NoDescriptorIsLeftWhenOutcomesAreReleased) {
  Stage stage(With({}));
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  stage.Run("echo", "warm");
  const std::size_t before = OpenDescriptors();
  for (int i = 0; i < 20; ++i) {
    const core::HandleId id = stage.SubmitBytes("echo", InMemory(std::string(300'000, 'x')));
    stage.clients.Outcome(id);
    stage.clients.Forget(id);
    stage.gate.Enter([&](core::Core& core, core::Nanos now) { core.OnRelease(now, id); });
  }
  WaitUntil([&] { return spool_->used_files() == 0 && OpenDescriptors() == before; });
}

}  // namespace
}  // namespace poold::process
