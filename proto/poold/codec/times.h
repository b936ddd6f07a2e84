// Conversion of std::chrono durations.
//
// A duration travels as a whole number of nanoseconds. A duration that is no such number (its count is a float, its
// unit is finer, it is longer than 292 years) travels as an array [count, numerator, denominator]: count times
// numerator / denominator seconds. So nothing is lost and no unit is guessed. Both are read as a duration of another
// type as chrono converts: to whole counts only where that is exact, to counts that are floats as near as possible. A
// lone float is refused, because it has no unit.
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <ratio>
#include <string>
#include <type_traits>

#include "poold/codec/convert.h"

namespace poold::codec {

// count times numerator / denominator seconds. `whole` is the count where it is set; otherwise `count` is.
struct TravellingTime {
  std::optional<__int128> whole;
  double count = 0;
  std::int64_t numerator = 1;
  std::int64_t denominator = 1;
};

// Nothing: the value is no integer.
inline std::optional<__int128> ReadWhole(const msgpack::object& value) {
  if (value.type == msgpack::type::POSITIVE_INTEGER) return value.via.u64;
  if (value.type == msgpack::type::NEGATIVE_INTEGER) return value.via.i64;
  return std::nullopt;
}

// Reads either form. Nothing: the value is no duration.
inline std::optional<TravellingTime> ReadTime(const msgpack::object& value) {
  TravellingTime time;
  if ((time.whole = ReadWhole(value))) {
    time.denominator = std::nano::den;
    return time;
  }
  if (value.type != msgpack::type::ARRAY || value.via.array.size != 3) return std::nullopt;
  const msgpack::object* const part = value.via.array.ptr;
  Mismatch mismatch;
  time.whole = ReadWhole(part[0]);
  if (!time.whole && !Convert<double>::Read(part[0], &time.count, &mismatch)) return std::nullopt;
  const bool read = Convert<std::int64_t>::Read(part[1], &time.numerator, &mismatch) &&
                    Convert<std::int64_t>::Read(part[2], &time.denominator, &mismatch);
  if (!read || time.numerator <= 0 || time.denominator <= 0) return std::nullopt;
  return time;
}

// value * numerator / denominator. Nothing: the result is no whole number, or 128 bits do not hold it.
inline std::optional<__int128> Scaled(__int128 value, std::int64_t numerator, std::int64_t denominator) {
  __int128 product = 0;
  if (__builtin_mul_overflow(value, static_cast<__int128>(numerator), &product)) return std::nullopt;
  if (product % denominator != 0) return std::nullopt;
  return product / denominator;
}

template <typename Rep, typename Period>
struct Convert<std::chrono::duration<Rep, Period>> {
  using Time = std::chrono::duration<Rep, Period>;
  using Parts = std::tuple<Rep>;

  static std::string Name() { return "duration (whole nanoseconds, or [count, numerator, denominator] of seconds)"; }

  // Writes whole nanoseconds where that is exact, otherwise [count, numerator, denominator].
  static void Write(Packer& packer, const Time& value) {
    if constexpr (std::is_integral_v<Rep>) {
      const std::optional<__int128> nanos = To<std::nano>(value.count(), Period::num, Period::den);
      if (nanos && Fits<std::int64_t>(*nanos)) {
        packer.pack_int64(static_cast<std::int64_t>(*nanos));
        return;
      }
    }
    packer.pack_array(3);
    Convert<Rep>::Write(packer, value.count());
    packer.pack_int64(Period::num).pack_int64(Period::den);
  }

  // Reads either form.
  static bool Read(const msgpack::object& value, Time* out, Mismatch* mismatch) {
    const std::optional<TravellingTime> time = ReadTime(value);
    const std::optional<Rep> count = time ? CountOf(*time) : std::nullopt;
    if (!count) return Refuse<Time>(value, mismatch);
    *out = Time(*count);
    return true;
  }

 private:
  // Whether Number holds the value.
  template <typename Number>
  static bool Fits(__int128 value) {
    return value >= std::numeric_limits<Number>::min() && value <= std::numeric_limits<Number>::max();
  }
  // The count in units of Unit. Nothing: the count is no whole number.
  template <typename Unit>
  static std::optional<__int128> To(__int128 count, std::int64_t numerator, std::int64_t denominator) {
    const std::optional<__int128> product = Scaled(count, numerator, 1);
    const std::optional<__int128> scaled = product ? Scaled(*product, Unit::den, denominator) : std::nullopt;
    return scaled ? Scaled(*scaled, 1, Unit::num) : std::nullopt;
  }
  // The count of this type. Nothing: whole counts do not hold the time exactly.
  static std::optional<Rep> CountOf(TravellingTime time) {
    const bool same = time.numerator == Period::num && time.denominator == Period::den;
    if constexpr (std::is_floating_point_v<Rep>) {
      if (same && !time.whole) return static_cast<Rep>(time.count);
      const long double count = time.whole ? static_cast<long double>(*time.whole) : time.count;
      return static_cast<Rep>(count * time.numerator / time.denominator * Period::den / Period::num);
    } else {
      if (!time.whole && std::trunc(time.count) == time.count && std::abs(time.count) < 0x1p63) time.whole = time.count;
      if (!time.whole) return std::nullopt;
      const auto count = same ? time.whole : To<Period>(*time.whole, time.numerator, time.denominator);
      if (!count || !Fits<Rep>(*count)) return std::nullopt;
      return static_cast<Rep>(*count);
    }
  }
};

}  // namespace poold::codec
