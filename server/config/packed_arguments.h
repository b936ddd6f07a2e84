// The arguments of an initializer, from the configuration's language to MessagePack and back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace poold::config {

// Writes values one behind the other.
class PackedArguments {
 public:
  void Text(std::string_view text);
  void Integer(std::int64_t number);
  void Real(double number);
  void Boolean(bool truth);
  // The next `size` values (of a map: `size` names, each with its value) belong to it.
  void BeginArray(std::size_t size);
  void BeginMap(std::size_t size);

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// One packed array as a TOML array; "[]" for nothing.
std::string PrintArguments(std::string_view bytes);

}  // namespace poold::config
