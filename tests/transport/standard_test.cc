// Health and reflection, as any gRPC tool asks for them.
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpcpp/generic/generic_stub.h>

#include "server_fixture.h"
#include "transport/grpc/standard_services.h"

namespace poold::transport {
namespace {

using google::protobuf::UnknownFieldSet;

std::string Question(int field, const std::string& text) {
  UnknownFieldSet fields;
  fields.AddLengthDelimited(field, text);
  std::string out;
  fields.SerializeToString(&out);
  return out;
}

// The text of the first field with this number.
std::string FieldOf(const std::string& message, int number) {
  UnknownFieldSet fields;
  EXPECT_TRUE(fields.ParseFromString(message));
  for (int i = 0; i < fields.field_count(); ++i) {
    if (fields.field(i).number() == number) return fields.field(i).length_delimited();
  }
  return "";
}

TEST(Reflection, ListsTheServiceAndDescribesIt) {
  const std::string list = *AnswerReflection(Question(7, ""));
  EXPECT_EQ(FieldOf(FieldOf(FieldOf(list, 6), 1), 1), "poold.v1.PoolService");
  const std::string described = *AnswerReflection(Question(4, "poold.v1.PoolService"));
  google::protobuf::FileDescriptorProto file;
  ASSERT_TRUE(file.ParseFromString(FieldOf(FieldOf(described, 4), 1)));
  EXPECT_EQ(file.name(), "poold/v1/pool_service.proto");
}

TEST(Reflection, UnknownSymbolsAndGarbageAreAnswered) {
  EXPECT_NE(FieldOf(*AnswerReflection(Question(4, "no.such.Thing")), 7), "");
  EXPECT_FALSE(AnswerReflection("\xff\xff\xff"));
}

TEST(HealthCheck, KnowsItsServices) {
  EXPECT_EQ(HealthOf("", true), Health::kServing);
  EXPECT_EQ(HealthOf("poold.v1.PoolService", false), Health::kNotServing);
  EXPECT_EQ(HealthOf("other", true), Health::kServiceUnknown);
  EXPECT_EQ(HealthResponse(Health::kServing), std::string("\x08\x01"));
}

class StandardServices : public ServerTest {
 protected:
  // One unary call of raw bytes.
  grpc::Status Call(const std::string& method, const std::string& request, std::string* response) {
    grpc::GenericStub stub(grpc::CreateChannel("unix:" + (folder_ / "poold.sock"), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const grpc::Slice slice(request);
    const auto call = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&slice, 1), &queue);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, this);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    grpc::Slice whole;
    if (status.ok() && answer.DumpToSingleSlice(&whole).ok()) {
      response->assign(reinterpret_cast<const char*>(whole.begin()), whole.size());
    }
    return status;
  }
};

TEST_F(StandardServices, HealthFollowsTheServer) {
  std::string response;
  ASSERT_TRUE(Call("/grpc.health.v1.Health/Check", "", &response).ok());
  EXPECT_EQ(response, "\x08\x01");
  server_->SetServing(false);
  ASSERT_TRUE(Call("/grpc.health.v1.Health/Check", Question(1, "poold.v1.PoolService"), &response).ok());
  EXPECT_EQ(response, "\x08\x02");
  EXPECT_EQ(Call("/grpc.health.v1.Health/Check", Question(1, "x"), &response).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(StandardServices, AnUnknownMethodIsUnimplemented) {
  std::string response;
  EXPECT_EQ(Call("/poold.v1.PoolService/Nonsense", "", &response).error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace poold::transport
