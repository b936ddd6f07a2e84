#include "engine/client_names.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "wire/readable.h"

namespace poold::engine {
namespace {

std::string Printable(std::string_view name) {
  if (name.size() > ClientNames::kMaxNameBytes) {
    std::size_t end = ClientNames::kMaxNameBytes;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;
    name = name.substr(0, end);
  }
  std::string out = wire::ToUtf8(name);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

std::string Hexadecimal(core::ClientId client) {
  return absl::StrCat(absl::Hex(static_cast<std::uint64_t>(client), absl::kZeroPad16));
}

std::optional<core::ClientId> FromHexadecimal(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  const core::ClientId client{number};
  if (error != std::errc() || end != text.data() + text.size() || Hexadecimal(client) != text) return std::nullopt;
  return client;
}

}  // namespace

void ClientNames::Learn(core::ClientId client, std::string_view name) {
  if (name.empty() || client == core::ClientId{}) return;
  std::string printable = Printable(name);
  absl::MutexLock lock(&mu_);
  const auto found = places_.find(client);
  if (found != places_.end()) {
    found->second->name = std::move(printable);
    known_.splice(known_.begin(), known_, found->second);
    return;
  }
  if (known_.size() == kMaxNames) {
    places_.erase(known_.back().client);
    known_.pop_back();
  }
  known_.push_front({client, std::move(printable)});
  places_.emplace(client, known_.begin());
}

std::string ClientNames::Shown(core::ClientId client) const {
  if (client == core::ClientId{}) return "";
  absl::MutexLock lock(&mu_);
  const auto found = places_.find(client);
  return found == places_.end() ? Hexadecimal(client) : found->second->name;
}

std::vector<core::ClientId> ClientNames::WithName(std::string_view shown) const {
  std::vector<core::ClientId> out;
  const std::optional<core::ClientId> number = FromHexadecimal(shown);
  absl::MutexLock lock(&mu_);
  for (const Known& known : known_) {
    if (known.name == shown) out.push_back(known.client);
  }
  if (number && !places_.contains(*number)) out.push_back(*number);
  return out;
}

}  // namespace poold::engine
