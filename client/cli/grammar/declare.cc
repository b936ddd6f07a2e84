#include "cli/grammar/declare.h"

#include <cctype>
#include <charconv>
#include <utility>

#include "absl/time/time.h"

namespace poold::cli {

CLI::Option* AddDuration(CLI::App* app, const std::string& name, std::optional<Duration>& out,
                         const std::string& about) {
  return AddTime(
      app, name, [&out](Duration span) { out = span; }, about);
}

CLI::Option* AddTime(CLI::App* app, const std::string& name, std::function<void(Duration)> take,
                     const std::string& about) {
  auto parse = [name, take = std::move(take)](const std::string& text) {
    absl::Duration duration;
    if (!absl::ParseDuration(text, &duration) || duration < absl::ZeroDuration()) {
      throw CLI::ValidationError(name, "wants a time with a unit, like 500ms, 10s, 2m or 1h; given: " + text);
    }
    take(absl::ToChronoNanoseconds(duration));
  };
  return app->add_option_function<std::string>(name, parse, about)->type_name("TIME");
}

std::optional<uint64_t> CountFromText(const std::string& text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

CLI::Option* AddNumber(CLI::App* app, const std::string& name, std::function<void(uint64_t)> take,
                       const std::string& about, uint64_t least, uint64_t most) {
  auto parse = [name, take = std::move(take), least, most](const std::string& text) {
    const std::optional<uint64_t> number = CountFromText(text);
    if (!number || *number < least || *number > most) {
      throw CLI::ValidationError(name, "wants a whole number from " + std::to_string(least) + " to " +
                                           std::to_string(most) + "; given: " + text);
    }
    take(*number);
  };
  return app->add_option_function<std::string>(name, parse, about)->type_name("N");
}

std::optional<uint64_t> SizeFromText(const std::string& text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest == text.data()) return std::nullopt;
  std::string unit;
  for (const char* c = rest; c != end; ++c) unit += static_cast<char>(std::toupper(static_cast<unsigned char>(*c)));
  static const std::map<std::string, int> kShifts{{"", 0},     {"B", 0},   {"K", 10},   {"KB", 10}, {"KIB", 10},
                                                  {"M", 20},   {"MB", 20}, {"MIB", 20}, {"G", 30},  {"GB", 30},
                                                  {"GIB", 30}, {"T", 40},  {"TB", 40},  {"TIB", 40}};
  const auto shift = kShifts.find(unit);
  if (shift == kShifts.end() || number > (UINT64_MAX >> shift->second)) return std::nullopt;
  return number << shift->second;
}

CLI::Option* AddBytes(CLI::App* app, const std::string& name, std::function<void(uint64_t)> take,
                      const std::string& about) {
  auto parse = [name, take = std::move(take)](const std::string& text) {
    const std::optional<uint64_t> bytes = SizeFromText(text);
    if (!bytes) throw CLI::ValidationError(name, "wants bytes, like 4096, 64K, 64M or 2G; given: " + text);
    take(*bytes);
  };
  return app->add_option_function<std::string>(name, parse, about)->type_name("SIZE");
}

CLI::Option* AddEach(CLI::App* app, const std::string& name, std::vector<std::string>& out, const std::string& about) {
  return app->add_option(name, out, about)
      ->type_size(1)
      ->allow_extra_args(false)
      ->expected(1, CLI::detail::expected_max_vector_size)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

CLI::Option* AddPairs(CLI::App* app, const std::string& name, std::map<std::string, std::string>& out,
                      const std::string& about) {
  auto parse = [name, &out](const std::vector<std::string>& pairs) {
    for (const std::string& pair : pairs) {
      const std::size_t equals = pair.find('=');
      if (equals == std::string::npos || equals == 0) {
        throw CLI::ValidationError(name, "wants KEY=VALUE; given: " + pair);
      }
      out[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
  };
  return app->add_option_function<std::vector<std::string>>(name, parse, about)
      ->type_size(1)
      ->allow_extra_args(false)
      ->expected(1, CLI::detail::expected_max_vector_size)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("KEY=VALUE");
}

}  // namespace poold::cli
