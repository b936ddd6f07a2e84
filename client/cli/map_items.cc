#include "cli/map_items.h"

#include "absl/strings/str_cat.h"
#include "cli/arguments.h"
#include "cli/value.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

absl::StatusOr<std::vector<std::string>> WordsOf(const MapOptions& options) {
  if (!options.items.empty()) {
    if (options.file.empty()) return options.items;
    return absl::InvalidArgumentError("items were given and --file too; one of them must go");
  }
  auto content = FileContent(options.file.empty() ? "-" : options.file);
  if (!content.ok()) return content.status();
  std::vector<std::string> lines;
  std::size_t begin = 0;
  while (begin < content->size()) {
    std::size_t end = content->find('\n', begin);
    if (end == std::string::npos) end = content->size();
    lines.push_back(content->substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// The arguments of one call: an array.
absl::StatusOr<Json> CallOf(const std::string& word, const MapOptions& options) {
  if (options.strings) return Json::array({TextValue(word)});
  auto value = options.arrays ? ValueFromJson(word) : ValueFromWord(word);
  if (!value.ok()) return value.status();
  if (!options.arrays) {
    Json call = Json::array();
    call.push_back(*std::move(value));
    return call;
  }
  if (!value->is_array()) return absl::InvalidArgumentError("--arrays wants an array of arguments, like [1,2]");
  return value;
}

}  // namespace

absl::StatusOr<std::vector<client::Payload>> ItemsOf(const MapOptions& options) {
  auto words = WordsOf(options);
  if (!words.ok()) return words.status();
  std::vector<client::Payload> items;
  items.reserve(words->size());
  for (const std::string& word : *words) {
    auto call = CallOf(word, options);
    absl::StatusOr<std::string> bytes = call.ok() ? MsgpackFromValue(*call) : call.status();
    if (!bytes.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("item ", items.size(), ": ", std::string(bytes.status().message())));
    }
    items.push_back({.encoding = v1::ENCODING_MSGPACK, .type_name = "", .data = *std::move(bytes)});
  }
  return items;
}

}  // namespace poold::cli
