#include "config/print.h"

#include <charconv>
#include <cstdio>
#include <utility>

#include "config/keys.h"
#include "config/packed_arguments.h"

namespace poold::config {
namespace {

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
      out += std::string(ResourceWords()[static_cast<std::size_t>(kind) - 1]) + " = " + std::to_string(value);
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
