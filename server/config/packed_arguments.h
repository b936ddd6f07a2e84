// PackedArguments: arguments of an initializer, from TOML to MessagePack and back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace poold::config {

// Appends one MessagePack value after the other. Thread safety: none.
class PackedArguments {
 public:
  void Text(std::string_view text);
  void Integer(std::int64_t number);
  void Real(double number);
  void Boolean(bool truth);
  // Begins an array of the next `size` values.
  void BeginArray(std::size_t size);
  // Begins a map of the next `size` pairs: a Text, then its value.
  void BeginMap(std::size_t size);

  // The values so far.
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// One packed array as a TOML array; "[]" for no bytes. REQUIRES: the bytes are MessagePack.
std::string PrintArguments(std::string_view bytes);

}  // namespace poold::config
