// What a task costs among many workers, and beside pools and clients that do nothing.
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "core/bare_core.h"
#include "give_up.h"
#include "meter.h"
#include "parts.h"

namespace poold::cost {
namespace {

using core::ClientId;
using core::Nanos;
using core::testing::BareCore;
using core::testing::Sent;

constexpr std::uint64_t kScaleTasks = 10'000;
constexpr std::uint32_t kFewWorkers = 2;
constexpr std::uint64_t kIdlePools = 500;
constexpr std::uint64_t kIdleClients = 1000;
constexpr Nanos kScaleElapsed = 2000;

// All workers have something to do: two tasks each. Whenever one has answered, the next task comes.
class Steady {
 public:
  explicit Steady(std::uint32_t workers) : bare(workers), workers_(workers) {}

  // REQUIRES: nothing has been submitted yet but by this.
  void Begin() {
    bare.Submit(submitted_, workers_);  // one for each, so that it is known how long they take
    submitted_ += workers_;
    for (std::uint32_t i = 0; i < workers_; ++i) AnswerOldest();
    bare.Submit(submitted_, 2 * workers_);
    submitted_ += 2 * workers_;
    Run(2 * workers_);
  }
  void Run(std::uint64_t tasks) {
    for (std::uint64_t i = 0; i < tasks; ++i) {
      bare.now += std::max<Nanos>(1, kScaleElapsed / workers_);
      if (bare.core.NextTimer() <= bare.now) bare.core.OnTick(bare.now);
      AnswerOldest();
      bare.Submit(submitted_++, 1);
    }
  }

  BareCore bare;

 private:
  void AnswerOldest() {
    if (answered_ == bare.workers.sent.size()) GiveUp("no worker has anything");
    const Sent work = bare.workers.sent[answered_++];
    bare.Answer(work, true, kScaleElapsed);
    bare.ReleaseEnded();
  }

  const std::uint32_t workers_;
  std::uint64_t submitted_ = 0;
  std::size_t answered_ = 0;  // of what was sent
};

void Play(const std::string& part, Steady& steady) {
  steady.Begin();
  steady.Run(kScaleTasks / 10);
  Meter meter(part);
  meter.Count(kScaleTasks, [&] { steady.Run(kScaleTasks); });
}

// Each has done something, and has an outcome that it has not released.
void AddIdleClients(BareCore& bare, std::uint64_t clients) {
  for (std::uint64_t i = 0; i < clients; ++i) {
    bare.client = ClientId{1000 + i};
    bare.core.OnClientPresent(bare.now, bare.client);
    bare.Submit((1ull << 40) + i, 1);
    bare.Answer(bare.workers.sent.back(), true, kScaleElapsed);
  }
  bare.client = ClientId{1};
  bare.workers.sent.clear();
  bare.clients.ended.clear();
}

}  // namespace

void PlayManyWorkers() {
  for (const std::uint32_t workers : {2, 64, 256, 1000}) {
    Steady steady(workers);
    Play("core: steady, workers: " + std::to_string(workers), steady);
  }
}

void PlayIdlePools() {
  for (const std::uint64_t pools : {std::uint64_t{0}, kIdlePools}) {
    Steady steady(kFewWorkers);
    for (std::uint64_t i = 0; i < pools; ++i) steady.bare.OpenPool("idle" + std::to_string(i), kFewWorkers);
    Play("core: steady, idle pools: " + std::to_string(pools), steady);
  }
}

void PlayIdleClients() {
  for (const std::uint64_t clients : {std::uint64_t{1}, kIdleClients}) {
    Steady steady(kFewWorkers);
    AddIdleClients(steady.bare, clients);
    Play("core: steady, idle clients: " + std::to_string(clients), steady);
  }
}

void PlayOpening() {
  for (const std::uint32_t workers : {64, 1000}) {
    BareCore bare;
    bare.OpenPool("warm", workers / 10);
    Meter meter("core: a worker opened, of " + std::to_string(workers));
    meter.Count(workers, [&] { bare.OpenPool("opened", workers); });
  }
}

}  // namespace poold::cost
