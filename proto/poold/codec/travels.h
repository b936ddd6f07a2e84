// kWritable, kReadable and kOwning: whether a type can travel. Checked where a type first comes in, so that the
// compiler's error is one sentence.
#pragma once

#include <string>
#include <tuple>
#include <type_traits>

#include "poold/codec/convert.h"

namespace poold::codec {

// The ability to be written: Convert<T>::Write.
struct Writes {
  template <typename T>
  static constexpr bool kTrue = requires(Packer& packer, const T& value) {
    Convert<T>::Write(packer, value);
  };
};
// The ability to be read into a default-constructed value: Convert<T>::Read.
struct Reads {
  template <typename T>
  static constexpr bool kTrue = std::is_default_constructible_v<T>&& requires(const msgpack::object& value, T* out,
                                                                              Mismatch* mismatch) {
    Convert<T>::Read(value, out, mismatch);
  };
};
// The ability to outlive the bytes that it was read from.
struct Owns {
  template <typename T>
  static constexpr bool kTrue = !requires {
    Convert<T>::kView;
  };
};

// Whether T and all its parts have the ability. The fields of structs are not checked: the compiler reports a bad field
// where the struct is written or read.
template <typename Ability, typename T>
consteval bool AllParts();

// Whether every type of a tuple has the ability.
template <typename Ability, typename Parts>
struct Each;
// An empty tuple has every ability.
template <typename Ability, typename... T>
struct Each<Ability, std::tuple<T...>> {
  static constexpr bool kTrue = (AllParts<Ability, T>() && ...);
};

template <typename Ability, typename T>
consteval bool AllParts() {
  if constexpr (std::is_base_of_v<CannotTravel, Convert<T>>) return false;
  if constexpr (!Ability::template kTrue<T>) return false;
  if constexpr (requires { typename Convert<T>::Parts; }) return Each<Ability, typename Convert<T>::Parts>::kTrue;
  return true;
}

// Whether a T can be an argument or a function's result.
template <typename T>
inline constexpr bool kWritable = AllParts<Writes, T>();
// Whether a T can be a parameter or a client's result.
template <typename T>
inline constexpr bool kReadable = AllParts<Reads, T>();
// Whether a T owns everything that it holds.
template <typename T>
inline constexpr bool kOwning = AllParts<Owns, T>();

}  // namespace poold::codec
