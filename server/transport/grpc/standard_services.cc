#include "transport/grpc/standard_services.h"

#include <set>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/unknown_field_set.h"

namespace poold::transport {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

constexpr std::string_view kService = "poold.v1.PoolService";

// Numbers of the fields in grpc/reflection/v1/reflection.proto.
constexpr int kFileByFilename = 3;
constexpr int kFileContainingSymbol = 4;
constexpr int kAllExtensionNumbersOfType = 6;
constexpr int kListServices = 7;
constexpr int kValidHost = 1;
constexpr int kOriginalRequest = 2;
constexpr int kFileDescriptorResponse = 4;
constexpr int kAllExtensionNumbersResponse = 5;
constexpr int kListServicesResponse = 6;
constexpr int kErrorResponse = 7;

std::string Serialized(const UnknownFieldSet& fields) {
  std::string out;
  fields.SerializeToString(&out);
  return out;
}

// The file and what it imports, each once.
void AddFile(const FileDescriptor& file, std::set<const FileDescriptor*>* seen, UnknownFieldSet* out) {
  if (!seen->insert(&file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  out->AddLengthDelimited(1, proto.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) AddFile(*file.dependency(i), seen, out);
}

void AddError(absl::StatusCode code, const std::string& message, UnknownFieldSet* out) {
  UnknownFieldSet error;
  error.AddVarint(1, static_cast<std::uint64_t>(code));
  error.AddLengthDelimited(2, message);
  out->AddLengthDelimited(kErrorResponse, Serialized(error));
}

void AddFileAnswer(const FileDescriptor* file, const std::string& wanted, UnknownFieldSet* out) {
  if (file == nullptr) return AddError(absl::StatusCode::kNotFound, wanted + " is not known here", out);
  std::set<const FileDescriptor*> seen;
  UnknownFieldSet files;
  AddFile(*file, &seen, &files);
  out->AddLengthDelimited(kFileDescriptorResponse, Serialized(files));
}

void AddServices(UnknownFieldSet* out) {
  UnknownFieldSet service;
  service.AddLengthDelimited(1, std::string(kService));
  UnknownFieldSet list;
  list.AddLengthDelimited(1, Serialized(service));
  out->AddLengthDelimited(kListServicesResponse, Serialized(list));
}

// True: this field was a question, and is answered.
bool AnswerField(const UnknownField& field, UnknownFieldSet* out) {
  if (field.type() != UnknownField::TYPE_LENGTH_DELIMITED) return false;
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  const std::string& text = field.length_delimited();
  switch (field.number()) {
    case kFileByFilename:
      AddFileAnswer(pool.FindFileByName(text), text, out);
      return true;
    case kFileContainingSymbol:
      AddFileAnswer(pool.FindFileContainingSymbol(text), text, out);
      return true;
    case kAllExtensionNumbersOfType: {
      UnknownFieldSet none;
      none.AddLengthDelimited(1, text);
      out->AddLengthDelimited(kAllExtensionNumbersResponse, Serialized(none));
      return true;
    }
    case kListServices:
      AddServices(out);
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<std::string> ReadHealthRequest(const std::string& message) {
  UnknownFieldSet fields;
  if (!fields.ParseFromString(message)) return std::nullopt;
  std::string service;
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    if (field.number() != 1) continue;
    if (field.type() != UnknownField::TYPE_LENGTH_DELIMITED) return std::nullopt;
    service = field.length_delimited();
  }
  return service;
}

Health HealthOf(std::string_view service, bool serving) {
  if (!service.empty() && service != kService) return Health::kServiceUnknown;
  return serving ? Health::kServing : Health::kNotServing;
}

std::string HealthResponse(Health health) {
  UnknownFieldSet fields;
  fields.AddVarint(1, static_cast<std::uint64_t>(health));
  return Serialized(fields);
}

std::optional<std::string> AnswerReflection(const std::string& message) {
  UnknownFieldSet request;
  if (!request.ParseFromString(message)) return std::nullopt;
  UnknownFieldSet response;
  response.AddLengthDelimited(kValidHost, "");
  response.AddLengthDelimited(kOriginalRequest, message);
  bool answered = false;
  for (int i = 0; i < request.field_count() && !answered; ++i) answered = AnswerField(request.field(i), &response);
  if (!answered) AddError(absl::StatusCode::kUnimplemented, "this question is not answered here", &response);
  return Serialized(response);
}

}  // namespace poold::transport
