#include "cli/text/value.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "poold/codec/codec.h"
#include "src/terminal_text.h"
#include "wire/absl_text.h"

namespace poold::cli {
namespace {

// As deep as workers read.
constexpr std::size_t kMaxDepth = 512;

absl::Status TooDeep() { return absl::InvalidArgumentError(absl::StrCat("nested deeper than ", kMaxDepth)); }

// Builds nothing: finds what the document parser would silently change, and what is JSON but no value that can travel.
class Checker : public nlohmann::json_sax<Json> {
 public:
  // Why it is refused, if it is JSON; OK: it is as it reads.
  const absl::Status& refused() const { return refused_; }
  // Parsing ended because of this number, which is beyond all floats; empty: it did not.
  const std::string& beyond() const { return beyond_; }
  std::size_t position() const { return position_; }

  bool number_float(number_float_t number, const string_t& text) override {
    const std::size_t exponent = text.find_first_of("eE");
    if (text.find_first_of(".eE") == std::string::npos) {
      Refuse(absl::StrCat("the integer ", text, " does not fit into 64 bits; write it with quotes to send it as text"));
    } else if (number == 0 && text.substr(0, exponent).find_first_of("123456789") != std::string::npos) {
      Refuse(absl::StrCat("the number ", text,
                          " is smaller than any float but 0; write it with quotes to send it as text"));
    }
    return true;
  }
  bool number_integer(number_integer_t number) override {
    if (number == 0) Refuse("-0 is no whole number; write 0 or -0.0");
    return true;
  }
  bool key(string_t& key) override {
    if (!keys_.back().insert(key).second) Refuse(absl::StrCat("the key \"", key, "\" is there twice"));
    return true;
  }
  bool start_object(std::size_t) override { return Enter(); }
  bool start_array(std::size_t) override { return Enter(); }
  bool end_object() override { return Leave(); }
  bool end_array() override { return Leave(); }
  bool parse_error(std::size_t position, const std::string& token, const nlohmann::json::exception& error) override {
    constexpr int kOutOfRange = 406;
    if (error.id != kOutOfRange) return false;
    Refuse(absl::StrCat("the number ", token, " is larger than any float; write it with quotes to send it as text"));
    beyond_ = token;
    position_ = position;
    return false;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }

 private:
  void Refuse(std::string why) { refused_.Update(absl::InvalidArgumentError(why)); }
  bool Enter() {
    keys_.emplace_back();
    if (keys_.size() > kMaxDepth) refused_.Update(TooDeep());
    return true;
  }
  bool Leave() { return keys_.pop_back(), true; }

  // Of each object (or array) that is open.
  std::vector<std::set<std::string>> keys_;
  absl::Status refused_;
  std::string beyond_;
  std::size_t position_ = 0;
};

// Whether it is JSON but for the numbers that are beyond all floats.
bool IsJson(std::string_view text, const Checker& checked) {
  const std::size_t at = text.rfind(checked.beyond(), checked.position());
  if (at == std::string_view::npos) return false;
  Checker rest;
  const std::string zero =
      absl::StrCat(wire::ToAbsl(text.substr(0, at)), "0", wire::ToAbsl(text.substr(at + checked.beyond().size())));
  return Json::sax_parse(zero, &rest) || !rest.beyond().empty();
}

// nullopt: not JSON.
absl::StatusOr<std::optional<Json>> Parse(std::string_view text) {
  Checker checker;
  const bool is_json = Json::sax_parse(text, &checker) || (!checker.beyond().empty() && IsJson(text, checker));
  if (!is_json) return std::optional<Json>();
  if (!checker.refused().ok()) return checker.refused();
  return std::optional<Json>(Json::parse(text, nullptr, /*allow_exceptions=*/false));
}

// ---- Marks: what JSON does not know ----

constexpr char kBytes[] = "$bytes";
constexpr char kText[] = "$text";
constexpr char kFloat[] = "$float";
constexpr char kFloat32[] = "$float32";
constexpr char kExtension[] = "$ext";
constexpr char kMap[] = "$map";

// The float type with as many bits, and those bits.
template <typename Float>
using BitsOf = std::conditional_t<sizeof(Float) == 4, std::uint32_t, std::uint64_t>;

// What JSON has no number for; else nothing.
template <typename Float>
std::optional<std::string> NameOf(Float number) {
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  if (!std::isnan(number)) return std::nullopt;
  const auto bits = std::bit_cast<BitsOf<Float>>(number);
  const auto usual = std::bit_cast<BitsOf<Float>>(std::numeric_limits<Float>::quiet_NaN());
  if (bits == usual) return "nan";
  return absl::StrCat("0x", absl::Hex(bits));
}

template <typename Float>
std::optional<Float> FloatNamed(const std::string& name) {
  if (name == "nan") return std::numeric_limits<Float>::quiet_NaN();
  if (name == "inf") return std::numeric_limits<Float>::infinity();
  if (name == "-inf") return -std::numeric_limits<Float>::infinity();
  BitsOf<Float> bits = 0;
  const char* const end = name.data() + name.size();
  if (name.size() != 2 + 2 * sizeof bits || !name.starts_with("0x")) return std::nullopt;
  if (std::from_chars(name.data() + 2, end, bits, 16).ptr != end) return std::nullopt;
  return std::bit_cast<Float>(bits);
}

// ---- To MessagePack ----

class Writer {
 public:
  explicit Writer(std::string* out) : sink_{out}, packer_(sink_) {}
  absl::Status Write(const Json& value, std::size_t depth);

 private:
  absl::Status WriteList(const Json& list, std::size_t depth);
  absl::Status WriteMap(const Json& map, std::size_t depth);
  absl::Status WritePairs(const Json& pairs, std::size_t depth);
  absl::Status WriteBase64(const Json& base64, const char* mark);
  absl::Status WriteExtension(const Json& type, const Json& base64);
  template <typename Float>
  absl::Status WriteFloat(const Json& number, const char* mark);
  // True: it stands for something else, which is written (or refused: *status).
  bool WriteMarked(const Json& object, std::size_t depth, absl::Status* status);

  codec::StringSink sink_;
  codec::Packer packer_;
};

absl::Status Writer::WriteList(const Json& list, std::size_t depth) {
  packer_.pack_array(codec::Length(list.size()));
  for (const Json& element : list) {
    if (absl::Status status = Write(element, depth); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Writer::WriteMap(const Json& map, std::size_t depth) {
  packer_.pack_map(codec::Length(map.size()));
  for (const auto& [key, element] : map.items()) {
    codec::WriteText(packer_, key);
    if (absl::Status status = Write(element, depth); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Writer::WritePairs(const Json& pairs, std::size_t depth) {
  packer_.pack_map(codec::Length(pairs.size()));
  for (const Json& pair : pairs) {
    if (!pair.is_array() || pair.size() != 2) {
      return absl::InvalidArgumentError("\"$map\" must be an array of pairs, like [[1, \"one\"]]");
    }
    for (const Json& element : pair) {
      if (absl::Status status = Write(element, depth); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status Writer::WriteBase64(const Json& base64, const char* mark) {
  std::string bytes;
  if (!absl::Base64Unescape(base64.get_ref<const std::string&>(), &bytes)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", mark, "\" must be base64"));
  }
  mark == kText ? codec::WriteText(packer_, bytes) : codec::WriteBytes(packer_, bytes);
  return absl::OkStatus();
}

absl::Status Writer::WriteExtension(const Json& type, const Json& base64) {
  std::string bytes;
  const auto number = type.get<std::int64_t>();
  if (number < -128 || number > 127) return absl::InvalidArgumentError("\"$ext\" must be from -128 to 127");
  if (!absl::Base64Unescape(base64.get_ref<const std::string&>(), &bytes)) {
    return absl::InvalidArgumentError("\"$bytes\" must be base64");
  }
  packer_.pack_ext(codec::Length(bytes.size()), static_cast<std::int8_t>(number));
  packer_.pack_ext_body(bytes.data(), codec::Length(bytes.size()));
  return absl::OkStatus();
}

template <typename Float>
absl::Status Writer::WriteFloat(const Json& number, const char* mark) {
  const std::optional<Float> value =
      number.is_string() ? FloatNamed<Float>(number.get<std::string>()) : static_cast<Float>(number.get<double>());
  if (!value || (number.is_number() && std::isinf(*value))) {
    return absl::InvalidArgumentError(absl::StrCat("\"", mark,
                                                   "\" must be a number in its range, \"nan\", \"inf\", \"-inf\" or ",
                                                   2 * sizeof(Float), " hex digits behind 0x"));
  }
  if constexpr (sizeof(Float) == 4) {
    packer_.pack_float(*value);
  } else {
    packer_.pack_double(*value);
  }
  return absl::OkStatus();
}

bool Writer::WriteMarked(const Json& object, std::size_t depth, absl::Status* status) {
  const auto has = [&](const char* mark) { return object.contains(mark); };
  const auto text = [&](const char* mark) { return has(mark) && object[mark].is_string(); };
  const auto number = [&](const char* mark) { return text(mark) || (has(mark) && object[mark].is_number()); };
  if (object.size() == 2 && has(kExtension) && object[kExtension].is_number_integer() && text(kBytes)) {
    return *status = WriteExtension(object[kExtension], object[kBytes]), true;
  }
  if (object.size() != 1) return false;
  if (text(kBytes)) return *status = WriteBase64(object[kBytes], kBytes), true;
  if (text(kText)) return *status = WriteBase64(object[kText], kText), true;
  if (number(kFloat)) return *status = WriteFloat<double>(object[kFloat], kFloat), true;
  if (number(kFloat32)) return *status = WriteFloat<float>(object[kFloat32], kFloat32), true;
  if (has(kMap) && object[kMap].is_array()) return *status = WritePairs(object[kMap], depth), true;
  return false;
}

absl::Status Writer::Write(const Json& value, std::size_t depth) {
  if (value.is_structured() && ++depth > kMaxDepth) return TooDeep();
  absl::Status marked;
  switch (value.type()) {
    case Json::value_t::object:
      return WriteMarked(value, depth, &marked) ? marked : WriteMap(value, depth);
    case Json::value_t::array:
      return WriteList(value, depth);
    case Json::value_t::string:
      codec::WriteText(packer_, value.get_ref<const std::string&>());
      break;
    case Json::value_t::boolean:
      value.get<bool>() ? packer_.pack_true() : packer_.pack_false();
      break;
    case Json::value_t::number_integer:
      packer_.pack_int64(value.get<std::int64_t>());
      break;
    case Json::value_t::number_unsigned:
      packer_.pack_uint64(value.get<std::uint64_t>());
      break;
    case Json::value_t::number_float:
      packer_.pack_double(value.get<double>());
      break;
    case Json::value_t::binary: {
      const auto& bytes = value.get_binary();
      codec::WriteBytes(packer_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      break;
    }
    default:
      packer_.pack_nil();
  }
  return absl::OkStatus();
}

// ---- From MessagePack ----

Json FromDouble(double number) {
  if (const auto name = NameOf(number)) return Json{{kFloat, *name}};
  return number;
}

// With the digits that a float has.
Json FromFloat(float number) {
  if (const auto name = NameOf(number)) return Json{{kFloat32, *name}};
  char text[32];
  const char* const end = std::to_chars(text, text + sizeof text, number).ptr;
  double shown = 0;
  std::from_chars(text, end, shown);
  return Json{{kFloat32, shown}};
}

Json FromObject(const msgpack::object& object);

// It can be a JSON object: keys that are texts, all different, none that reads as a mark.
bool IsPlain(const msgpack::object_map& map) {
  std::set<std::string_view> keys;
  for (const msgpack::object_kv& entry : map) {
    if (entry.key.type != msgpack::type::STR) return false;
    const std::string_view key(entry.key.via.str.ptr, entry.key.via.str.size);
    if (key.starts_with('$') || !IsUtf8(key) || !keys.insert(key).second) return false;
  }
  return true;
}

Json FromMap(const msgpack::object_map& map) {
  if (IsPlain(map)) {
    Json value = Json::object();
    for (const msgpack::object_kv& entry : map) {
      value[std::string(entry.key.via.str.ptr, entry.key.via.str.size)] = FromObject(entry.val);
    }
    return value;
  }
  Json pairs = Json::array();
  for (const msgpack::object_kv& entry : map) {
    pairs.push_back(Json::array({FromObject(entry.key), FromObject(entry.val)}));
  }
  return Json{{kMap, std::move(pairs)}};
}

Json FromText(std::string_view text) {
  if (!IsUtf8(text)) return Json{{kText, absl::Base64Escape(wire::ToAbsl(text))}};
  return std::string(text);
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
      return FromFloat(static_cast<float>(object.via.f64));
    case msgpack::type::FLOAT64:
      return FromDouble(object.via.f64);
    case msgpack::type::STR:
      return FromText({object.via.str.ptr, object.via.str.size});
    case msgpack::type::BIN:
      return BytesValue({object.via.bin.ptr, object.via.bin.size});
    case msgpack::type::EXT: {
      Json value{{kExtension, object.via.ext.type()}};
      value.update(BytesValue({object.via.ext.data(), object.via.ext.size}));
      return value;
    }
    case msgpack::type::ARRAY: {
      Json value = Json::array();
      for (uint32_t i = 0; i < object.via.array.size; ++i) value.push_back(FromObject(object.via.array.ptr[i]));
      return value;
    }
    case msgpack::type::MAP:
      return FromMap(object.via.map);
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
  std::string bytes;
  if (absl::Status status = Writer(&bytes).Write(value, 0); !status.ok()) return status;
  return bytes;
}

absl::StatusOr<Json> ValueFromMsgpack(std::string_view bytes) {
  Json value;
  const absl::Status read =
      codec::VisitValue(bytes, [&](const msgpack::object& object) { value = FromObject(object); });
  if (!read.ok()) return read;
  return value;
}

Json BytesValue(std::string_view bytes) { return Json{{kBytes, absl::Base64Escape(wire::ToAbsl(bytes))}}; }

Json TextValue(std::string_view text) {
  if (!IsUtf8(text)) return BytesValue(text);
  return std::string(text);
}

std::string Dump(const Json& value) {
  return client::internal::SafeJson(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

bool IsUtf8(std::string_view text) { return codec::IsUtf8(text); }

}  // namespace poold::cli
