// Whether a type can travel: looked at where a type first comes in, so that the compiler says one sentence.
#pragma once

#include <string>
#include <tuple>
#include <type_traits>

#include "codec/convert.h"

namespace poold::codec {

// What it is to be able to do.
struct Writes {
  template <typename T>
  static constexpr bool kTrue = requires(Packer& packer, const T& value) {
    Convert<T>::Write(packer, value);
  };
};
// Into one that begins empty.
struct Reads {
  template <typename T>
  static constexpr bool kTrue = std::is_default_constructible_v<T>&& requires(const msgpack::object& value, T* out,
                                                                              Mismatch* mismatch) {
    Convert<T>::Read(value, out, mismatch);
  };
};
// Refers to nothing that goes when it has been read.
struct Owns {
  template <typename T>
  static constexpr bool kTrue = !requires {
    Convert<T>::kView;
  };
};

// T and all its parts. The fields of structs are not looked at: a bad one is told where it is written or read.
template <typename Ability, typename T>
consteval bool AllParts();

template <typename Ability, typename Parts>
struct Each;
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

template <typename T>
inline constexpr bool kWritable = AllParts<Writes, T>();
template <typename T>
inline constexpr bool kReadable = AllParts<Reads, T>();
template <typename T>
inline constexpr bool kOwning = AllParts<Owns, T>();

}  // namespace poold::codec
