#include <algorithm>
#include <utility>

#include "core/bare_core.h"
#include "give_up.h"
#include "meter.h"
#include "parts.h"

namespace poold::cost {
namespace {

using core::Nanos;
using core::testing::BareCore;
using core::testing::Sent;

constexpr std::uint32_t kWorkers = 2;
// As 64 cores would have.
constexpr std::uint32_t kManyWorkers = 62;
constexpr std::uint64_t kTasks = 10'000;
constexpr std::uint64_t kBatch = 64;
constexpr std::uint64_t kItems = 100'000;
constexpr std::uint64_t kColumn = 4096;
// As a no-op and its neighbours take: short enough that work is sent ahead.
constexpr Nanos kElapsed = 2000;

// All workers answer what they have; what ended is released. Until nothing is left.
void RunAll(BareCore& bare) {
  while (!bare.workers.sent.empty()) {
    bare.now += kElapsed;
    for (const Sent& work : std::exchange(bare.workers.sent, {})) bare.Answer(work, true, kElapsed);
    bare.ReleaseEnded();
  }
}

void Batches(BareCore& bare, std::uint64_t first, std::uint64_t tasks, std::uint64_t batch) {
  for (std::uint64_t i = 0; i < tasks; i += batch) {
    bare.Submit(first + i, batch);
    RunAll(bare);
  }
}

void PlayInBatches(const char* part, std::uint64_t batch, std::uint32_t workers) {
  BareCore bare(workers);
  Batches(bare, 0, kTasks / 10, batch);
  Meter meter(part);
  const std::uint64_t tasks = kTasks / batch * batch;
  meter.Count(tasks, [&] { Batches(bare, kTasks, tasks, batch); });
}

// Answers to first attempts say that they failed.
void FailFirstAttempts(BareCore& bare) {
  while (!bare.workers.sent.empty()) {
    bare.now += kElapsed;
    for (const Sent& work : std::exchange(bare.workers.sent, {})) bare.Answer(work, work.attempt > 1, kElapsed);
    bare.ReleaseEnded();
  }
}

void Retries(BareCore& bare, std::uint64_t first, std::uint64_t tasks) {
  for (std::uint64_t i = 0; i < tasks; i += kBatch) {
    bare.Submit(first + i, kBatch);
    FailFirstAttempts(bare);
    while (bare.core.NextTimer() < bare.now + core::kSecond) {
      bare.now = std::max(bare.now, bare.core.NextTimer());
      bare.core.OnTick(bare.now);
      FailFirstAttempts(bare);
    }
  }
}

void Items(BareCore& bare, std::uint64_t items) {
  ++bare.map.low;
  for (std::uint64_t first = 0; first < items; first += kColumn) {
    const std::uint64_t count = std::min(kColumn, items - first);
    bare.AddItems(first, count, first + count == items);
  }
  while (!bare.workers.sent.empty()) {
    bare.now += core::kMillisecond;
    for (const Sent& chunk : std::exchange(bare.workers.sent, {})) bare.AnswerItems(chunk, kElapsed);
    bare.ConsumeBlocks();
  }
  if (bare.clients.ended.size() != 1) GiveUp("a map did not end");
  bare.ReleaseEnded();
}

void PlayItems(const char* part, std::uint32_t workers) {
  BareCore bare(workers);
  Items(bare, kItems / 10);
  Meter meter(part);
  meter.Count(kItems, [&] { Items(bare, kItems); });
}

}  // namespace

void PlayOneAtATime() { PlayInBatches("core: one at a time", 1, kWorkers); }
void PlayBatches() { PlayInBatches("core: 64 outstanding", kBatch, kWorkers); }
void PlayWideBatches() { PlayInBatches("core: 64 outstanding, 62 workers", kBatch, kManyWorkers); }
void PlayBurst() { PlayInBatches("core: all, then collected", kTasks / 2, kWorkers); }

void PlayCancels() {
  BareCore bare(kWorkers);
  bare.Submit(0, kTasks);
  Meter meter("core: cancelled while it waits");
  // The first ones are with the workers.
  constexpr std::uint64_t kWithWorkers = 1000;
  meter.Count(kTasks - kWithWorkers, [&] {
    for (std::uint64_t i = kWithWorkers; i < kTasks; ++i) {
      if (!bare.core.OnCancel(bare.now, {BareCore::kTaskIds, i}, false).value_or(false)) GiveUp("a task ran on");
    }
    bare.ReleaseEnded();
  });
}

void PlayRetries() {
  BareCore bare(kWorkers);
  core::TaskOptions options;
  options.max_attempts = 2;
  options.retry_on = 1u << static_cast<unsigned>(core::TaskState::kFailed);
  options.retry_delay = core::kMillisecond;
  bare.options = std::make_shared<const core::TaskOptions>(options);
  Retries(bare, 0, kTasks / 10);
  Meter meter("core: failed once, tried again");
  const std::uint64_t tasks = kTasks / kBatch * kBatch;
  meter.Count(tasks, [&] { Retries(bare, kTasks, tasks); });
}

void PlayMap() { PlayItems("core: an item of a map", kWorkers); }
void PlayWideMap() { PlayItems("core: an item of a map, 62 workers", kManyWorkers); }

}  // namespace poold::cost
