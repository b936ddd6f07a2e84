#include "cli/value.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <msgpack.hpp>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "src/terminal_text.h"
#include "wire/absl_text.h"

namespace poold::cli {
namespace {

constexpr int kMaxDepth = 200;

// Builds nothing: finds what the document parser would silently make inexact.
class ExactNumbers : public nlohmann::json_sax<Json> {
 public:
  const std::string& inexact() const { return inexact_; }

  bool number_float(number_float_t, const string_t& text) override {
    if (text.find_first_of(".eE") != std::string::npos) return true;
    inexact_ = text;
    return false;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return Enter(); }
  bool key(string_t&) override { return true; }
  bool end_object() override { return Leave(); }
  bool start_array(std::size_t) override { return Enter(); }
  bool end_array() override { return Leave(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override { return false; }

 private:
  bool Enter() { return ++depth_ <= kMaxDepth; }
  bool Leave() { return --depth_, true; }

  int depth_ = 0;
  std::string inexact_;
};

// nullopt: not JSON.
absl::StatusOr<std::optional<Json>> Parse(std::string_view text) {
  ExactNumbers numbers;
  if (!Json::sax_parse(text, &numbers)) {
    if (numbers.inexact().empty()) return std::optional<Json>();
    return absl::InvalidArgumentError(absl::StrCat(
        "the integer ", numbers.inexact(), " does not fit into 64 bits; write it with quotes to send it as text"));
  }
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return std::optional<Json>();
  return std::optional<Json>(std::move(value));
}

// {"$bytes": ...} and {"$float": ...} become what they stand for.
absl::Status ResolveMarks(Json& value) {
  if (value.is_object() && value.size() == 1) {
    if (auto it = value.find("$bytes"); it != value.end() && it->is_string()) {
      std::string bytes;
      if (!absl::Base64Unescape(it->get_ref<const std::string&>(), &bytes)) {
        return absl::InvalidArgumentError("\"$bytes\" must be base64");
      }
      value = Json::binary({bytes.begin(), bytes.end()});
      return absl::OkStatus();
    }
    if (auto it = value.find("$float"); it != value.end() && it->is_string()) {
      const std::string name = *it;
      const double inf = std::numeric_limits<double>::infinity();
      if (name == "nan")
        value = std::numeric_limits<double>::quiet_NaN();
      else if (name == "inf")
        value = inf;
      else if (name == "-inf")
        value = -inf;
      else
        return absl::InvalidArgumentError("\"$float\" must be \"nan\", \"inf\" or \"-inf\"");
      return absl::OkStatus();
    }
  }
  if (value.is_structured()) {
    for (Json& inner : value) {
      if (absl::Status status = ResolveMarks(inner); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

Json FloatValue(double number) {
  if (std::isnan(number)) return Json{{"$float", "nan"}};
  if (std::isinf(number)) return Json{{"$float", number > 0 ? "inf" : "-inf"}};
  return number;
}

Json FromObject(const msgpack::object& object);

std::string KeyText(const msgpack::object& key) {
  if (key.type == msgpack::type::STR) {
    const std::string_view text(key.via.str.ptr, key.via.str.size);
    if (IsUtf8(text)) return std::string(text);
  }
  return Dump(FromObject(key));
}

Json FromObject(const msgpack::object& object) {
  switch (object.type) {
    case msgpack::type::NIL:
      return nullptr;
    case msgpack::type::BOOLEAN:
      return object.via.boolean;
    case msgpack::type::POSITIVE_INTEGER:
      return object.via.u64;
    case msgpack::type::NEGATIVE_INTEGER:
      return object.via.i64;
    case msgpack::type::FLOAT32:
    case msgpack::type::FLOAT64:
      return FloatValue(object.via.f64);
    case msgpack::type::STR:
      return TextValue({object.via.str.ptr, object.via.str.size});
    case msgpack::type::BIN:
      return BytesValue({object.via.bin.ptr, object.via.bin.size});
    case msgpack::type::EXT: {
      Json value{{"$ext", object.via.ext.type()}};
      value.update(BytesValue({object.via.ext.data(), object.via.ext.size}));
      return value;
    }
    case msgpack::type::ARRAY: {
      Json value = Json::array();
      for (uint32_t i = 0; i < object.via.array.size; ++i) value.push_back(FromObject(object.via.array.ptr[i]));
      return value;
    }
    case msgpack::type::MAP: {
      Json value = Json::object();
      for (uint32_t i = 0; i < object.via.map.size; ++i) {
        const auto& entry = object.via.map.ptr[i];
        value[KeyText(entry.key)] = FromObject(entry.val);
      }
      return value;
    }
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<Json> ValueFromWord(std::string_view word) {
  auto parsed = Parse(word);
  if (!parsed.ok()) return parsed.status();
  if (*parsed) return std::move(**parsed);
  if (!IsUtf8(word)) return BytesValue(word);
  return Json(std::string(word));
}

absl::StatusOr<Json> ValueFromJson(std::string_view text) {
  auto parsed = Parse(text);
  if (!parsed.ok()) return parsed.status();
  if (!*parsed) return absl::InvalidArgumentError(absl::StrCat("not JSON: ", std::string(text.substr(0, 100))));
  return std::move(**parsed);
}

absl::StatusOr<std::string> MsgpackFromValue(const Json& value) {
  Json resolved = value;
  if (absl::Status status = ResolveMarks(resolved); !status.ok()) return status;
  std::string bytes;
  Json::to_msgpack(resolved, nlohmann::detail::output_adapter<char>(bytes));
  return bytes;
}

absl::StatusOr<Json> ValueFromMsgpack(std::string_view bytes) {
  // The library reports by exceptions; none leaves this function.
  // The library reports by exceptions; none leaves this function.
  try {
    std::size_t offset = 0;
    // No container has more elements than the text has bytes: a header that lies cannot make us allocate.
    const std::size_t most = bytes.size();
    const msgpack::unpack_limit limit(most, most, most, most, most, kMaxDepth);
    const msgpack::object_handle handle = msgpack::unpack(
        bytes.data(), bytes.size(), offset, [](msgpack::type::object_type, std::size_t, void*) { return true; },
        nullptr, limit);
    if (offset != bytes.size()) return absl::InvalidArgumentError("more than one MessagePack value");
    return FromObject(handle.get());
  } catch (const std::exception& e) {
    return absl::InvalidArgumentError(absl::StrCat("not MessagePack: ", e.what()));
  }
}

Json BytesValue(std::string_view bytes) { return Json{{"$bytes", absl::Base64Escape(wire::ToAbsl(bytes))}}; }

Json TextValue(std::string_view text) {
  if (!IsUtf8(text)) return BytesValue(text);
  return std::string(text);
}

std::string Dump(const Json& value) {
  return client::internal::SafeJson(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

bool IsUtf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const unsigned char lead = text[i];
    const std::size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (length == 0 || i + length > text.size()) return false;
    uint32_t code = length == 1 ? lead : lead & (0x7F >> length);
    for (std::size_t k = 1; k < length; ++k) {
      const unsigned char next = text[i + k];
      if (next >> 6 != 2) return false;
      code = code << 6 | (next & 0x3F);
    }
    const uint32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : length == 4 ? 0x10000 : 0;
    if (code < least || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    i += length;
  }
  return true;
}

}  // namespace poold::cli
