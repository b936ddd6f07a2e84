#include "cli/arguments.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "cli/exec_call.h"
#include "cli/text/value.h"
#include "nlohmann/json.hpp"

namespace poold::cli {

absl::StatusOr<std::string> ArgumentsFromWords(const std::vector<std::string>& words, bool strings) {
  Json values = Json::array();
  for (const std::string& word : words) {
    auto value = strings ? absl::StatusOr<Json>(TextValue(word)) : ValueFromWord(word);
    if (!value.ok()) return value.status();
    values.push_back(*std::move(value));
  }
  return MsgpackFromValue(values);
}

namespace {

absl::StatusOr<client::Payload> ExecCallOf(const SubmitOptions& options) {
  if (options.args.empty()) return absl::InvalidArgumentError("submit exec wants a program: submit exec -- ls -l");
  std::string input;
  if (!options.exec.stdin_file.empty()) {
    auto bytes = FileContent(options.exec.stdin_file);
    if (!bytes.ok()) return bytes.status();
    input = *std::move(bytes);
  }
  return ExecArguments(options.args, input, options.exec);
}

}  // namespace

absl::StatusOr<client::Payload> ArgumentsOf(const SubmitOptions& options) {
  if (IsExec(options.function)) return ExecCallOf(options);
  if (options.exec.Any()) return OnlyWithExec(options.function);
  if (!options.raw && !options.raw_file) {
    auto bytes = ArgumentsFromWords(options.args, options.strings);
    if (!bytes.ok()) return bytes.status();
    return client::Payload{.encoding = client::Encoding::kMsgpack, .type_name = "", .data = *std::move(bytes)};
  }
  if (!options.args.empty()) {
    return absl::InvalidArgumentError("--raw and --raw-file stand for all arguments; no others may be given");
  }
  auto bytes = options.raw ? absl::StatusOr<std::string>(*options.raw) : FileContent(*options.raw_file);
  if (!bytes.ok()) return bytes.status();
  return client::Payload{.encoding = client::Encoding::kRaw, .type_name = "", .data = *std::move(bytes)};
}

absl::StatusOr<std::string> FileContent(const std::string& path) {
  std::FILE* file = path == "-" ? stdin : std::fopen(path.c_str(), "rbe");
  if (file == nullptr) return absl::NotFoundError(absl::StrCat(path, ": ", std::strerror(errno)));
  std::string content;
  char block[65536];
  std::size_t count = 0;
  while ((count = std::fread(block, 1, sizeof block, file)) > 0) content.append(block, count);
  const bool failed = std::ferror(file) != 0;
  if (file != stdin) std::fclose(file);
  if (failed) return absl::UnavailableError(absl::StrCat(path, ": cannot be read"));
  return content;
}

}  // namespace poold::cli
