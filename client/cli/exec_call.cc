#include "cli/exec_call.h"

#include <cstdio>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "cli/text/console.h"
#include "cli/text/message_json.h"
#include "cli/text/value.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

constexpr char kItem[] = "{}";

// A value that may be text or {"$bytes": ...}.
std::string BytesOf(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  std::string bytes;
  if (value.is_object() && value.contains("$bytes")) absl::Base64Unescape(value["$bytes"].get<std::string>(), &bytes);
  return bytes;
}

Json Binary(const std::string& bytes) { return Json::binary({bytes.begin(), bytes.end()}); }

}  // namespace

bool IsExec(const std::string& function) { return function == "exec"; }

absl::Status OnlyWithExec(const std::string& function) {
  return absl::InvalidArgumentError(
      absl::StrCat("--stdin, --env and --directory are for the function exec, not for ", function));
}

std::vector<std::string> WithItem(const std::vector<std::string>& words, const std::string& item) {
  std::vector<std::string> argv;
  bool used = false;
  for (std::string word : words) {
    std::size_t at = 0;
    while ((at = word.find(kItem, at)) != std::string::npos) {
      word.replace(at, 2, item);
      at += item.size();
      used = true;
    }
    argv.push_back(std::move(word));
  }
  if (!used) argv.push_back(item);
  return argv;
}

absl::StatusOr<client::Payload> ExecArguments(const std::vector<std::string>& argv, const std::string& stdin_bytes,
                                              const ExecChoices& choices) {
  Json call = Json::array();
  call.push_back(argv);
  if (choices.Any()) {
    call.push_back(stdin_bytes.empty() ? Json() : Binary(stdin_bytes));
    call.push_back(choices.environment);
    call.push_back(choices.directory.empty() ? Json() : Json(choices.directory));
  }
  auto bytes = MsgpackFromValue(call);
  if (!bytes.ok()) return bytes.status();
  return client::Payload{.encoding = client::Encoding::kMsgpack, .type_name = "", .data = *std::move(bytes)};
}

absl::StatusOr<ExecResult> ExecResultFrom(const v1::Payload& result) {
  const Json value = JsonFromPayload(result);
  if (!value.is_object() || !value.contains("exit_status")) {
    return absl::InvalidArgumentError("this function exec is not the built-in one: its result is " + Dump(value));
  }
  return ExecResult{.exit_status = value.value("exit_status", 0),
                    .signal = value.value("signal", 0),
                    .stdout_bytes = BytesOf(value.value("stdout", Json(""))),
                    .stderr_bytes = BytesOf(value.value("stderr", Json("")))};
}

void PrintExec(const ExecResult& result, bool raw) {
  PrintOutput(result.stdout_bytes, stdout, raw);
  std::fflush(stdout);
  PrintOutput(result.stderr_bytes, stderr, raw);
}

}  // namespace poold::cli
