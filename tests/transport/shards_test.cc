// Pools of several shards behind one server: what concerns several of them at once is put together.
#include <algorithm>
#include <set>

#include "session_client.h"
#include "wire/handle_shard.h"

namespace poold::transport {
namespace {

const std::vector<std::string> kPools = {"apples", "berries", "cherries"};

class Shards : public SessionTest {
 protected:
  Shards() { shard_count_ = 3; }
  void Adjust(ServerOptions* options) override {
    options->limits.max_pools = 3;
    options->limits.owner_grace = 0;
    options->limits.max_kept_outcome_bytes = 1 << 20;
  }
  void SetUp() override {
    ServerTest::SetUp();
    for (const std::string& pool : kPools) OpenPool(pool);
  }

  std::string SubmitTo(const std::string& pool, const std::string& function, const std::string& args = "") {
    grpc::ClientContext context;
    v1::SubmitRequest request;
    v1::SubmitResponse response;
    request.set_pool(pool);
    v1::TaskSpec* task = request.add_tasks();
    task->set_function(function);
    *task->mutable_args() = Raw(args);
    EXPECT_TRUE(client_->Submit(&context, request, &response).ok());
    return response.results_size() == 1 ? response.results(0).id() : "";
  }
  // One in each pool.
  std::vector<std::string> SubmitToAll(const std::string& function) {
    std::vector<std::string> ids;
    for (const std::string& pool : kPools) ids.push_back(SubmitTo(pool, function));
    return ids;
  }
  void LetGoIn(const std::string& pool) { workers_[engine_->directory().OfPool(pool)]->LetGo(); }
  grpc::Status Wait(const std::vector<std::string>& ids, v1::WaitMode mode, v1::WaitResponse* response,
                    int seconds = 60) {
    grpc::ClientContext context;
    v1::WaitRequest request;
    for (const std::string& id : ids) request.add_ids(id);
    request.set_mode(mode);
    request.mutable_wait_timeout()->set_seconds(seconds);
    return client_->Wait(&context, request, response);
  }
  std::string ReasonOfGet(const std::string& id) {
    grpc::ClientContext context;
    v1::GetRequest request;
    v1::GetResponse response;
    request.set_id(id);
    return DetailsOf(client_->Get(&context, request, &response)).reason;
  }
  // Groups of one task each, in turn in each pool: as bad for whoever guesses where an id lies as can be.
  static v1::SessionRequest InTurn(const std::string& function, std::uint64_t first, std::size_t tasks) {
    v1::SessionRequest request;
    for (std::size_t i = 0; i < tasks; ++i) {
      AddTasks(&request, function, first + i, {std::to_string(i)}, kPools[i % kPools.size()]);
    }
    return request;
  }
};

template <typename Repeated>
std::vector<std::string> Listed(const Repeated& ids) {
  return {ids.begin(), ids.end()};
}

TEST_F(Shards, PoolsAreSpreadAndListedAsTheyWereOpened) {
  std::set<std::size_t> used;
  for (const std::string& pool : kPools) used.insert(engine_->directory().OfPool(pool));
  EXPECT_EQ(used.size(), 3u);
  grpc::ClientContext context;
  v1::ListPoolsResponse response;
  ASSERT_TRUE(client_->ListPools(&context, {}, &response).ok());
  std::vector<std::string> names;
  std::set<std::uint64_t> workers;
  std::set<std::uint32_t> shards;
  for (const v1::Pool& pool : response.pools()) {
    names.push_back(pool.spec().name());
    shards.insert(pool.shard());
    for (const v1::Worker& worker : pool.workers()) workers.insert(worker.id());
  }
  EXPECT_EQ(names, kPools);
  EXPECT_EQ(workers.size(), 6u);  // each has a number of its own
  EXPECT_EQ(shards, (std::set<std::uint32_t>{1, 2, 3}));
  grpc::ClientContext asking;
  v1::GetServerInfoResponse info;
  ASSERT_TRUE(client_->GetServerInfo(&asking, {}, &info).ok());
  EXPECT_EQ(info.server().shards(), 3u);
}

TEST_F(Shards, AMistypedPoolIsToldWithTheNearestNameOfAnyShard) {
  for (const std::string& pool : kPools) {
    grpc::ClientContext context;
    v1::GetPoolRequest request;
    v1::GetPoolResponse response;
    request.set_name(pool + "x");
    const grpc::Status status = client_->GetPool(&context, request, &response);
    EXPECT_EQ(DetailsOf(status).reason, "POOL_NOT_FOUND");
    EXPECT_NE(status.error_message().find("did you mean '" + pool + "'"), std::string::npos) << status.error_message();
  }
}

TEST_F(Shards, TheBoundOfPoolsIsOneForAll) {
  grpc::ClientContext context;
  v1::OpenPoolRequest request;
  v1::OpenPoolResponse response;
  request.mutable_spec()->set_name("dates");
  request.mutable_spec()->set_workers(1);
  const grpc::Status status = client_->OpenPool(&context, request, &response);
  EXPECT_EQ(DetailsOf(status).reason, "TOO_MANY");
  EXPECT_NE(status.error_message().find("there are 3 pools"), std::string::npos) << status.error_message();
}

TEST_F(Shards, OneMessageBringsTasksOfAllPools) {
  const auto session = Greeted();
  ASSERT_TRUE(session->Send(InTurn("echo", 1, 30)));
  ASSERT_TRUE(session->ReadUntil([&] { return session->outcomes.size() == 30 && session->taken == 2; }));
  for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(session->outcomes[Id(1 + i)].result().data(), std::to_string(i));
  v1::SessionRequest release;
  AddRun(release.mutable_release(), 1, 30);
  ASSERT_TRUE(session->Send(release));
  ASSERT_TRUE(session->ReadUntil([&] { return session->taken == 3; }));
  for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(ReasonOfGet(Id(1 + i)), "HANDLE_RELEASED") << i;
  EXPECT_EQ(session->duplicates, 0u);
  EXPECT_TRUE(session->refused.empty());

  const auto late = Greeted();
  v1::SessionRequest subscribe;
  AddRun(subscribe.mutable_subscribe(), 1, 30);
  ASSERT_TRUE(late->Send(subscribe));
  ASSERT_TRUE(late->ReadUntil([&] { return late->refused.size() == 30; }));
  for (const auto& [id, why] : late->refused) EXPECT_EQ(DetailsOf(why).reason, "HANDLE_RELEASED");
}

TEST_F(Shards, AnotherSessionFindsWhatItNeverSubmitted) {
  const auto first = Greeted();
  ASSERT_TRUE(first->Send(InTurn("hold", 1, 12)));
  ASSERT_TRUE(first->ReadUntil([&] { return first->taken == 2; }));

  const auto second = Greeted();
  v1::SessionRequest request;
  AddRun(request.mutable_subscribe(), 1, 14);
  AddRun(request.mutable_cancel(), 7, 6);  // two workers each: these wait
  ASSERT_TRUE(second->Send(request));
  ASSERT_TRUE(second->ReadUntil([&] { return second->outcomes.size() == 6 && second->refused.size() == 2; }));
  for (std::uint64_t id = 7; id <= 12; ++id) {
    EXPECT_EQ(second->outcomes[Id(id)].state(), v1::TASK_STATE_CANCELLED) << id;
  }
  EXPECT_EQ(DetailsOf(second->refused[Id(13)]).reason, "HANDLE_NOT_FOUND");
  EXPECT_EQ(DetailsOf(second->refused[Id(14)]).reason, "HANDLE_NOT_FOUND");
  LetGo();
  ASSERT_TRUE(second->ReadUntil([&] { return second->outcomes.size() == 12; }));
  EXPECT_EQ(second->duplicates, 0u);
}

TEST_F(Shards, AMapIsFoundByItsHandleWhereverItLies) {
  const auto session = Greeted();
  for (std::size_t i = 0; i < kPools.size(); ++i) {
    session->items.clear();
    session->map_end.Clear();
    v1::SessionRequest request;
    AddMap(&request, "echo", 100 + i, {"x", "y", "z"})->set_pool(kPools[i]);
    ASSERT_TRUE(session->Send(request));
    ASSERT_TRUE(session->ReadUntil([&] { return session->map_end.done(); }));
    EXPECT_EQ(session->items.size(), 3u);

    grpc::ClientContext context;
    v1::GetItemsRequest get;
    get.set_id(Id(100 + i));
    const auto reader = client_->GetItems(&context, get);
    v1::GetItemsResponse response;
    std::uint64_t items = 0;
    while (reader->Read(&response)) {
      for (const v1::ItemOutcomes& part : response.outcomes()) items += part.result_bytes_size();
    }
    EXPECT_TRUE(reader->Finish().ok());
    EXPECT_EQ(items, 3u);
  }
}

TEST_F(Shards, AWaitForAllEndsWithTheLastOne) {
  std::vector<std::string> ids = SubmitToAll("hold");
  ids.push_back(ids.front());
  LetGoIn("apples");
  LetGoIn("cherries");
  v1::WaitResponse response;
  ASSERT_TRUE(Wait({ids[0], ids[2]}, v1::WAIT_MODE_ALL_COMPLETED, &response).ok());
  EXPECT_EQ(Listed(response.done()), (std::vector<std::string>{ids[0], ids[2]}));

  response.Clear();
  ASSERT_TRUE(Wait(ids, v1::WAIT_MODE_ALL_COMPLETED, &response, 0).ok());
  EXPECT_EQ(Listed(response.done()), (std::vector<std::string>{ids[0], ids[2]}));
  EXPECT_EQ(Listed(response.not_done()), (std::vector<std::string>{ids[1]}));

  LetGoIn("berries");
  response.Clear();
  ASSERT_TRUE(Wait(ids, v1::WAIT_MODE_ALL_COMPLETED, &response).ok());
  EXPECT_EQ(Listed(response.done()), (std::vector<std::string>{ids[0], ids[1], ids[2]}));  // once each, as asked
}

TEST_F(Shards, AWaitForTheFirstEndsWithTheFirstOfAnyShard) {
  const std::vector<std::string> ids = SubmitToAll("hold");
  for (std::size_t i = 0; i + 1 < kPools.size(); ++i) {
    LetGoIn(kPools[i]);
    v1::WaitResponse response;
    ASSERT_TRUE(Wait({ids.begin() + i, ids.end()}, v1::WAIT_MODE_FIRST_COMPLETED, &response).ok());
    EXPECT_EQ(Listed(response.done()), (std::vector<std::string>{ids[i]}));
    EXPECT_EQ(Listed(response.not_done()), (std::vector<std::string>{ids.begin() + i + 1, ids.end()}));
  }
}

TEST_F(Shards, AWaitForAFailureIsNotEndedByAShardWhereAllWentWell) {
  const std::vector<std::string> held = SubmitToAll("hold");
  const std::string good = SubmitTo("apples", "echo");
  EXPECT_EQ(Get(good).task().state(), v1::TASK_STATE_SUCCEEDED);
  v1::WaitResponse response;
  ASSERT_TRUE(Wait({good, held[1]}, v1::WAIT_MODE_FIRST_EXCEPTION, &response, 0).ok());
  EXPECT_EQ(response.not_done_size(), 1);

  const std::string bad = SubmitTo("cherries", "fail");
  response.Clear();
  ASSERT_TRUE(Wait({good, held[1], bad}, v1::WAIT_MODE_FIRST_EXCEPTION, &response).ok());
  EXPECT_EQ(Listed(response.done()), (std::vector<std::string>{good, bad}));
  EXPECT_EQ(Listed(response.not_done()), (std::vector<std::string>{held[1]}));

  LetGoIn("berries");
  response.Clear();
  ASSERT_TRUE(Wait({good, held[1]}, v1::WAIT_MODE_FIRST_EXCEPTION, &response).ok());  // all of them, then
  EXPECT_EQ(response.done_size(), 2);
}

TEST_F(Shards, AWaitThatIsGivenUpLeavesNothingBehind) {
  const std::vector<std::string> ids = SubmitToAll("hold");
  {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(20));
    v1::WaitRequest request;
    v1::WaitResponse response;
    for (const std::string& id : ids) request.add_ids(id);
    request.mutable_wait_timeout()->set_seconds(60);
    EXPECT_EQ(client_->Wait(&context, request, &response).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  v1::WaitResponse response;
  const grpc::Status unknown = Wait({ids[0], ids[1], Id(4711)}, v1::WAIT_MODE_ALL_COMPLETED, &response);
  EXPECT_EQ(DetailsOf(unknown).reason, "HANDLE_NOT_FOUND");
  LetGo();
  ASSERT_TRUE(Wait(ids, v1::WAIT_MODE_ALL_COMPLETED, &response).ok());
  EXPECT_EQ(response.done_size(), 3);
}

TEST_F(Shards, AWatchOfHandlesEndsWhenAllHaveEnded) {
  const std::vector<std::string> ids = SubmitToAll("hold");
  grpc::ClientContext context;
  v1::WatchRequest request;
  for (const std::string& id : ids) request.add_ids(id);
  const auto reader = client_->Watch(&context, request);
  v1::WatchResponse event;
  std::set<std::string> ended;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(reader->Read(&event));
  for (const std::string& pool : kPools) {
    LetGoIn(pool);
    const std::size_t before = ended.size();
    while (ended.size() == before) {
      ASSERT_TRUE(reader->Read(&event));
      if (event.task().state() == v1::TASK_STATE_SUCCEEDED) ended.insert(event.task().id());
    }
  }
  while (reader->Read(&event)) {
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(ended, std::set<std::string>(ids.begin(), ids.end()));
}

TEST_F(Shards, ACancelOfAnUnknownHandleCancelsNothing) {
  const std::vector<std::string> ids = SubmitToAll("hold");
  grpc::ClientContext context;
  v1::CancelRequest request;
  v1::CancelResponse response;
  for (const std::string& id : ids) request.add_ids(id);
  request.add_ids(Id(4711));
  request.set_running(true);
  EXPECT_EQ(DetailsOf(client_->Cancel(&context, request, &response)).reason, "HANDLE_NOT_FOUND");
  for (const std::string& id : ids) EXPECT_NE(Get(id, 0).task().state(), v1::TASK_STATE_CANCELLED);

  request.mutable_ids()->RemoveLast();
  grpc::ClientContext again;
  ASSERT_TRUE(client_->Cancel(&again, request, &response).ok());
  EXPECT_EQ(response.cancelled_size(), 3);
  for (const std::string& id : ids) EXPECT_EQ(Get(id).task().state(), v1::TASK_STATE_CANCELLED);
}

TEST_F(Shards, AListGoesThroughAllShardsPageByPage) {
  std::set<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    for (const std::string& id : SubmitToAll("hold")) ids.insert(id);
  }
  for (const std::uint32_t size : {1u, 4u, 5u, 100u}) {
    std::multiset<std::string> listed;
    v1::ListTasksRequest request;
    request.set_page_size(size);
    do {
      grpc::ClientContext context;
      v1::ListTasksResponse response;
      ASSERT_TRUE(client_->ListTasks(&context, request, &response).ok());
      EXPECT_LE(response.entries_size(), static_cast<int>(size));
      for (const v1::TaskEntry& entry : response.entries()) listed.insert(entry.task().id());
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    EXPECT_EQ(listed, std::multiset<std::string>(ids.begin(), ids.end())) << size;
  }
}

TEST_F(Shards, AllPoolsOfAnOwnerEndWithItsLastSession) {
  for (const std::string& pool : kPools) {
    grpc::ClientContext context;
    v1::TerminateRequest request;
    v1::TerminateResponse response;
    request.set_pool(pool);
    ASSERT_TRUE(client_->Terminate(&context, request, &response).ok());
  }
  const auto first = Greeted();
  auto second = Greeted();
  for (const std::string& pool : kPools) {
    grpc::ClientContext context;
    v1::OpenPoolRequest request;
    v1::OpenPoolResponse response;
    request.mutable_spec()->set_name(pool);
    request.mutable_spec()->set_workers(1);
    request.mutable_spec()->set_on_owner_lost(v1::OWNER_LOST_TERMINATE);
    request.set_owner(std::string(16, 'c'));
    const grpc::Status status = client_->OpenPool(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  const auto live = [&] {
    grpc::ClientContext context;
    v1::ListPoolsResponse response;
    EXPECT_TRUE(client_->ListPools(&context, {}, &response).ok());
    return std::count_if(response.pools().begin(), response.pools().end(),
                         [](const v1::Pool& pool) { return pool.state() == v1::POOL_STATE_RUNNING; });
  };
  second->DoneSending();
  EXPECT_TRUE(second->ReadToEnd().ok());
  // Its end has come to the daemon before this.
  Await([&] {
    grpc::ClientContext context;
    v1::GetStatsResponse response;
    EXPECT_TRUE(client_->GetStats(&context, {}, &response).ok());
    return response.sessions() == 1;
  });
  EXPECT_EQ(live(), 3);
  first->DoneSending();
  EXPECT_TRUE(first->ReadToEnd().ok());
  Await([&] { return live() == 0; });
}

TEST_F(Shards, TheRoomIsShortAsLongAsItIsInOneOfThem) {
  const auto session = Greeted();
  v1::SessionRequest request;
  AddTasks(&request, "blob", 1, {"900000"}, "apples");
  AddTasks(&request, "blob", 2, {"900000"}, "berries");
  ASSERT_TRUE(session->Send(request));
  ASSERT_TRUE(session->ReadUntil([&] { return session->outcomes.size() == 2; }));
  const auto late = Greeted();
  ASSERT_TRUE(late->ReadUntil([&] { return !late->room_is_short.empty(); }));
  EXPECT_TRUE(late->room_is_short.back());
  for (const std::uint64_t id : {1, 2}) {
    EXPECT_TRUE(session->room_is_short.back());
    v1::SessionRequest release;
    AddRun(release.mutable_release(), id, 1);
    ASSERT_TRUE(session->Send(release));
    ASSERT_TRUE(session->ReadUntil([&] { return session->taken == 2 + id; }));
  }
  ASSERT_TRUE(session->ReadUntil([&] { return !session->room_is_short.back(); }));
  ASSERT_TRUE(late->ReadUntil([&] { return !late->room_is_short.back(); }));
}

TEST_F(Shards, AnIdThatTheDaemonMakesSaysWhereItsHandleLies) {
  for (const std::string& pool : kPools) {
    const core::HandleId id = *api::ParseId(SubmitTo(pool, "echo"));
    EXPECT_EQ(wire::ShardOfId(id.high, id.low), engine_->directory().OfPool(pool) + 1);
    EXPECT_EQ(Get(api::IdBytes(id)).task().pool(), pool);
  }
}

TEST_F(Shards, AnIdOfAnotherShardIsRefusedInWhicheverWayItComes) {
  const std::uint64_t there = engine_->directory().OfPool("apples") + 1;
  const core::HandleId wrong{wire::MarkHigh(5), wire::MarkLow(1, there)};
  grpc::ClientContext context;
  v1::SubmitRequest request;
  v1::SubmitResponse response;
  request.set_pool("berries");
  request.add_tasks()->set_function("echo");
  request.mutable_tasks(0)->set_id(api::IdBytes(wrong));
  ASSERT_TRUE(client_->Submit(&context, request, &response).ok());
  EXPECT_EQ(DetailsOf(response.results(0).error()).bad_field, "tasks[0].id");

  const auto session = Greeted();
  v1::SessionRequest tasks;
  AddTasks(&tasks, "echo", wrong.low, {"x", "y"}, "berries")->set_id_high(wrong.high);
  AddTasks(&tasks, "echo", wrong.low, {"x", "y"}, "apples")->set_id_high(wrong.high);
  AddMap(&tasks, "echo", 1, {"x"})->set_pool("berries");
  tasks.mutable_map(0)->set_id(api::IdBytes({wrong.high, wrong.low + 2}));
  ASSERT_TRUE(session->Send(tasks));
  ASSERT_TRUE(session->ReadUntil([&] { return session->outcomes.size() == 2 && session->refusals.size() == 3; }));
  for (const v1::SubmitResult& refused : session->refusals) {
    EXPECT_EQ(refused.error().code(), static_cast<int>(grpc::StatusCode::INVALID_ARGUMENT));
    EXPECT_NE(refused.error().message().find("lies in shard"), std::string::npos) << refused.error().message();
  }
}

// Of the client's own choice, and without a shard.
TEST_F(Shards, AnIdIsUsedOnceWhateverTheShards) {
  const auto submit = [&](const std::string& pool, const std::string& id) {
    grpc::ClientContext context;
    v1::SubmitRequest request;
    v1::SubmitResponse response;
    request.set_pool(pool);
    request.add_tasks()->set_function("echo");
    request.add_tasks()->set_function("echo");
    request.mutable_tasks(1)->set_id(id);
    EXPECT_TRUE(client_->Submit(&context, request, &response).ok());
    EXPECT_FALSE(response.results(0).has_error());
    return DetailsOf(response.results(1).error()).reason;
  };
  const auto map = [&](const std::string& pool, const std::string& id) {
    grpc::ClientContext context;
    v1::MapRequest request;
    v1::MapResponse response;
    request.set_pool(pool);
    request.set_function("echo");
    request.set_id(id);
    return DetailsOf(client_->Map(&context, request, &response)).reason;
  };
  EXPECT_EQ(submit("apples", Id(1)), "");
  EXPECT_EQ(submit("apples", Id(1)), "");  // sent again
  EXPECT_EQ(submit("berries", Id(1)), "HANDLE_EXISTS");
  EXPECT_EQ(map("cherries", Id(1)), "HANDLE_EXISTS");
  EXPECT_EQ(map("cherries", Id(2)), "");
  EXPECT_EQ(submit("apples", Id(2)), "HANDLE_EXISTS");
  EXPECT_EQ(Get(Id(1)).task().pool(), "apples");

  grpc::ClientContext context;
  v1::ReleaseRequest release;
  v1::ReleaseResponse released;
  release.add_ids(Id(1));
  ASSERT_TRUE(client_->Release(&context, release, &released).ok());
  EXPECT_EQ(submit("berries", Id(1)), "HANDLE_RELEASED");
}

TEST_F(Shards, ASessionIsToldOfIdsThatOtherShardsHave) {
  const auto session = Greeted();
  v1::SessionRequest first;
  AddTasks(&first, "echo", 11, {"x"}, "apples");
  ASSERT_TRUE(session->Send(first));
  ASSERT_TRUE(session->ReadUntil([&] { return session->outcomes.size() == 1; }));
  v1::SessionRequest second;
  AddTasks(&second, "echo", 10, {"a", "b", "c"}, "berries");
  AddTasks(&second, "echo", 12, {"d"}, "cherries");  // twice in one message
  AddMap(&second, "echo", 11, {"x"})->set_pool("cherries");
  ASSERT_TRUE(session->Send(second));
  ASSERT_TRUE(session->ReadUntil([&] { return session->outcomes.size() == 3 && session->refusals.size() == 3; }));
  for (const v1::SubmitResult& refused : session->refusals) {
    EXPECT_EQ(DetailsOf(refused.error()).reason, "HANDLE_EXISTS");
  }
  EXPECT_EQ(session->outcomes[Id(10)].result().data(), "a");
  EXPECT_EQ(session->outcomes[Id(11)].result().data(), "x");
  EXPECT_EQ(session->outcomes[Id(12)].result().data(), "c");
}

TEST_F(Shards, AHandleThatIsNotWhereItsIdSaysIsNotThere) {
  const core::HandleId made = *api::ParseId(SubmitTo("apples", "echo"));
  const std::uint64_t elsewhere = engine_->directory().OfPool("berries") + 1;
  EXPECT_EQ(ReasonOfGet(api::IdBytes({made.high, wire::MarkLow(made.low, elsewhere)})), "HANDLE_NOT_FOUND");
}

}  // namespace
}  // namespace poold::transport
