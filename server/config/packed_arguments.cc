#include "config/packed_arguments.h"

#include <sstream>
#include <utility>

#include "config/toml.h"
#include "poold/codec/parse.h"

namespace poold::config {
namespace {

void PrintValue(const msgpack::object& value, std::ostream& out) {
  const char* separator = "";
  switch (value.type) {
    case msgpack::type::ARRAY:
      out << '[';
      for (const msgpack::object& item : value.via.array) {
        out << std::exchange(separator, ", ");
        PrintValue(item, out);
      }
      out << ']';
      return;
    case msgpack::type::MAP:
      out << '{';
      for (const msgpack::object_kv& entry : value.via.map) {
        out << std::exchange(separator, ", ");
        PrintValue(entry.key, out);
        out << " = ";
        PrintValue(entry.val, out);
      }
      out << '}';
      return;
    case msgpack::type::STR:
      out << Quote(std::string_view(value.via.str.ptr, value.via.str.size));
      return;
    case msgpack::type::FLOAT64:
      out << PrintReal(value.via.f64);
      return;
    default:
      out << value;
      return;  // numbers and booleans look the same there
  }
}

}  // namespace

void PackedArguments::Text(std::string_view text) {
  codec::StringSink sink{&bytes_};
  codec::Packer(sink).pack_str(text.size()).pack_str_body(text.data(), text.size());
}

void PackedArguments::Integer(std::int64_t number) {
  codec::StringSink sink{&bytes_};
  codec::Packer(sink).pack_int64(number);
}

void PackedArguments::Real(double number) {
  codec::StringSink sink{&bytes_};
  codec::Packer(sink).pack_double(number);
}

void PackedArguments::Boolean(bool truth) {
  codec::StringSink sink{&bytes_};
  truth ? codec::Packer(sink).pack_true() : codec::Packer(sink).pack_false();
}

void PackedArguments::BeginArray(std::size_t size) {
  codec::StringSink sink{&bytes_};
  codec::Packer(sink).pack_array(size);
}

void PackedArguments::BeginMap(std::size_t size) {
  codec::StringSink sink{&bytes_};
  codec::Packer(sink).pack_map(size);
}

std::string PrintArguments(std::string_view bytes) {
  if (bytes.empty()) return "[]";
  std::ostringstream out;
  const msgpack::object_handle arguments = msgpack::unpack(bytes.data(), bytes.size());
  PrintValue(arguments.get(), out);
  return out.str();
}

}  // namespace poold::config
