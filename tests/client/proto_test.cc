// The plain structs forget nothing of the contract.
#include "poold/client/proto.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "gmock/gmock.h"

namespace poold::client {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Left out on purpose: what only travels.
const std::set<std::string> kLeftOutFields = {
    "poold.v1.Payload.upload_id",  // of a request: the SDK uploads by itself
    "poold.v1.Payload.in_arena",   // of a session: the SDK reads there by itself
};
const std::set<std::string> kLeftOutMessages = {
    "ArenaSlot",     // see above
    "TaskSpec",      // TaskCall
    "SubmitResult",  // a refusal, which is the handle's status
    "MapItems",      // MapBatch
    "MapResult",     // a refusal
    "HandleAnswer",  // one answer of GetMany
    "ItemOutcomes",  // ItemsAnswer has the items one by one
    "ItemOutcome",   // has no more than ItemOutcome::index and outcome
};
// Requests and responses that are the parameters and the answers of Connection's methods, with all their fields.
const std::map<std::string, std::string> kCalls = {
    {"OpenPoolRequest", "spec owner creation_id"},
    {"OpenPoolResponse", "pool created"},
    {"GetPoolRequest", "name"},
    {"ListPoolsRequest", ""},
    {"ListPoolsResponse", "pools"},
    {"GetRequest", "id wait_timeout"},
    {"GetResponse", "done task map"},
    {"GetManyRequest", "ids wait_timeout"},
    {"GetManyResponse", "answers left"},
    {"WaitRequest", "ids mode wait_timeout"},
    {"WaitResponse", "done not_done"},
    {"GetItemsRequest", "id first_index as_completed"},
    {"GetItemsResponse", "outcomes end"},
    {"CancelRequest", "ids running"},
    {"CancelResponse", "cancelled"},
    {"ReleaseRequest", "ids"},
    {"ReleaseResponse", "released"},
    {"ResizeRequest", "pool workers"},
    {"ResizeResponse", "pool"},
    {"ReloadRequest", "pool"},
    {"ReloadResponse", "pool"},
    {"CloseRequest", "pool cancel_queued"},
    {"CloseResponse", "cancelled_tasks"},
    {"TerminateRequest", "pool grace forget"},
    {"TerminateResponse", "cancelled_tasks"},
    {"JoinRequest", "pool wait_timeout"},
    {"JoinResponse", "done"},
    {"WatchRequest", "ids pool output"},
    {"ExplainRequest", "id"},
    {"GetStatsRequest", "pool"},
    {"GetServerInfoRequest", ""},
    {"GetServerInfoResponse", "server"},
    {"DownloadRequest", "id index offset_bytes arguments"},
    // The SDK submits over its session, and brings large payloads by itself.
    {"SubmitRequest", "pool tasks wait_timeout"},
    {"SubmitResponse", "results tasks"},
    {"MapRequest", "pool function items options id first_index more chunk_size fail_fast"},
    {"MapResponse", "id accepted_items"},
    {"UploadRequest", "fragment"},
    {"UploadResponse", "upload_id size_bytes"},
    {"DownloadResponse", "fragment payload"},
};

// Sets every field to a value of its own that is not its default. Of a oneof: the alternative number `pick`.
class Filler {
 public:
  explicit Filler(int pick) : pick_(pick) {}

  void Fill(Message* message) {
    seen_.insert(message->GetDescriptor()->name());
    const Descriptor& type = *message->GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor* const field = type.field(i);
      const auto* const oneof = field->real_containing_oneof();
      if (oneof != nullptr && field->index_in_oneof() != pick_ % oneof->field_count()) continue;
      if (!kLeftOutFields.contains(field->full_name())) Set(message, field);
    }
  }
  // The names of the messages that were filled.
  const std::set<std::string>& seen() const { return seen_; }

 private:
  template <typename Value>
  using Setter = void (Reflection::*)(Message*, const FieldDescriptor*, Value) const;
  template <typename Value>
  static void Put(Message* message, const FieldDescriptor* field, Setter<Value> set, Setter<Value> add, Value value) {
    (message->GetReflection()->*(field->is_repeated() ? add : set))(message, field, std::move(value));
  }
  void Set(Message* message, const FieldDescriptor* field) {
    const int number = ++counter_;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        return Put<bool>(message, field, &Reflection::SetBool, &Reflection::AddBool, true);
      case FieldDescriptor::CPPTYPE_INT32:
        return Put<std::int32_t>(message, field, &Reflection::SetInt32, &Reflection::AddInt32, -number);
      case FieldDescriptor::CPPTYPE_INT64:
        return Put<std::int64_t>(message, field, &Reflection::SetInt64, &Reflection::AddInt64, -number);
      case FieldDescriptor::CPPTYPE_UINT32:
        return Put<std::uint32_t>(message, field, &Reflection::SetUInt32, &Reflection::AddUInt32, number);
      case FieldDescriptor::CPPTYPE_UINT64:
        return Put<std::uint64_t>(message, field, &Reflection::SetUInt64, &Reflection::AddUInt64, ~0ull - number);
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return Put<double>(message, field, &Reflection::SetDouble, &Reflection::AddDouble, 0.25 * number);
      case FieldDescriptor::CPPTYPE_ENUM:
        return Put<int>(message, field, &Reflection::SetEnumValue, &Reflection::AddEnumValue,
                        1 + number % (field->enum_type()->value_count() - 1));
      case FieldDescriptor::CPPTYPE_STRING:
        return Put<std::string>(message, field, &Reflection::SetString, &Reflection::AddString, Text(field, number));
      default:
        return SetMessage(message, field, number);
    }
  }
  // Bytes are ids of 16 bytes where a struct has a HandleId.
  static std::string Text(const FieldDescriptor* field, int number) {
    const std::string text = std::to_string(number);
    return field->type() == FieldDescriptor::TYPE_BYTES ? text + std::string(16 - text.size(), '\xff') : text;
  }
  void SetMessage(Message* message, const FieldDescriptor* field, int number) {
    const Reflection& reflection = *message->GetReflection();
    Message* const inner =
        field->is_repeated() ? reflection.AddMessage(message, field) : reflection.MutableMessage(message, field);
    if (auto* duration = dynamic_cast<google::protobuf::Duration*>(inner)) {
      duration->set_seconds(number);
      duration->set_nanos(7);
    } else if (auto* time = dynamic_cast<google::protobuf::Timestamp*>(inner)) {
      time->set_seconds(1'700'000'000 + number);
      time->set_nanos(123'456'789);
    } else {
      Fill(inner);
    }
  }

  const int pick_;
  int counter_ = 0;
  std::set<std::string> seen_;
};

std::set<std::string>& Converted() {
  static std::set<std::string> names;
  return names;
}

template <typename Contract>
void ExpectNothingIsLost() {
  for (int pick = 0; pick < 7; ++pick) {
    Contract message;
    Filler filler(pick);
    filler.Fill(&message);
    EXPECT_EQ(ToProto(FromProto(message)).DebugString(), message.DebugString());
    Converted().insert(filler.seen().begin(), filler.seen().end());
  }
  EXPECT_EQ(ToProto(FromProto(Contract())).GetTypeName(), Contract().GetTypeName());
}

void ConvertAll() {
  ExpectNothingIsLost<v1::Outcome>();
  ExpectNothingIsLost<v1::Output>();
  ExpectNothingIsLost<v1::TaskEntry>();
  ExpectNothingIsLost<v1::ListTasksRequest>();
  ExpectNothingIsLost<v1::ListTasksResponse>();
  ExpectNothingIsLost<v1::ExplainResponse>();
  ExpectNothingIsLost<v1::TaskOptions>();
  ExpectNothingIsLost<v1::PoolSpec>();
  ExpectNothingIsLost<v1::GetPoolResponse>();
  ExpectNothingIsLost<v1::ServerInfo>();
  ExpectNothingIsLost<v1::GetStatsResponse>();
  ExpectNothingIsLost<v1::WatchResponse>();
}

std::string FieldsOf(const Descriptor& type) {
  std::string names;
  for (int i = 0; i < type.field_count(); ++i) names += (i > 0 ? " " : "") + type.field(i)->name();
  return names;
}

TEST(PlainStructs, KeepEveryFieldOfTheContract) { ConvertAll(); }

TEST(PlainStructs, KnowEveryMessageOfTheContract) {
  ConvertAll();
  const auto* const pool = v1::Outcome::descriptor()->file()->pool();
  for (const char* file : {"task", "map", "pool", "payload", "server_info", "pool_service"}) {
    const auto* const messages = pool->FindFileByName(std::string("poold/v1/") + file + ".proto");
    ASSERT_NE(messages, nullptr) << file;
    for (int i = 0; i < messages->message_type_count(); ++i) {
      const Descriptor& type = *messages->message_type(i);
      if (const auto call = kCalls.find(type.name()); call != kCalls.end()) {
        EXPECT_EQ(FieldsOf(type), call->second) << type.name() << ": does Connection have all of it?";
      } else if (!kLeftOutMessages.contains(type.name())) {
        EXPECT_TRUE(Converted().contains(type.name())) << type.name() << " has no plain struct";
      }
    }
  }
}

template <typename Enum>
void ExpectSameWords(const EnumDescriptor& type, const std::string& prefix) {
  for (int i = 0; i < type.value_count(); ++i) {
    EXPECT_EQ(prefix + std::string(ToString(static_cast<Enum>(type.value(i)->number()))), type.value(i)->name());
  }
  EXPECT_EQ(ToString(static_cast<Enum>(type.value_count())), "UNKNOWN");
  EXPECT_EQ(ToString(static_cast<Enum>(-1)), "UNKNOWN");
}

TEST(PlainEnums, HaveTheWordsOfTheContract) {
  ExpectSameWords<Encoding>(*v1::Encoding_descriptor(), "ENCODING_");
  ExpectSameWords<TaskState>(*v1::TaskState_descriptor(), "TASK_STATE_");
  ExpectSameWords<KilledBy>(*v1::KilledBy_descriptor(), "KILLED_BY_");
  ExpectSameWords<OutputStream>(*v1::OutputStream_descriptor(), "OUTPUT_STREAM_");
  ExpectSameWords<StartMethod>(*v1::StartMethod_descriptor(), "START_METHOD_");
  ExpectSameWords<OwnerLost>(*v1::OwnerLost_descriptor(), "OWNER_LOST_");
  ExpectSameWords<DeathPolicy>(*v1::DeathPolicy_descriptor(), "DEATH_POLICY_");
  ExpectSameWords<ResourceKind>(*v1::ResourceKind_descriptor(), "RESOURCE_KIND_");
  ExpectSameWords<PoolState>(*v1::PoolState_descriptor(), "POOL_STATE_");
  ExpectSameWords<WorkerState>(*v1::WorkerState_descriptor(), "WORKER_STATE_");
  ExpectSameWords<Containment>(*v1::Containment_descriptor(), "CONTAINMENT_");
}

TEST(PlainStructs, TimesBeyondTheirRangeAreTheNearestThatFit) {
  google::protobuf::Duration long_time;
  long_time.set_seconds(300ll * 366 * 24 * 3600);
  EXPECT_EQ(FromProto(long_time), kForever);
  EXPECT_EQ(FromProto(ToProto(kForever)), kForever);
  google::protobuf::Timestamp before_1970;
  before_1970.set_seconds(-2);
  before_1970.set_nanos(500'000'000);
  EXPECT_EQ(ToProto(FromProto(before_1970)).DebugString(), before_1970.DebugString());
}

}  // namespace
}  // namespace poold::client
