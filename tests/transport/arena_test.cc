// Arenas over the payload socket, and submissions and outcomes that lie in them.
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/spool.h"
#include "payload_caller.h"
#include "session_client.h"
#include "wire/arena_maker.h"

namespace poold::transport {
namespace {

using wire::PayloadAsk;
using wire::PayloadStatus;
using wire::UniqueFd;

const std::string kNoId(16, '\0');
constexpr std::size_t kBytes = 100'000;

class ArenaCalls : public SessionTest {
 protected:
  void Adjust(ServerOptions* options) override {
    spool_ = std::make_shared<const base::Spool>(base::SpoolOptions{.folder = std::filesystem::temp_directory_path(),
                                                                    .max_memory_bytes = std::uint64_t{10} << 20});
    options->spool = spool_;
  }
  void SetUp() override {
    SessionTest::SetUp();
    caller_ = std::make_unique<Caller>(folder_ / "poold.sock.payloads");
    ASSERT_TRUE(caller_->connected());
  }
  // Nothing: the daemon did not want another arena.
  std::optional<wire::ArenaMaker::Reserved> Place(const std::string& bytes) {
    auto reserved = maker_.Reserve(bytes.size(), [this](int fd, const wire::ArenaShape& shape) {
      EXPECT_TRUE(caller_->Send(PayloadAsk::kShare, kNoId, shape.slot_bytes, {fd}));
      const auto answered = caller_->Answer();
      return answered == PayloadStatus::kTaken ? std::optional(caller_->answer.number) : std::nullopt;
    });
    if (reserved) std::memcpy(reserved->memory, bytes.data(), bytes.size());
    return reserved;
  }
  static v1::ArenaSlot SlotOf(const wire::ArenaMaker::Reserved& reserved, std::uint64_t bytes) {
    v1::ArenaSlot slot;
    slot.set_arena(reserved.arena);
    slot.set_slot(reserved.place.slot);
    slot.set_use(reserved.place.use);
    slot.set_bytes(bytes);
    return slot;
  }
  static v1::SessionRequest HelloOfWhoShares() {
    v1::SessionRequest request = TestSession::Hello();
    request.mutable_hello()->set_takes_shared_memory(true);
    return request;
  }
  void AddTask(v1::SessionRequest* request, std::uint64_t low, const v1::ArenaSlot& slot,
               const std::string& function = "echo") {
    *AddTasks(request, function, low, {""})->mutable_in_arena() = slot;
  }

  std::shared_ptr<const base::Spool> spool_;
  std::unique_ptr<Caller> caller_;
  wire::ArenaMaker maker_{std::uint64_t{64} << 20};
};

TEST_F(ArenaCalls, ArgumentsAndTheirResultLieWhereTheyWerePut) {
  const std::string text = "a" + std::string(kBytes, 'x');
  const auto reserved = Place(text);
  ASSERT_TRUE(reserved);
  TestSession session(client_.get());
  v1::SessionRequest request = HelloOfWhoShares();
  AddTask(&request, 1, SlotOf(*reserved, text.size()), "same");
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.outcomes.size() == 1; }));
  const v1::Payload& result = session.outcomes[Id(1)].result();
  grpc::ClientContext context;
  v1::GetStatsResponse stats;
  ASSERT_TRUE(client_->GetStats(&context, {}, &stats).ok());
  EXPECT_EQ(stats.shared_memory_bytes(), reserved->mapping->shape().bytes());
  EXPECT_EQ(result.in_arena().arena(), reserved->arena);
  EXPECT_EQ(result.in_arena().use(), reserved->place.use);
  EXPECT_EQ(result.size_bytes(), text.size());
  EXPECT_EQ(result.data(), "");

  ASSERT_TRUE(caller_->Send(PayloadAsk::kMap, kNoId, result.in_arena().arena()));
  ASSERT_EQ(caller_->Answer(), PayloadStatus::kTaken);
  ASSERT_EQ(caller_->descriptors.size(), 1u);
  const auto shape = wire::CheckArena(caller_->descriptors[0].get(), caller_->answer.number);
  ASSERT_TRUE(shape.ok()) << shape.status();
  const auto arena = wire::ArenaMapping::Map(caller_->descriptors[0].get(), *shape, wire::ArenaAccess::kNone);
  EXPECT_TRUE(arena->View(result.in_arena().slot(), text.size()) == text);

  v1::SessionRequest release;
  AddRun(release.mutable_release(), 1, 1);
  session.Send(release);
  Await([&] { return reserved->mapping->AllFree(); });
}

TEST_F(ArenaCalls, WhoSharesNoMemoryIsSentTheBytes) {
  const std::string text(kBytes, 'x');
  const auto reserved = Place(text);
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  AddTask(&request, 1, SlotOf(*reserved, text.size()), "same");
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.outcomes.size() == 1; }));
  EXPECT_TRUE(session.outcomes[Id(1)].result().data() == text);
  EXPECT_FALSE(session.outcomes[Id(1)].result().has_in_arena());
}

TEST_F(ArenaCalls, ASubmissionThatIsSentAgainIsTheSameTask) {
  const std::string text(kBytes, 'x');
  const auto reserved = Place(text);
  v1::SessionRequest request = TestSession::Hello();
  AddTask(&request, 1, SlotOf(*reserved, text.size()));
  TestSession first(client_.get());
  first.Send(request);
  ASSERT_TRUE(first.ReadUntil([&] { return first.outcomes.size() == 1; }));
  TestSession second(client_.get());
  second.Send(request);
  ASSERT_TRUE(second.ReadUntil([&] { return second.outcomes.size() + second.refused.size() == 1; }));
  EXPECT_TRUE(second.outcomes[Id(1)].result().data() == text);
}

TEST_F(ArenaCalls, WhatIsNotThereIsRefused) {
  const std::string text(kBytes, 'x');
  const auto reserved = Place(text);
  const v1::ArenaSlot good = SlotOf(*reserved, text.size());
  v1::SessionRequest request = TestSession::Hello();
  v1::ArenaSlot bad = good;
  bad.set_use(good.use() + 1);
  AddTask(&request, 1, bad);
  bad = good;
  bad.set_arena(good.arena() + 1);
  AddTask(&request, 2, bad);
  bad = good;
  bad.set_slot(1);
  AddTask(&request, 3, bad);
  bad.set_slot(4'000'000'000u);
  AddTask(&request, 4, bad);
  bad = good;
  bad.set_bytes(std::uint64_t{1} << 40);
  AddTask(&request, 5, bad);
  AddTask(&request, 6, good, "no_such_function");
  v1::TaskGroup* const two = AddTasks(&request, "echo", 7, {"", ""});
  *two->mutable_in_arena() = good;
  TestSession session(client_.get());
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.refused.size() == 8; }));
  for (const std::uint64_t low : {1, 2}) {
    EXPECT_EQ(DetailsOf(session.refused[Id(low)]).reason, "UPLOAD_NOT_FOUND") << low;
  }
  for (const std::uint64_t low : {3, 4, 5, 7, 8}) {
    EXPECT_EQ(DetailsOf(session.refused[Id(low)]).bad_field, "submit.in_arena") << low;
  }
  EXPECT_EQ(DetailsOf(session.refused[Id(6)]).reason, "FUNCTION_NOT_FOUND");
  // What was taken for a task that was refused is the client's again.
  Await([&] { return reserved->mapping->AllFree(); });
}

TEST_F(ArenaCalls, AnArenaForWhichThereIsNoRoomIsNotTaken) {
  EXPECT_TRUE(Place(std::string(4 << 20, 'x')));
  EXPECT_FALSE(Place(std::string(8 << 20, 'x')));
  EXPECT_TRUE(Place(std::string(kBytes, 'x')));
}

TEST_F(ArenaCalls, MisuseIsToldAndCutOff) {
  const wire::ArenaShape shape = wire::ArenaShape::For(kBytes);
  const UniqueFd arena = std::move(wire::MakeArena(shape).value());
  const UniqueFd disk(open("/dev/null", O_RDONLY | O_CLOEXEC));
  struct Case {
    const char* what;
    PayloadAsk ask;
    std::uint64_t number;
    std::vector<int> descriptors;
  };
  const Case cases[] = {
      {"of another shape", PayloadAsk::kShare, shape.slot_bytes + 4096, {arena.get()}},
      {"without a shape", PayloadAsk::kShare, 0, {arena.get()}},
      {"no memory", PayloadAsk::kShare, shape.slot_bytes, {disk.get()}},
      {"no descriptor", PayloadAsk::kShare, shape.slot_bytes, {}},
      {"a question with a descriptor", PayloadAsk::kMap, 1, {arena.get()}},
  };
  for (const Case& one : cases) {
    Caller caller(folder_ / "poold.sock.payloads");
    ASSERT_TRUE(caller.Send(one.ask, kNoId, one.number, one.descriptors)) << one.what;
    EXPECT_EQ(caller.Answer(), PayloadStatus::kBad) << one.what;
    EXPECT_EQ(caller.Answer(), std::nullopt) << one.what;
  }
  EXPECT_EQ(spool_->used_memory_bytes(), 0u);
  ASSERT_TRUE(caller_->Send(PayloadAsk::kMap, kNoId, 1));
  EXPECT_EQ(caller_->Answer(), PayloadStatus::kNotThisWay);
}

TEST_F(ArenaCalls, WhatLiesThereOutlivesItsClientAndTheRestDoesNot) {
  const std::string text(kBytes, 'x');
  const auto reserved = Place(text);
  const auto unspoken = Place(text);
  TestSession session(client_.get());
  v1::SessionRequest request = TestSession::Hello();
  AddTask(&request, 1, SlotOf(*reserved, text.size()), "hold");
  session.Send(request);
  ASSERT_TRUE(session.ReadUntil([&] { return session.taken == 1; }));
  caller_.reset();
  // What was filled last may be spoken of yet.
  v1::SessionRequest late;
  AddTask(&late, 2, SlotOf(*unspoken, text.size()));
  session.Send(late);
  ASSERT_TRUE(session.ReadUntil([&] { return session.outcomes.contains(Id(2)); }));
  EXPECT_TRUE(session.outcomes[Id(2)].result().data() == text);
  v1::SessionRequest end;
  AddRun(end.mutable_cancel_running(), 1, 1);
  AddRun(end.mutable_release(), 1, 2);
  session.Send(end);
  Await([&] { return reserved->mapping->AllFree(); });
  Await([&] {
    spool_->CloseForgottenArenas();
    return spool_->used_memory_bytes() == 0;
  });
}

}  // namespace
}  // namespace poold::transport
