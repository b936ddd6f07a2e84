// A struct opts in to travel as MessagePack:
//
//   struct Point { double x = 0; double y = 0; };
//   POOLD_FIELDS(Point, x, y)          // in Point's namespace, behind it; up to 256 fields
//
// It is written as a map from field name to value. Read are such a map (unknown names are passed over, a name that is
// missing leaves the field as the default constructor made it) and an array with all fields in order.
#pragma once

#include <concepts>
#include <type_traits>

#define POOLD_PARENS_ ()
#define POOLD_EXPAND_(...) POOLD_EXPAND4_(POOLD_EXPAND4_(POOLD_EXPAND4_(POOLD_EXPAND4_(__VA_ARGS__))))
#define POOLD_EXPAND4_(...) POOLD_EXPAND3_(POOLD_EXPAND3_(POOLD_EXPAND3_(POOLD_EXPAND3_(__VA_ARGS__))))
#define POOLD_EXPAND3_(...) POOLD_EXPAND2_(POOLD_EXPAND2_(POOLD_EXPAND2_(POOLD_EXPAND2_(__VA_ARGS__))))
#define POOLD_EXPAND2_(...) POOLD_EXPAND1_(POOLD_EXPAND1_(POOLD_EXPAND1_(POOLD_EXPAND1_(__VA_ARGS__))))
#define POOLD_EXPAND1_(...) __VA_ARGS__
#define POOLD_EACH_FIELD_(field, ...) \
  visit(#field, self.field);          \
  __VA_OPT__(POOLD_EACH_FIELD_AGAIN_ POOLD_PARENS_(__VA_ARGS__))
#define POOLD_EACH_FIELD_AGAIN_() POOLD_EACH_FIELD_

#define POOLD_FIELDS(Type, ...)                                \
  template <typename Self, typename Visit>                     \
  requires std::same_as<std::remove_const_t<Self>, Type>       \
  constexpr void PooldVisitFields(Self& self, Visit&& visit) { \
    __VA_OPT__(POOLD_EXPAND_(POOLD_EACH_FIELD_(__VA_ARGS__)))  \
  }                                                            \
  static_assert(true, "so that a semicolon may follow")
