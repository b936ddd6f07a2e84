// The client's end of a session, and requests for one.
#pragma once

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server_fixture.h"
#include "session_ways.h"

namespace poold::transport {

inline constexpr std::uint64_t kHigh = 77;

inline std::string Id(std::uint64_t low) { return api::IdBytes({kHigh, low}); }

// A session and everything that came on it.
class TestSession {
 public:
  explicit TestSession(v1::PoolService::StubInterface* stub) {
    if (local_socket.empty()) {
      way_ = std::make_unique<GrpcWay>(stub);
    } else {
      way_ = std::make_unique<LocalWay>(local_socket);
    }
  }
  // Where sessions go without gRPC. Empty: they do not.
  static inline std::string local_socket;

  static v1::SessionRequest Hello() {
    v1::SessionRequest request;
    request.mutable_hello()->set_client_id(std::string(16, 'c'));
    return request;
  }
  bool Send(const v1::SessionRequest& request) { return way_->Write(request); }

  // Reads until `enough`; false if the stream ended first.
  template <typename Enough>
  bool ReadUntil(Enough enough) {
    while (!enough()) {
      v1::SessionResponse response;
      if (!way_->Read(&response)) return false;
      Keep(response);
    }
    return true;
  }
  grpc::Status ReadToEnd() {
    ReadUntil([] { return false; });
    return way_->Finish();
  }
  void DoneSending() { way_->DoneSending(); }
  void Vanish() { way_->Vanish(); }

  std::map<std::string, v1::Outcome> outcomes;  // packed ones too
  std::map<std::string, std::string> output;
  std::map<std::string, std::string> output_at_end;  // what had come before the outcome
  std::map<std::string, google::rpc::Status> refused;
  std::vector<v1::SubmitResult> refusals;
  std::map<std::string, std::vector<double>> progress;
  std::map<std::string, std::size_t> progress_at_end;  // how often it had been told before the outcome
  std::map<std::uint64_t, std::string> items;
  v1::MapProgress map_end;
  v1::ServerInfo server;
  std::vector<bool> room_is_short;  // as it was told
  std::uint64_t taken = 0;
  std::size_t duplicates = 0;

 private:
  void Keep(const v1::SessionResponse& response) {
    if (response.has_server()) server = response.server();
    if (response.has_room_is_short()) room_is_short.push_back(response.room_is_short());
    EXPECT_GE(response.taken_requests(), taken);
    taken = response.taken_requests();
    for (const v1::Output& one : response.outputs()) output[one.id()] += one.data();
    for (const v1::Progress& one : response.progress()) progress[one.id()].push_back(one.fraction());
    for (const v1::OutcomeGroup& group : response.succeeded()) {
      std::size_t at = 0;
      for (int i = 0; i < group.id_low_size(); ++i) {
        v1::Outcome outcome;
        outcome.set_state(v1::TASK_STATE_SUCCEEDED);
        outcome.mutable_result()->set_data(group.results().substr(at, group.result_bytes(i)));
        at += group.result_bytes(i);
        KeepOutcome(api::IdBytes({group.id_high(), group.id_low(i)}), outcome);
      }
      EXPECT_EQ(at, group.results().size());
    }
    for (const v1::TaskOutcome& other : response.others()) KeepOutcomes(other.ids(), other.outcome());
    for (const v1::SubmitResult& one : response.refused()) {
      refused[one.id()] = one.error();
      refusals.push_back(one);
    }
    for (const v1::MapOutcomes& map : response.maps()) {
      for (const v1::ItemOutcomes& part : map.outcomes()) {
        std::size_t at = 0;
        for (int i = 0; i < part.result_bytes_size(); ++i) {
          duplicates += items.contains(part.first_index() + i) ? 1 : 0;
          items[part.first_index() + i] = part.results().substr(at, part.result_bytes(i));
          at += part.result_bytes(i);
        }
      }
      if (map.has_end()) map_end = map.end();
    }
  }
  void KeepOutcomes(const v1::IdRuns& ids, const v1::Outcome& outcome) {
    for (int run = 0; run < ids.count_size(); ++run) {
      for (std::uint32_t i = 0; i < ids.count(run); ++i) {
        KeepOutcome(api::IdBytes({ids.high(run), ids.low(run) + i}), outcome);
      }
    }
  }
  void KeepOutcome(const std::string& id, const v1::Outcome& outcome) {
    duplicates += outcomes.contains(id) ? 1 : 0;
    outcomes[id] = outcome;
    output_at_end[id] = output[id];
    progress_at_end[id] = progress[id].size();
  }

  std::unique_ptr<SessionWay> way_;
};

// A daemon with the pool "p". With POOLD_TEST_LOCAL in the environment its sessions go without gRPC.
class SessionTest : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    TestSession::local_socket = local_address();
    OpenPool("p");
  }
  // That has greeted.
  std::unique_ptr<TestSession> Greeted() {
    auto session = std::make_unique<TestSession>(client_.get());
    EXPECT_TRUE(session->Send(TestSession::Hello()));
    EXPECT_TRUE(session->ReadUntil([&] { return session->taken == 1; }));
    return session;
  }

  static v1::TaskGroup* AddTasks(v1::SessionRequest* request, const std::string& function, std::uint64_t first,
                                 const std::vector<std::string>& args, const std::string& pool = "p") {
    v1::TaskGroup* group = request->add_submit();
    group->set_pool(pool);
    group->set_function(function);
    group->set_id_high(kHigh);
    group->set_first_id_low(first);
    group->set_encoding(v1::ENCODING_RAW);
    for (const std::string& one : args) {
      group->add_args_bytes(one.size());
      group->mutable_args()->append(one);
    }
    return group;
  }
  static v1::MapGroup* AddMap(v1::SessionRequest* request, const std::string& function, std::uint64_t low,
                              const std::vector<std::string>& items) {
    v1::MapGroup* group = request->add_map();
    group->set_pool("p");
    group->set_function(function);
    group->set_id(Id(low));
    group->set_encoding(v1::ENCODING_RAW);
    group->set_complete(true);
    for (const std::string& one : items) {
      group->add_item_bytes(one.size());
      group->mutable_items()->append(one);
    }
    return group;
  }
  static void AddRun(v1::IdRuns* runs, std::uint64_t low, std::uint32_t count) {
    runs->add_high(kHigh);
    runs->add_low(low);
    runs->add_count(count);
  }
};

}  // namespace poold::transport
