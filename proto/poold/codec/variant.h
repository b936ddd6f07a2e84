// Conversion of std::variant, which travels as the alternative that it holds.
#pragma once

#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "poold/codec/convert.h"

namespace poold::codec {

// std::monostate is nil, and nothing else is.
template <>
struct Convert<std::monostate> : Convert<std::nullptr_t> {
  static void Write(Packer& packer, std::monostate) { packer.pack_nil(); }
  static bool Read(const msgpack::object& value, std::monostate*, Mismatch* mismatch) {
    std::nullptr_t nothing = nullptr;
    return Convert<std::nullptr_t>::Read(value, &nothing, mismatch);
  }
};

// A value is read as the first alternative that is written in exactly this form; otherwise as the first that takes the
// value; otherwise it is refused. So alternatives with the same form (two integers, a vector and a list) arrive as the
// first of them.
template <typename... T>
struct Convert<std::variant<T...>> {
  using Parts = std::tuple<T...>;
  using Variant = std::variant<T...>;
  // "int32 or string".
  static std::string Name() {
    std::string names;
    ((names += (names.empty() ? "" : " or ") + Convert<T>::Name()), ...);
    return names;
  }
  static void Write(Packer& packer, const Variant& value) {
    std::visit([&]<typename Held>(const Held& held) { Convert<Held>::Write(packer, held); }, value);
  }
  // With mismatch->exact only the first of the two rules holds.
  static bool Read(const msgpack::object& value, Variant* out, Mismatch* mismatch) {
    if (ReadFirst(value, /*exact=*/true, out, std::index_sequence_for<T...>())) return true;
    if (!mismatch->exact && ReadFirst(value, /*exact=*/false, out, std::index_sequence_for<T...>())) return true;
    return Refuse<Variant>(value, mismatch);
  }

 private:
  // Reads the first alternative that takes the value.
  template <std::size_t... I>
  static bool ReadFirst(const msgpack::object& value, bool exact, Variant* out, std::index_sequence<I...>) {
    return (ReadAs<I>(value, exact, out) || ...);
  }
  // Reads one alternative. False: `out` is unchanged.
  template <std::size_t I>
  static bool ReadAs(const msgpack::object& value, bool exact, Variant* out) {
    using Alternative = std::variant_alternative_t<I, Variant>;
    Mismatch mismatch;
    mismatch.exact = exact;
    Alternative read{};
    if (!Convert<Alternative>::Read(value, &read, &mismatch)) return false;
    out->template emplace<I>(std::move(read));
    return true;
  }
};

}  // namespace poold::codec
