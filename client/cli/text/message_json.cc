#include "cli/text/message_json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <cctype>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "poold/v1/payload.pb.h"
#include "wire/absl_text.h"

namespace poold::cli {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool HoldsHandles(const FieldDescriptor& field) {
  return field.name() == "id" || field.name() == "ids" || field.name() == "done" || field.name() == "not_done";
}

// TASK_STATE_SUCCEEDED of TaskState is SUCCEEDED.
std::string EnumName(const EnumValueDescriptor& value) {
  std::string prefix;
  for (const char c : value.type()->name()) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0 && !prefix.empty()) prefix += '_';
    prefix += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  prefix += '_';
  const std::string& name = value.name();
  return name.compare(0, prefix.size(), prefix) == 0 ? name.substr(prefix.size()) : name;
}

Json BytesField(const FieldDescriptor& field, const std::string& bytes) {
  if (field.type() == FieldDescriptor::TYPE_STRING) return TextValue(bytes);
  return HoldsHandles(field) ? Json(HexFromId(bytes)) : TextValue(bytes);
}

// The value of one field; with `index` >= 0 of one element of a repeated one.
Json FieldValue(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& r = *message.GetReflection();
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return one ? r.GetInt32(message, &field) : r.GetRepeatedInt32(message, &field, index);
    case FieldDescriptor::CPPTYPE_INT64:
      return one ? r.GetInt64(message, &field) : r.GetRepeatedInt64(message, &field, index);
    case FieldDescriptor::CPPTYPE_UINT32:
      return one ? r.GetUInt32(message, &field) : r.GetRepeatedUInt32(message, &field, index);
    case FieldDescriptor::CPPTYPE_UINT64:
      return one ? r.GetUInt64(message, &field) : r.GetRepeatedUInt64(message, &field, index);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return one ? r.GetDouble(message, &field) : r.GetRepeatedDouble(message, &field, index);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return one ? r.GetFloat(message, &field) : r.GetRepeatedFloat(message, &field, index);
    case FieldDescriptor::CPPTYPE_BOOL:
      return one ? r.GetBool(message, &field) : r.GetRepeatedBool(message, &field, index);
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumName(one ? *r.GetEnum(message, &field) : *r.GetRepeatedEnum(message, &field, index));
    case FieldDescriptor::CPPTYPE_STRING:
      return BytesField(field, one ? r.GetString(message, &field) : r.GetRepeatedString(message, &field, index));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return JsonFromMessage(one ? r.GetMessage(message, &field) : r.GetRepeatedMessage(message, &field, index));
  }
  return nullptr;
}

Json MapField(const Message& message, const FieldDescriptor& field) {
  Json value = Json::object();
  const Reflection& r = *message.GetReflection();
  for (int i = 0; i < r.FieldSize(message, &field); ++i) {
    const Message& entry = r.GetRepeatedMessage(message, &field, i);
    const Json key = FieldValue(entry, *entry.GetDescriptor()->map_key(), -1);
    value[key.is_string() ? key.get<std::string>() : Dump(key)] =
        FieldValue(entry, *entry.GetDescriptor()->map_value(), -1);
  }
  return value;
}

Json RepeatedField(const Message& message, const FieldDescriptor& field) {
  Json value = Json::array();
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    value.push_back(FieldValue(message, field, i));
  }
  return value;
}

}  // namespace

Json JsonFromMessage(const Message& message) {
  if (const auto* payload = dynamic_cast<const v1::Payload*>(&message)) return JsonFromPayload(*payload);
  if (const auto* duration = dynamic_cast<const google::protobuf::Duration*>(&message)) {
    return static_cast<double>(duration->seconds()) + duration->nanos() * 1e-9;
  }
  if (const auto* time = dynamic_cast<const google::protobuf::Timestamp*>(&message)) {
    return google::protobuf::util::TimeUtil::ToString(*time);
  }
  Json value = Json::object();
  const auto& descriptor = *message.GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (field.is_map()) {
      value[field.name()] = MapField(message, field);
    } else if (field.is_repeated()) {
      value[field.name()] = RepeatedField(message, field);
    } else if (!field.has_presence() || message.GetReflection()->HasField(message, &field)) {
      value[field.name()] = FieldValue(message, field, -1);
    }
  }
  return value;
}

Json JsonFromPayload(const v1::Payload& payload) {
  switch (payload.encoding()) {
    case v1::ENCODING_MSGPACK:
      if (auto value = ValueFromMsgpack(payload.data()); value.ok()) return *std::move(value);
      return Json{{"$msgpack", absl::Base64Escape(payload.data())}};  // nested too deep for JSON, or none
    case v1::ENCODING_PROTOBUF: {
      Json value{{"$protobuf", payload.type_name()}};
      value.update(BytesValue(payload.data()));
      return value;
    }
    case v1::ENCODING_UNSPECIFIED:
      if (payload.data().empty()) return nullptr;
      break;
    default:
      break;
  }
  return BytesValue(payload.data());
}

std::string HexFromId(std::string_view id) { return absl::BytesToHexString(wire::ToAbsl(id)); }

absl::StatusOr<std::string> IdFromHex(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != '-') digits += c;
  }
  const bool hex = digits.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (digits.size() != 32 || !hex) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(text), " is no handle: 32 hex digits, as poolctl submit --no-wait prints them"));
  }
  return std::string(absl::HexStringToBytes(digits));
}

}  // namespace poold::cli
