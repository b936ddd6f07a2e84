// POOLD_FIELDS: makes a struct travel as MessagePack.
//
// Example:
//   struct Point { double x = 0; double y = 0; };
//   POOLD_FIELDS(Point, x, y)          // in Point's namespace, behind it; up to 256 fields
//
// The struct is written as a map from field name to value. The struct is read from such a map (unknown names are passed
// over, a missing name leaves the field as the default constructor made it) or from an array with all fields in order.
#pragma once

#include <concepts>
#include <type_traits>

// The macros with a trailing underscore apply POOLD_EACH_FIELD_ to each field; users do not call them.
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

// Defines PooldVisitFields(value, visit), which calls visit(name, field) for each field in order.
#define POOLD_FIELDS(Type, ...)                                \
  template <typename Self, typename Visit>                     \
  requires std::same_as<std::remove_const_t<Self>, Type>       \
  constexpr void PooldVisitFields(Self& self, Visit&& visit) { \
    __VA_OPT__(POOLD_EXPAND_(POOLD_EACH_FIELD_(__VA_ARGS__)))  \
  }                                                            \
  static_assert(true, "so that a semicolon may follow")
