#include "server_fixture.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "local_stub.h"

namespace poold::transport {

PrivateFolder::PrivateFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "poold-rpc-XXXXXX").string();
  path_ = mkdtemp(name.data()) == nullptr ? "" : name;
}

PrivateFolder::~PrivateFolder() { std::filesystem::remove_all(path_); }

ErrorDetails DetailsOf(const google::rpc::Status& status) {
  ErrorDetails out;
  for (const google::protobuf::Any& any : status.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    google::rpc::QuotaFailure quota;
    google::rpc::RetryInfo retry;
    if (any.UnpackTo(&info)) out.reason = info.domain() == "poold" ? info.reason() : "";
    if (any.UnpackTo(&bad)) out.bad_field = bad.field_violations(0).field();
    if (any.UnpackTo(&quota)) out.quota = quota.violations(0).subject();
    if (any.UnpackTo(&retry)) out.retry = retry.retry_delay().seconds() > 0 || retry.retry_delay().nanos() > 0;
  }
  return out;
}

ErrorDetails DetailsOf(const grpc::Status& status) {
  google::rpc::Status proto;
  proto.ParseFromString(status.error_details());
  return DetailsOf(proto);
}

namespace {

std::string Local() {
  const char* const local = getenv("POOLD_TEST_LOCAL");
  return local != nullptr ? local : "";
}

}  // namespace

ServerTest::ServerTest() {
  if (const char* const shards = getenv("POOLD_TEST_SHARDS")) shard_count_ = std::stoul(shards);
  options_.instance_id = "test-instance";
  options_.version = "1.2.3";
}

void ServerTest::SetUp() {
  Adjust(&options_);
  engine_ = std::make_unique<engine::Engine>(shard_count_, &clock_);
  server_ = std::make_unique<Server>(options_, &clock_, engine_.get());
  std::vector<engine::Gate*> gates;
  for (std::uint32_t i = 0; i < shard_count_; ++i) {
    FakeWorkers& workers = *workers_.emplace_back(std::make_unique<FakeWorkers>());
    const core::ShardInfo share{.index = i, .count = static_cast<std::uint32_t>(shard_count_)};
    cores_.push_back(std::make_unique<core::Core>(options_.limits, &workers, engine_->clients(i), i + 1, share));
    gates_.push_back(std::make_unique<engine::Gate>(cores_.back().get(), &clock_));
    gates_.back()->AddOutbox(engine_->outbox(i));
    gates.push_back(gates_.back().get());
    workers.Start(gates.back());
  }
  engine_->Attach(gates);
  std::vector<ListenAddress> addresses = {{.unix_path = folder_ / "poold.sock"}};
  if (Local() == "tcp") addresses.push_back({.host = "127.0.0.1"});
  const absl::Status started = server_->Start(addresses);
  ASSERT_TRUE(started.ok()) << started;
  server_->SetServing(true);
  client_ = NewClient();
}

ServerTest::~ServerTest() {
  for (const std::unique_ptr<FakeWorkers>& workers : workers_) workers->Stop();
  if (server_ != nullptr) server_->Shutdown(0);
}

std::unique_ptr<v1::PoolService::StubInterface> ServerTest::NewClient() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const std::string path = folder_ / "poold.sock";
  std::unique_ptr<v1::PoolService::StubInterface> grpc = v1::PoolService::NewStub(
      grpc::CreateCustomChannel("unix:" + path, grpc::InsecureChannelCredentials(), arguments));
  if (local_address().empty()) return grpc;
  return std::make_unique<LocalStub>(std::move(grpc), local_address());
}

std::string ServerTest::local_address() const {
  if (Local().empty()) return "";
  return Local() == "tcp" ? server_->addresses().back().ToString() : folder_ / "poold.sock.payloads";
}

void ServerTest::LetGo() {
  for (const std::unique_ptr<FakeWorkers>& workers : workers_) workers->LetGo();
}

void ServerTest::BreakModule(const std::string& module, const std::string& words) {
  for (const std::unique_ptr<FakeWorkers>& workers : workers_) workers->BreakModule(module, words);
}

void ServerTest::OpenPool(const std::string& name, int workers) {
  grpc::ClientContext context;
  v1::OpenPoolRequest request;
  v1::OpenPoolResponse response;
  request.mutable_spec()->set_name(name);
  request.mutable_spec()->set_workers(workers);
  const grpc::Status status = client_->OpenPool(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.pool().state(), v1::POOL_STATE_RUNNING);
}

v1::SubmitResult ServerTest::SubmitUploaded(const std::string& function, const std::string& upload_id) {
  v1::SubmitRequest request;
  request.set_pool("p");
  v1::TaskSpec* task = request.add_tasks();
  task->set_function(function);
  task->mutable_args()->set_encoding(v1::ENCODING_RAW);
  task->mutable_args()->set_upload_id(upload_id);
  grpc::ClientContext context;
  v1::SubmitResponse response;
  EXPECT_TRUE(client_->Submit(&context, request, &response).ok());
  return response.results_size() == 1 ? response.results(0) : v1::SubmitResult();
}

std::string ServerTest::Submit(const std::string& function, const std::string& args) {
  grpc::ClientContext context;
  v1::SubmitRequest request;
  v1::SubmitResponse response;
  request.set_pool("p");
  v1::TaskSpec* task = request.add_tasks();
  task->set_function(function);
  *task->mutable_args() = Raw(args);
  const grpc::Status status = client_->Submit(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  if (response.results_size() != 1) return "";
  EXPECT_FALSE(response.results(0).has_error()) << response.results(0).error().message();
  return response.results(0).id();
}

v1::GetResponse ServerTest::Get(const std::string& id, int wait_seconds) {
  grpc::ClientContext context;
  v1::GetRequest request;
  v1::GetResponse response;
  request.set_id(id);
  request.mutable_wait_timeout()->set_seconds(wait_seconds);
  const grpc::Status status = client_->Get(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

}  // namespace poold::transport
