#include "poold/client/handle_id.h"

#include <random>

namespace poold::client {
namespace {

void Append(std::string* out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift));
}

std::uint64_t Read(std::string_view bytes) {
  std::uint64_t value = 0;
  for (char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string HandleId::ToBytes() const {
  std::string bytes;
  Append(&bytes, high);
  Append(&bytes, low);
  return bytes;
}

std::string HandleId::ToHex() const {
  std::string hex;
  for (char byte : ToBytes()) {
    hex.push_back("0123456789abcdef"[static_cast<unsigned char>(byte) >> 4]);
    hex.push_back("0123456789abcdef"[static_cast<unsigned char>(byte) & 15]);
  }
  return hex;
}

std::optional<HandleId> HandleId::FromBytes(std::string_view bytes) {
  if (bytes.size() != 16) return std::nullopt;
  return HandleId{Read(bytes.substr(0, 8)), Read(bytes.substr(8))};
}

std::optional<HandleId> HandleId::FromHex(std::string_view hex) {
  std::string bytes;
  int high = -1;
  for (char c : hex) {
    if (c == '-') continue;
    const int digit = Digit(c);
    if (digit < 0) return std::nullopt;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<char>(high << 4 | digit));
      high = -1;
    }
  }
  return high < 0 ? FromBytes(bytes) : std::nullopt;
}

HandleId HandleId::Random() {
  std::random_device device;
  auto word = [&device] { return std::uint64_t{device()} << 32 | device(); };
  return {word(), word()};
}

}  // namespace poold::client
