// Which tasks and maps are known, and what is counted for them. The pool is a plain struct here.
#include "core/task/handle_store.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "core/scheduler/attempt.h"
#include "core/worker.h"

namespace poold::core {
namespace {

class Store : public ::testing::Test {
 protected:
  Store() { pool_->id = PoolId{7}; }
  ~Store() override { EXPECT_EQ(store_.Check(), ""); }

  Group& NewGroup() {
    Group& group = store_.NewGroup();
    group.pool = pool_;
    return group;
  }
  // As its owner does it.
  void End(Task& task) {
    lives_.Move(task.life, TaskLife::kQueued);
    task.outcome = std::make_shared<Outcome>();
    lives_.Move(task.life, TaskLife::kEnded);
    store_.NoteEnded(task);
  }
  void End(MapRun& map) {
    map_lives_.Move(map.life, MapLife::kEnded);
    store_.NoteEnded(map);
  }

  static constexpr std::uint64_t kMostBytes = 3 * (kTaskBytes + kGroupBytes + kIdBlockBytes);

  std::mt19937_64 random_{17};
  TaskLives lives_;
  MapLives map_lives_;
  const std::shared_ptr<Pool> pool_ = std::make_shared<Pool>(64);
  HandleStore store_{100, kMostBytes, &random_};
};

TEST_F(Store, ATaskIsKnownUntilItIsReleasedAndItsIdStays) {
  Group& group = NewGroup();
  const HandleId id{1, 2};
  Task& task = store_.AddTask(id, group);
  EXPECT_EQ(group.handles, 2u);
  EXPECT_EQ(store_.Find(id), &task);
  EXPECT_EQ(*store_.Get(id), &task);
  End(task);
  store_.Retire(task);
  bool known = false;
  EXPECT_EQ(store_.Find(id, &known), nullptr);
  EXPECT_TRUE(known);
  EXPECT_NE(store_.Get(id).status().message().find("was released"), std::string::npos);
  store_.Free(task);
  EXPECT_EQ(store_.tasks(), 0u);
  store_.DropGroup(&group);
  EXPECT_EQ(store_.groups(), 0u);
}

TEST_F(Store, AnIdThatNobodyHasIsSaidToBeUnknown) {
  EXPECT_NE(store_.Get({3, 4}).status().message().find("never submitted here"), std::string::npos);
}

TEST_F(Store, IdsOfTheDaemonAreNew) {
  Group& group = NewGroup();
  const HandleId first = store_.NewId();
  store_.AddTask(first, group);
  EXPECT_NE(store_.NewId(), first);
}

TEST_F(Store, AMapThatWasRefusedLeavesNoTrace) {
  const HandleId id{5, 6};
  MapRun& map = store_.AddMap(id, NewGroup());
  EXPECT_EQ(store_.with_maps().size(), 1u);
  store_.Withdraw(map);
  bool known = true;
  EXPECT_EQ(store_.Find(id, &known), nullptr);
  EXPECT_FALSE(known);
  Group* group = map.group;
  End(map);
  store_.Free(map);
  store_.DropGroup(group);
  EXPECT_TRUE(store_.with_maps().empty());
}

TEST_F(Store, MapsThatEndLeaveTheOthersInTheirPool) {
  MapRun& first = store_.AddMap({1, 1}, NewGroup());
  MapRun& second = store_.AddMap({1, 2}, NewGroup());
  EXPECT_EQ(pool_->unfinished, 2u);
  End(first);
  ASSERT_EQ(pool_->maps.size(), 1u);
  EXPECT_EQ(pool_->maps.front(), &second);
  EXPECT_EQ(store_.with_maps().count(pool_->id), 1u);
  End(second);
  EXPECT_TRUE(store_.with_maps().empty());
  EXPECT_EQ(pool_->unfinished, 0u);
}

TEST_F(Store, ThereIsRoomForSoMany) {
  Group& group = NewGroup();
  std::uint64_t low = 0;
  while (store_.HasRoom() && low < 100) store_.AddTask({9, low++}, group);
  EXPECT_GE(low, 3u);  // neighbours share their group and a block of ids
  EXPECT_LT(low, 10u);
  EXPECT_NE(store_.Full().message().find("have not ended"), std::string::npos);
  End(static_cast<Task&>(*store_.Find({9, 0})));
  EXPECT_TRUE(store_.HasRoom());
}

TEST_F(Store, AnAttemptIsFoundByItsTokenWhereItIs) {
  Worker worker;
  worker.id = WorkerId{3};
  Task& task = store_.AddTask({1, 1}, NewGroup());
  task.worker = &worker;
  task.token = MakeToken(task.slot, false, 5);
  const AttemptToken token{task.token};
  EXPECT_EQ(store_.FindAttempt(worker.id, token), &task);
  EXPECT_EQ(store_.FindAttempt(WorkerId{4}, token), nullptr);
  EXPECT_EQ(store_.FindAttempt(worker.id, AttemptToken{MakeToken(task.slot, false, 6)}), nullptr);
  EXPECT_EQ(store_.FindAttempt(worker.id, AttemptToken{MakeToken(task.slot, true, 5)}), nullptr);
  task.worker = nullptr;
  EXPECT_EQ(store_.FindAttempt(worker.id, token), nullptr);
}

}  // namespace
}  // namespace poold::core
