// The tables of phases: every transition in them is made, every other one aborts.
#include "process/life_cycle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace poold::process {
namespace {

std::span<const PhaseChange<WorkerPhase>> TableOf(WorkerPhase) { return WorkerTransitions(); }
std::span<const PhaseChange<ZygotePhase>> TableOf(ZygotePhase) { return ZygoteTransitions(); }

template <typename Phase>
std::vector<Phase> AllPhases() {
  std::vector<Phase> phases;
  for (int i = 0; i <= static_cast<int>(Phase::kGone); ++i) phases.push_back(static_cast<Phase>(i));
  return phases;
}

template <typename Phase>
bool IsInTable(Phase from, Phase to) {
  const auto table = TableOf(from);
  return std::find(table.begin(), table.end(), PhaseChange<Phase>{from, to}) != table.end();
}

template <typename Phase>
class LifeCycleTest : public testing::Test {};

using Phases = testing::Types<WorkerPhase, ZygotePhase>;
TYPED_TEST_SUITE(LifeCycleTest, Phases);

TYPED_TEST(LifeCycleTest, EveryTransitionOfTheTableIsMade) {
  for (const auto& [from, to] : TableOf(TypeParam::kNew)) {
    TypeParam phase = from;
    Transition(&phase, to);
    EXPECT_EQ(phase, to);
  }
}

TYPED_TEST(LifeCycleTest, NoTransitionStandsThereTwice) {
  const auto table = TableOf(TypeParam::kNew);
  std::set<std::pair<TypeParam, TypeParam>> seen;
  for (const auto& [from, to] : table) EXPECT_TRUE(seen.emplace(from, to).second) << PhaseName(from) << PhaseName(to);
}

TYPED_TEST(LifeCycleTest, EveryPhaseButTheFirstIsReachedAndEveryOneButTheLastIsLeft) {
  std::vector<TypeParam> reached = {TypeParam::kNew};
  for (std::size_t i = 0; i < reached.size(); ++i) {
    for (const TypeParam to : AllPhases<TypeParam>()) {
      if (IsInTable(reached[i], to) && std::find(reached.begin(), reached.end(), to) == reached.end()) {
        reached.push_back(to);
      }
    }
  }
  EXPECT_EQ(reached.size(), AllPhases<TypeParam>().size());
  for (const TypeParam from : AllPhases<TypeParam>()) {
    const auto phases = AllPhases<TypeParam>();
    const bool leads_on = std::any_of(phases.begin(), phases.end(), [&](TypeParam to) { return IsInTable(from, to); });
    EXPECT_EQ(leads_on, from != TypeParam::kGone) << PhaseName(from);
  }
}

// A process that runs may end by itself at any time, and may be killed at any time.
TYPED_TEST(LifeCycleTest, WhatHasAProcessMayDieAndOnlyTheReapedAreDead) {
  for (const TypeParam phase : AllPhases<TypeParam>()) {
    EXPECT_EQ(IsInTable(phase, TypeParam::kDead), HasProcess(phase)) << PhaseName(phase);
    if (!HasProcess(phase) || phase == TypeParam::kKilled) continue;
    EXPECT_TRUE(IsInTable(phase, TypeParam::kKilled)) << PhaseName(phase);
  }
}

TYPED_TEST(LifeCycleTest, AnyOtherTransitionAborts) {
  GTEST_FLAG_SET(death_test_style, "fast");
  for (const TypeParam from : AllPhases<TypeParam>()) {
    for (const TypeParam to : AllPhases<TypeParam>()) {
      if (IsInTable(from, to)) continue;
      TypeParam phase = from;
      const std::string names = std::string(PhaseName(from)) + " to " + std::string(PhaseName(to));
      EXPECT_DEATH(Transition(&phase, to), "no transition from " + names);
    }
  }
}

}  // namespace
}  // namespace poold::process
