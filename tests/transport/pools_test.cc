// Live pools: resized, reloaded, closed, terminated, and owned, as a client asks for it.
#include "server_fixture.h"

namespace poold::transport {
namespace {

class Pools : public ServerTest {
 protected:
  grpc::Status Open(const v1::OpenPoolRequest& request, v1::Pool* pool = nullptr) {
    grpc::ClientContext context;
    v1::OpenPoolResponse response;
    const grpc::Status status = client_->OpenPool(&context, request, &response);
    if (pool != nullptr) *pool = response.pool();
    return status;
  }
  grpc::Status Resize(const std::string& pool, std::uint32_t workers, v1::Pool* out = nullptr) {
    grpc::ClientContext context;
    v1::ResizeRequest request;
    v1::ResizeResponse response;
    request.set_pool(pool);
    request.set_workers(workers);
    const grpc::Status status = client_->Resize(&context, request, &response);
    if (out != nullptr) *out = response.pool();
    return status;
  }
  grpc::Status Reload(const std::string& pool) {
    grpc::ClientContext context;
    v1::ReloadRequest request;
    v1::ReloadResponse response;
    request.set_pool(pool);
    return client_->Reload(&context, request, &response);
  }
  v1::Pool GetPool(const std::string& name) {
    grpc::ClientContext context;
    v1::GetPoolRequest request;
    v1::GetPoolResponse response;
    request.set_name(name);
    EXPECT_TRUE(client_->GetPool(&context, request, &response).ok());
    return response.pool();
  }
  grpc::Status Terminate(const std::string& pool, std::int64_t grace_seconds) {
    grpc::ClientContext context;
    v1::TerminateRequest request;
    v1::TerminateResponse response;
    request.set_pool(pool);
    request.mutable_grace()->set_seconds(grace_seconds);
    return client_->Terminate(&context, request, &response);
  }
};

TEST_F(Pools, ASizeThatCannotBeIsRefusedWithTheRange) {
  OpenPool("p");
  for (const std::uint32_t workers : {0u, 4097u}) {
    const grpc::Status status = Resize("p", workers);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(DetailsOf(status).bad_field, "workers");
    EXPECT_NE(status.error_message().find("between 1 and 4096"), std::string::npos);
  }
}

TEST_F(Pools, WhatIsNotThereCannotBeChanged) {
  EXPECT_EQ(DetailsOf(Resize("nowhere", 1)).reason, "POOL_NOT_FOUND");
  EXPECT_EQ(DetailsOf(Reload("nowhere")).reason, "POOL_NOT_FOUND");
  EXPECT_EQ(DetailsOf(Reload("a/b")).bad_field, "pool");
}

TEST_F(Pools, AGraceThatCannotBeIsRefusedWithTheRange) {
  OpenPool("p");
  EXPECT_EQ(DetailsOf(Terminate("p", -1)).bad_field, "grace");
  const grpc::Status status = Terminate("p", 3601);
  EXPECT_EQ(DetailsOf(status).bad_field, "grace");
  EXPECT_NE(status.error_message().find("between 0 and 3600 s"), std::string::npos);
  EXPECT_TRUE(Terminate("p", 3600).ok());
}

TEST_F(Pools, APoolGrowsAndShrinks) {
  OpenPool("p", 2);
  v1::Pool pool;
  ASSERT_TRUE(Resize("p", 4, &pool).ok());
  EXPECT_EQ(pool.spec().workers(), 4u);
  while (GetPool("p").workers_size() != 4) continue;
  ASSERT_TRUE(Resize("p", 1, &pool).ok());
  EXPECT_EQ(pool.spec().workers(), 1u);
  while (GetPool("p").workers_size() != 1) continue;
  EXPECT_TRUE(Get(Submit("echo", "x")).done());
}

TEST_F(Pools, AReloadAnswersWhenTheNewGenerationHasTakenOver) {
  OpenPool("p", 2);
  ASSERT_TRUE(Reload("p").ok());
  const v1::Pool pool = GetPool("p");
  EXPECT_EQ(pool.generation(), 2u);
  EXPECT_FALSE(pool.reloading());
  EXPECT_EQ(pool.stats().reloads(), 1u);
  for (const v1::Worker& worker : pool.workers()) EXPECT_EQ(worker.generation(), 2u);
  EXPECT_TRUE(Get(Submit("echo", "x")).done());
}

TEST_F(Pools, APoolTellsWhatItsWorkersSayOfTheirFunctions) {
  OpenPool("p", 1);
  grpc::ClientContext context;
  v1::GetPoolRequest request;
  v1::GetPoolResponse response;
  request.set_name("p");
  ASSERT_TRUE(client_->GetPool(&context, request, &response).ok());
  ASSERT_EQ(response.functions_size(), response.pool().functions_size());
  const v1::FunctionInfo& echo = response.functions(0);
  EXPECT_EQ(echo.name(), "echo");
  ASSERT_EQ(echo.arguments_size(), 1);
  EXPECT_EQ(echo.arguments(0), "bytes");
  EXPECT_EQ(echo.result(), "bytes");
  EXPECT_EQ(echo.help(), "says it again");
  EXPECT_EQ(response.functions(1).help(), "");
}

TEST_F(Pools, AReloadThatDoesNotStartIsRolledBackWithTheWorkersOwnWords) {
  v1::OpenPoolRequest request;
  request.mutable_spec()->set_name("p");
  request.mutable_spec()->set_workers(1);
  request.mutable_spec()->add_modules("m");
  ASSERT_TRUE(Open(request).ok());
  BreakModule("m", "m.so: undefined symbol: gone");
  const grpc::Status status = Reload("p");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(DetailsOf(status).reason, "RELOAD_FAILED");
  EXPECT_NE(status.error_message().find("undefined symbol: gone"), std::string::npos);
  const v1::Pool pool = GetPool("p");
  EXPECT_EQ(pool.generation(), 1u);
  EXPECT_EQ(pool.stats().rollbacks(), 1u);
  EXPECT_NE(pool.reload_failure().find("undefined symbol: gone"), std::string::npos);
  EXPECT_TRUE(Get(Submit("echo", "x")).done());
}

TEST_F(Pools, ThatFailedIsForgottenOnRequest) {
  BreakModule("m", "m.so: undefined symbol: gone");
  v1::OpenPoolRequest request;
  request.mutable_spec()->set_name("broken");
  request.mutable_spec()->add_modules("m");
  EXPECT_EQ(DetailsOf(Open(request)).reason, "POOL_FAILED");
  EXPECT_EQ(GetPool("broken").state(), v1::POOL_STATE_FAILED);
  for (const char* reason : {"", "POOL_NOT_FOUND"}) {
    grpc::ClientContext context;
    v1::TerminateRequest forget;
    v1::TerminateResponse response;
    forget.set_pool("broken");
    forget.set_forget(true);
    EXPECT_EQ(DetailsOf(client_->Terminate(&context, forget, &response)).reason, reason);
  }
}

TEST_F(Pools, AReloadGoesOnWhenNobodyWaitsForItAnyMore) {
  OpenPool("p", 1);
  const std::string held = Submit("hold");
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(20));
  v1::ReloadRequest request;
  v1::ReloadResponse response;
  request.set_pool("p");
  EXPECT_EQ(client_->Reload(&context, request, &response).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(GetPool("p").reloading());
  LetGo();
  EXPECT_EQ(Get(held).task().state(), v1::TASK_STATE_SUCCEEDED);
  while (GetPool("p").reloading()) continue;
  EXPECT_EQ(GetPool("p").generation(), 2u);
}

TEST_F(Pools, ExecIsRefusedWhereTheDaemonDoesNotAllowIt) {
  v1::OpenPoolRequest request;
  request.mutable_spec()->set_name("p");
  request.mutable_spec()->set_allow_exec(true);
  const grpc::Status status = Open(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(DetailsOf(status).reason, "EXEC_NOT_ALLOWED");
  grpc::ClientContext context;
  v1::GetServerInfoResponse info;
  ASSERT_TRUE(client_->GetServerInfo(&context, {}, &info).ok());
  EXPECT_FALSE(info.server().exec_allowed());
  EXPECT_EQ(info.server().limits().owner_grace().seconds(), 10);
}

class ExecAllowed : public Pools {
 protected:
  void Adjust(ServerOptions* options) override { options->allow_exec = true; }
};

TEST_F(ExecAllowed, APoolMayHaveItAndTheServerSaysSo) {
  v1::OpenPoolRequest request;
  request.mutable_spec()->set_name("p");
  request.mutable_spec()->set_workers(1);
  request.mutable_spec()->set_allow_exec(true);
  v1::Pool pool;
  ASSERT_TRUE(Open(request, &pool).ok());
  EXPECT_TRUE(pool.spec().allow_exec());
  grpc::ClientContext context;
  v1::GetServerInfoResponse info;
  ASSERT_TRUE(client_->GetServerInfo(&context, {}, &info).ok());
  EXPECT_TRUE(info.server().exec_allowed());
}

class Owners : public Pools {
 protected:
  using Stream = grpc::ClientReaderWriterInterface<v1::SessionRequest, v1::SessionResponse>;

  void Adjust(ServerOptions* options) override { options->limits.owner_grace = core::kMillisecond; }

  // A session that has greeted.
  std::unique_ptr<Stream> Greet(grpc::ClientContext* context, const std::string& client_id) {
    auto stream = client_->Session(context);
    v1::SessionRequest hello;
    hello.mutable_hello()->set_client_id(client_id);
    EXPECT_TRUE(stream->Write(hello));
    v1::SessionResponse answer;
    EXPECT_TRUE(stream->Read(&answer));
    return stream;
  }
  static v1::OpenPoolRequest Owned(v1::OwnerLost on_lost, const std::string& owner) {
    v1::OpenPoolRequest request;
    request.mutable_spec()->set_name("p");
    request.mutable_spec()->set_workers(1);
    request.mutable_spec()->set_on_owner_lost(on_lost);
    request.set_owner(owner);
    return request;
  }
  static void Vanish(grpc::ClientContext* context, Stream* stream) {
    context->TryCancel();
    v1::SessionResponse rest;
    while (stream->Read(&rest)) continue;
    stream->Finish();
  }

  const std::string me_ = std::string(16, 'm');
};

TEST_F(Owners, AnOwnerIsWhoHasASessionNow) {
  for (const std::string& owner : {std::string("short"), me_}) {
    const grpc::Status status = Open(Owned(v1::OWNER_LOST_CLOSE, owner));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(DetailsOf(status).bad_field, "owner");
  }
  grpc::ClientContext context;
  const auto session = Greet(&context, me_);
  EXPECT_TRUE(Open(Owned(v1::OWNER_LOST_CLOSE, me_)).ok());
  Vanish(&context, session.get());
}

TEST_F(Owners, APoolThatEndsWithItsOwnerNeedsOne) {
  const grpc::Status status = Open(Owned(v1::OWNER_LOST_TERMINATE, ""));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(DetailsOf(status).bad_field, "owner");
  EXPECT_TRUE(Open(Owned(v1::OWNER_LOST_KEEP, "")).ok());
}

TEST_F(Owners, WhoseSessionIsGoneOwnsNothingAnyMore) {
  grpc::ClientContext context;
  const auto session = Greet(&context, me_);
  Vanish(&context, session.get());
  // The daemon hears of it a little later.
  grpc::Status status;
  do {
    status = Open(Owned(v1::OWNER_LOST_KEEP, me_));
  } while (status.ok());
  EXPECT_EQ(DetailsOf(status).bad_field, "owner");
}

TEST_F(Owners, APoolEndsWithTheLastSessionOfItsOwner) {
  grpc::ClientContext first_context;
  grpc::ClientContext second_context;
  const auto first = Greet(&first_context, me_);
  const auto second = Greet(&second_context, me_);
  ASSERT_TRUE(Open(Owned(v1::OWNER_LOST_TERMINATE, me_)).ok());
  Vanish(&first_context, first.get());
  EXPECT_EQ(GetPool("p").state(), v1::POOL_STATE_RUNNING);
  Vanish(&second_context, second.get());
  while (GetPool("p").state() != v1::POOL_STATE_TERMINATED) continue;
}

TEST_F(Owners, WhatWasQueuedFinishesWhenThePoolOfALostOwnerCloses) {
  grpc::ClientContext context;
  const auto session = Greet(&context, me_);
  ASSERT_TRUE(Open(Owned(v1::OWNER_LOST_CLOSE, me_)).ok());
  const std::string held = Submit("hold");
  Vanish(&context, session.get());
  while (GetPool("p").state() != v1::POOL_STATE_CLOSING) continue;
  LetGo();
  EXPECT_EQ(Get(held).task().state(), v1::TASK_STATE_SUCCEEDED);
  while (GetPool("p").state() != v1::POOL_STATE_CLOSED) continue;
}

TEST_F(Pools, ClosingMayCancelWhatHasNotBegun) {
  OpenPool("p", 1);
  const std::string held = Submit("hold");
  const std::string queued = Submit("echo", "never");
  grpc::ClientContext context;
  v1::CloseRequest request;
  v1::CloseResponse response;
  request.set_pool("p");
  request.set_cancel_queued(true);
  ASSERT_TRUE(client_->Close(&context, request, &response).ok());
  EXPECT_EQ(response.cancelled_tasks(), 1u);
  EXPECT_EQ(Get(queued).task().state(), v1::TASK_STATE_CANCELLED);
  LetGo();
  EXPECT_EQ(Get(held).task().state(), v1::TASK_STATE_SUCCEEDED);
}

}  // namespace
}  // namespace poold::transport
