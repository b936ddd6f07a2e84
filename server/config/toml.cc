#include "config/toml.h"

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/names.h"
#include "config/keys.h"
#include "config/packed_arguments.h"
#include "wire/absl_text.h"

namespace poold::config {
namespace {

std::string KindName(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "the number " + std::to_string(node.as_integer()->get());
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

std::string Range(std::int64_t min, std::int64_t max) {
  if (max == std::numeric_limits<std::int64_t>::max()) return ", at least " + std::to_string(min);
  return " from " + std::to_string(min) + " to " + std::to_string(max);
}

// Why a value does not fit: what was wanted in its place, or in the place of one of its parts.
struct Complaint {
  const toml::node* node = nullptr;
  std::string part;     // "", or ".name"
  std::string wanted;   // or
  std::string unknown;  // what is said of a part that nobody knows
};

// Puts one value of one key into its owner. Complains when it does not fit.
template <typename Owner>
class Assign {
 public:
  Assign(const Key<Owner>& key, const toml::node& node, Owner* owner, Complaint* complaint)
      : key_(key), node_(node), owner_(*owner), complaint_(*complaint) {}

  bool operator()(std::string Owner::*field) const {
    const auto text = node_.value_exact<std::string>();
    if (!text) return Want("a string");
    owner_.*field = *text;
    return true;
  }

  bool operator()(std::vector<std::string> Owner::*field) const {
    const toml::array* array = node_.as_array();
    if (array == nullptr) return Want("an array of strings");
    std::vector<std::string> texts;
    for (const toml::node& element : *array) {
      const auto text = element.value_exact<std::string>();
      if (!text) return Want("an array of strings");
      texts.push_back(*text);
    }
    owner_.*field = std::move(texts);
    return true;
  }

  bool operator()(bool Owner::*field) const {
    const auto truth = node_.value_exact<bool>();
    if (!truth) return Want("true or false");
    owner_.*field = *truth;
    return true;
  }

  bool operator()(std::uint32_t Owner::*field) const { return Number(field); }
  bool operator()(std::uint64_t Owner::*field) const { return Number(field); }
  bool operator()(int Owner::*field) const { return Number(field); }

  bool operator()(core::Nanos Owner::*field) const {
    const auto seconds = node_.is_number() ? node_.value<double>() : std::nullopt;
    if (!seconds || !(*seconds >= static_cast<double>(key_.min)) || *seconds > static_cast<double>(key_.max)) {
      return Want("a number of seconds" + Range(key_.min, key_.max));
    }
    owner_.*field = std::llround(*seconds * core::kSecond);
    return true;
  }

  bool operator()(const SecondsOrNever<Owner>& seconds) const {
    if (!(*this)(seconds.nanos)) return false;
    if (owner_.*seconds.nanos == 0) owner_.*seconds.nanos = core::kNever;
    return true;
  }

  bool operator()(const Resources<Owner>& resources) const {
    const toml::table* table = node_.as_table();
    if (table == nullptr) return Want("a table of numbers");
    const std::span<const std::string_view> words = option::kResources;
    std::map<core::ResourceKind, std::uint64_t> values;
    for (const auto& [name, value] : *table) {
      const auto word = std::find(words.begin(), words.end(), name.str());
      complaint_ = {&value, '.' + std::string(name.str()), "", ""};
      if (word == words.end()) return UnknownResource(name.str());
      const auto number = value.template value_exact<std::int64_t>();
      const std::int64_t least = *word == "core_bytes" ? 0 : 1;
      if (!number || *number < least) return Want("a whole number" + Range(least, key_.max));
      values[static_cast<core::ResourceKind>(word - words.begin() + 1)] = static_cast<std::uint64_t>(*number);
    }
    owner_.*resources.values = std::move(values);
    return true;
  }

  bool operator()(std::map<std::string, std::string> Owner::*field) const {
    const toml::table* table = node_.as_table();
    if (table == nullptr) return Want("a table of strings");
    std::map<std::string, std::string> texts;
    for (const auto& [name, value] : *table) {
      const auto text = value.template value_exact<std::string>();
      if (!text) return Want("a table of strings");
      texts.emplace(name.str(), *text);
    }
    owner_.*field = std::move(texts);
    return true;
  }

  bool operator()(const Choice<Owner>& choice) const {
    const auto word = node_.value_exact<std::string_view>();
    const auto found = word ? std::find(choice.words.begin(), choice.words.end(), *word) : choice.words.end();
    if (found == choice.words.end()) {
      std::string words;
      for (const std::string_view known : choice.words)
        words += (words.empty() ? "\"" : ", \"") + std::string(known) + '"';
      return Want("one of " + words);
    }
    choice.set(owner_, static_cast<std::size_t>(found - choice.words.begin()));
    return true;
  }

  bool operator()(const Arguments<Owner>& arguments) const {
    if (!node_.is_array()) return Want("an array");
    PackedArguments packed;
    if (!Pack(node_, &packed)) return Want("an array of strings, numbers, booleans, arrays and tables");
    const bool empty = node_.as_array()->empty();
    owner_.*arguments.bytes = empty ? "" : packed.bytes();
    owner_.*arguments.encoding = empty ? core::Encoding::kUnspecified : core::Encoding::kMsgpack;
    return true;
  }

 private:
  bool Want(std::string what) const {
    complaint_.wanted = std::move(what);
    return false;
  }

  bool UnknownResource(std::string_view name) const {
    const std::vector<std::string> words(std::begin(option::kResources), std::end(option::kResources));
    complaint_.unknown = "unknown key" + base::DidYouMean(name, words);
    return false;
  }

  template <typename Integer>
  bool Number(Integer Owner::*field) const {
    const std::int64_t max = std::min<std::uint64_t>(key_.max, std::numeric_limits<Integer>::max());
    const auto number = node_.value_exact<std::int64_t>();
    if (!number || *number < key_.min || *number > max) return Want("a whole number" + Range(key_.min, max));
    owner_.*field = static_cast<Integer>(*number);
    return true;
  }

  static bool Pack(const toml::node& node, PackedArguments* out) {
    if (const auto* text = node.as_string()) return out->Text(text->get()), true;
    if (const auto* number = node.as_integer()) return out->Integer(number->get()), true;
    if (const auto* number = node.as_floating_point()) return out->Real(number->get()), true;
    if (const auto* truth = node.as_boolean()) return out->Boolean(truth->get()), true;
    if (const toml::array* array = node.as_array()) {
      out->BeginArray(array->size());
      return std::all_of(array->begin(), array->end(), [out](const toml::node& item) { return Pack(item, out); });
    }
    const toml::table* table = node.as_table();
    if (table == nullptr) return false;
    out->BeginMap(table->size());
    for (const auto& [name, value] : *table) {
      out->Text(name.str());
      if (!Pack(value, out)) return false;
    }
    return true;
  }

  const Key<Owner>& key_;
  const toml::node& node_;
  Owner& owner_;
  Complaint& complaint_;
};

// Reads one document into a configuration.
class Reader {
 public:
  Reader(std::string_view source, Lines lines, const AddressCheck& check, Config* config)
      : source_(source), lines_(lines), check_(check), config_(*config) {}

  absl::Status Read(std::string_view text) const {
    const toml::parse_result parsed = toml::parse(text, source_);
    if (!parsed) return Error(parsed.error().source(), std::string(parsed.error().description()));
    const std::string tables[] = {"limits", "pools", "spool"};
    for (const auto& [name, node] : parsed.table()) {
      absl::Status status;
      if (name.str() == "limits") {
        status = ReadTable(node, "limits", LimitKeys(), &config_.limits);
      } else if (name.str() == "spool") {
        status = ReadTable(node, "spool", SpoolKeys(), &config_.spool);
      } else if (name.str() == "pools") {
        status = ReadPools(node);
      } else {
        status = ReadKey(name, node, "", ConfigKeys(), &config_, tables);
      }
      if (status.ok() && name.str() == "listen") status = CheckAddresses(node);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  template <typename Owner>
  absl::Status ReadTable(const toml::node& node, const std::string& path, std::span<const Key<Owner>> keys,
                         Owner* owner) const {
    const toml::table* table = node.as_table();
    if (table == nullptr) return Wrong(node, path, "a table");
    for (const auto& [name, value] : *table) {
      absl::Status status = ReadKey(name, value, path + ".", keys, owner, {});
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  template <typename Owner>
  absl::Status ReadKey(const toml::key& name, const toml::node& value, const std::string& path,
                       std::span<const Key<Owner>> keys, Owner* owner, std::span<const std::string> more_names) const {
    const auto key =
        std::find_if(keys.begin(), keys.end(), [&](const auto& known) { return known.name == name.str(); });
    if (key == keys.end()) {
      std::vector<std::string> names(more_names.begin(), more_names.end());
      for (const Key<Owner>& known : keys) names.emplace_back(known.name);
      return Error(name.source(),
                   path + std::string(name.str()) + ": unknown key" + base::DidYouMean(name.str(), names));
    }
    Complaint complaint{&value, "", "", ""};
    if (std::visit(Assign<Owner>(*key, value, owner, &complaint), key->field)) return absl::OkStatus();
    const std::string what = path + std::string(name.str()) + complaint.part;
    if (!complaint.unknown.empty()) return Error(complaint.node->source(), what + ": " + complaint.unknown);
    return Wrong(*complaint.node, what, complaint.wanted);
  }

  absl::Status ReadPools(const toml::node& node) const {
    const toml::table* table = node.as_table();
    if (table == nullptr) return Wrong(node, "pools", "a table for each pool, as [pools.NAME]");
    config_.pools_named = true;
    for (const auto& [name, value] : *table) {
      const std::string pool_name(name.str());
      auto pool = std::find_if(config_.pools.begin(), config_.pools.end(),
                               [&](const core::PoolSpec& known) { return known.name == pool_name; });
      if (pool == config_.pools.end()) pool = config_.pools.insert(pool, NewPool(pool_name));
      absl::Status status = ReadTable(value, "pools." + pool_name, PoolKeys(), &*pool);
      if (!status.ok()) return status;
      if (pool_name == "default" && value.as_table()->contains("modules")) config_.default_modules_named = true;
      if (pool_name == "default" && value.as_table()->contains("program")) config_.default_modules_named = true;
    }
    return absl::OkStatus();
  }

  absl::Status CheckAddresses(const toml::node& node) const {
    if (!check_) return absl::OkStatus();
    for (const toml::node& address : *node.as_array()) {
      const absl::Status status = check_(*address.value_exact<std::string_view>());
      if (!status.ok()) return Error(address.source(), "listen: " + std::string(wire::ToStd(status.message())));
    }
    return absl::OkStatus();
  }

  absl::Status Wrong(const toml::node& node, const std::string& path, const std::string& wanted) const {
    return Error(node.source(), path + ": wanted " + wanted + ", got " + KindName(node));
  }

  absl::Status Error(const toml::source_region& where, const std::string& what) const {
    std::string place(source_);
    if (lines_ == Lines::kYes) place += ':' + std::to_string(where.begin.line);
    return absl::InvalidArgumentError(place + ": " + what);
  }

  const std::string_view source_;
  const Lines lines_;
  const AddressCheck& check_;
  Config& config_;
};

bool IsBare(std::string_view name) {
  if (name.empty()) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '-' && c != '_') return false;
  }
  return true;
}

std::string Name(std::string_view name) { return IsBare(name) ? std::string(name) : Quote(name); }

std::string Seconds(core::Nanos nanos) {
  if (nanos % core::kSecond == 0) return std::to_string(nanos / core::kSecond);
  return PrintReal(static_cast<double>(nanos) / core::kSecond);
}

// The value of one key of its owner.
template <typename Owner>
struct ValueOf {
  const Owner& owner;

  std::string operator()(std::string Owner::*field) const { return Quote(owner.*field); }
  std::string operator()(bool Owner::*field) const { return owner.*field ? "true" : "false"; }
  std::string operator()(std::uint32_t Owner::*field) const { return std::to_string(owner.*field); }
  std::string operator()(std::uint64_t Owner::*field) const { return std::to_string(owner.*field); }
  std::string operator()(int Owner::*field) const { return std::to_string(owner.*field); }
  std::string operator()(core::Nanos Owner::*field) const { return Seconds(owner.*field); }
  std::string operator()(const Choice<Owner>& choice) const { return Quote(choice.words[choice.get(owner)]); }
  std::string operator()(const Arguments<Owner>& args) const { return PrintArguments(owner.*args.bytes); }

  std::string operator()(const SecondsOrNever<Owner>& seconds) const {
    return owner.*seconds.nanos == core::kNever ? "0" : Seconds(owner.*seconds.nanos);
  }

  std::string operator()(const Resources<Owner>& resources) const {
    std::string out = "{";
    for (const auto& [kind, value] : owner.*resources.values) {
      out += out.size() > 1 ? ", " : " ";
      out += std::string(option::kResources[static_cast<std::size_t>(kind) - 1]) + " = " + std::to_string(value);
    }
    return out + (out.size() > 1 ? " }" : "}");
  }

  std::string operator()(std::vector<std::string> Owner::*field) const {
    std::string out = "[";
    for (const std::string& text : owner.*field) out += (out.size() > 1 ? ", " : "") + Quote(text);
    return out + "]";
  }

  std::string operator()(std::map<std::string, std::string> Owner::*field) const {
    std::string out = "{";
    for (const auto& [name, text] : owner.*field) {
      out += (out.size() > 1 ? ", " : " ") + Name(name) + " = " + Quote(text);
    }
    return out + (out.size() > 1 ? " }" : "}");
  }
};

template <typename Owner>
void PrintKeys(std::span<const Key<Owner>> keys, const Owner& owner, std::string* out) {
  for (const Key<Owner>& key : keys) {
    *out += "# " + std::string(key.help) + "\n";
    *out += std::string(key.name) + " = " + std::visit(ValueOf<Owner>{owner}, key.field) + "\n";
  }
}

}  // namespace

absl::Status ReadText(std::string_view text, std::string_view source, Lines lines, const AddressCheck& check,
                      Config* config) {
  return Reader(source, lines, check, config).Read(text);
}

absl::Status ReadFile(const std::string& path, const AddressCheck& check, Config* config) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (file) text << file.rdbuf();
  if (!file || !text) {
    return absl::InvalidArgumentError(path + ": cannot be read: " + std::strerror(errno) +
                                      "; name the configuration file with --config");
  }
  return ReadText(text.str(), path, Lines::kYes, check, config);
}

std::string Quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04X", static_cast<unsigned>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string PrintReal(double number) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  const std::string digits(text, end);
  return digits.find_first_of(".en") == std::string::npos ? digits + ".0" : digits;
}

std::string Print(const Config& config) {
  std::string out;
  PrintKeys(ConfigKeys(), config, &out);
  out += "\n[limits]\n";
  PrintKeys(LimitKeys(), config.limits, &out);
  out += "\n[spool]\n";
  PrintKeys(SpoolKeys(), config.spool, &out);
  out += "\n[pools]\n";
  for (const core::PoolSpec& pool : config.pools) {
    out += "\n[pools." + Name(pool.name) + "]\n";
    PrintKeys(PoolKeys(), pool, &out);
  }
  return out;
}

}  // namespace poold::config
