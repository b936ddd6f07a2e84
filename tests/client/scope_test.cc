// What a PoolScope ends, and what it does not.
#include "daemon_fixture.h"

namespace poold::client {
namespace {

class ScopeTest : public DaemonTest {
 protected:
  static PoolSpec Spec() { return {.name = "mine", .workers = 1, .modules = {"testing"}}; }
};

TEST_F(ScopeTest, TheSecondCopyOfAProgramDoesNotTakeThePoolOfTheFirst) {
  const Client first = Connect();
  const Client second = Connect();
  auto scope = PoolScope::Open(first, Spec());
  ASSERT_TRUE(scope.ok()) << scope.status();
  const auto other = PoolScope::Open(second, Spec());
  EXPECT_EQ(other.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReasonOf(other.status()), "POOL_EXISTS");
  EXPECT_EQ((*scope)->Apply<int>("identity", 1).value(), 1);
}

TEST_F(ScopeTest, TwoScopesOfOneProgramNeedTwoNames) {
  const Client client = Connect();
  auto scope = PoolScope::Open(client, Spec());
  ASSERT_TRUE(scope.ok()) << scope.status();
  EXPECT_EQ(ReasonOf(PoolScope::Open(client, Spec()).status()), "POOL_EXISTS");
  EXPECT_EQ((*scope)->Apply<int>("identity", 2).value(), 2);
}

TEST_F(ScopeTest, APoolThatAnotherMadeStaysWhenTheScopeIsRefused) {
  const Client client = Connect();
  const auto shared = client.OpenPool(Spec());
  ASSERT_TRUE(shared.ok()) << shared.status();
  { EXPECT_FALSE(PoolScope::Open(client, Spec()).ok()); }
  EXPECT_EQ(shared->Apply<int>("identity", 3).value(), 3);
}

TEST_F(ScopeTest, AnOpenThatIsSentAgainFindsThePoolThatItMade) {
  const Client client = Connect();
  const PoolSpec spec{.name = "again", .workers = 1, .modules = {"testing"}};
  const auto open = [&](std::string creation_id) {
    return client.connection()->OpenPool(spec, {.creation_id = std::move(creation_id)});
  };
  for (int round = 0; round < 2; ++round) {
    const auto opened = open(std::string(16, 'x'));
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_TRUE(opened->created);
  }
  EXPECT_EQ(ReasonOf(open(std::string(16, 'y')).status()), "POOL_EXISTS");
  EXPECT_EQ(open("short").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace poold::client
