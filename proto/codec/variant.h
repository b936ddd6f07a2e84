// std::variant <-> MessagePack: it travels as the alternative that it holds.
#pragma once

#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "codec/convert.h"

namespace poold::codec {

// What is read becomes the first alternative that is written in just this way; where there is none, the first that
// takes the value; where there is none either, it is refused. So alternatives that look the same on the way (two
// integers, a vector and a list) come back as the first of them.
template <typename... T>
struct Convert<std::variant<T...>> {
  using Parts = std::tuple<T...>;
  using Variant = std::variant<T...>;
  static std::string Name() {
    std::string names;
    ((names += (names.empty() ? "" : " or ") + Convert<T>::Name()), ...);
    return names;
  }
  static void Write(Packer& packer, const Variant& value) {
    std::visit([&]<typename Held>(const Held& held) { Convert<Held>::Write(packer, held); }, value);
  }
  static bool Read(const msgpack::object& value, Variant* out, Mismatch* mismatch) {
    if (ReadFirst(value, /*exact=*/true, out, std::index_sequence_for<T...>())) return true;
    if (!mismatch->exact && ReadFirst(value, /*exact=*/false, out, std::index_sequence_for<T...>())) return true;
    return Refuse<Variant>(value, mismatch);
  }

 private:
  template <std::size_t... I>
  static bool ReadFirst(const msgpack::object& value, bool exact, Variant* out, std::index_sequence<I...>) {
    return (ReadAs<I>(value, exact, out) || ...);
  }
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
