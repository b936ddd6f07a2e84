#include "exec_function.h"

#include <string>
#include <utility>

#include "poold/codec/codec.h"
#include "program_run.h"
#include "wire/absl_text.h"

namespace poold::worker {
namespace {

// The result's own frame around the outputs.
constexpr std::uint64_t kFrameBytes = 128;

void Append(std::string* out, const ProgramEnd& end) {
  codec::StringSink sink{out};
  codec::Packer packer(sink);
  packer.pack_map(4);
  const auto field = [&](const char* name, const auto& value) {
    codec::Convert<const char*>::Write(packer, name);
    codec::Convert<std::decay_t<decltype(value)>>::Write(packer, value);
  };
  field("exit_status", end.exit_status);
  field("signal", end.signal);
  field("stdout", end.standard_output);
  field("stderr", end.standard_error);
}

bool HasZero(const std::string& text) { return text.find('\0') != std::string::npos; }

// Why it is no argument list; empty: `program` has it.
std::string ReadArguments(const msgpack::object& list, Program* program) {
  if (list.type != msgpack::type::ARRAY || list.via.array.size < 1 || list.via.array.size > 4) {
    return "wanted 1 to 4 arguments (argv, stdin, environment, directory), given " + codec::Describe(list);
  }
  codec::Mismatch mismatch;
  std::optional<std::map<std::string, std::string>> environment;
  std::string wrong;
  const auto read = [&](std::uint32_t place, auto* into) {
    using Value = std::remove_pointer_t<decltype(into)>;
    if (place >= list.via.array.size) return true;
    if (codec::Convert<Value>::Read(list.via.array.ptr[place], into, &mismatch)) return true;
    wrong = "argument " + std::to_string(place + 1) + ": " + mismatch.Text();
    return false;
  };
  if (!read(0, &program->argv) || !read(1, &program->standard_input) || !read(2, &environment) ||
      !read(3, &program->directory)) {
    return wrong;
  }
  if (environment) program->environment = *std::move(environment);
  if (program->argv.empty() || program->argv[0].empty()) return "argument 1: argv names no program";
  bool zero = program->directory && HasZero(*program->directory);
  for (const std::string& text : program->argv) zero |= HasZero(text);
  for (const auto& [name, value] : program->environment) {
    zero |= HasZero(name + value);
    if (name.empty() || name.find('=') != std::string::npos) return "argument 3: '" + name + "' is no variable's name";
  }
  return zero ? "no argument but stdin may hold a zero byte" : "";
}

void Refuse(const std::string& why, Reply* reply) {
  reply->failure = TaskFailure{"poold.ArgumentError", "exec: " + why, "", 0};
}

void Exec(const Call& call, std::uint64_t max_output_bytes, Reply* reply) {
  if (call.encoding != Encoding::kMsgpack) {
    return Refuse("wanted arguments encoded as msgpack, given " + EncodingName(call.encoding), reply);
  }
  Program program;
  program.max_output_bytes = max_output_bytes;
  std::string wrong;
  const absl::Status parsed =
      codec::VisitValue(call.args, [&](const msgpack::object& list) { wrong = ReadArguments(list, &program); });
  if (!parsed.ok()) wrong = std::string(parsed.message());
  if (!wrong.empty()) return Refuse(wrong, reply);

  const auto end = RunProgram(program);
  if (end.ok()) return Append(&reply->data, *end);
  const bool too_much = end.status().code() == absl::StatusCode::kResourceExhausted;
  reply->failure = TaskFailure{too_much ? "poold.ResultError" : "poold.ExecError",
                               std::string(wire::ToStd(end.status().message())), "", end.status().raw_code()};
}

}  // namespace

Function MakeExecFunction(std::uint64_t max_result_bytes) {
  const std::uint64_t most = max_result_bytes > kFrameBytes ? max_result_bytes - kFrameBytes : 0;
  return {"exec",
          "exec(argv, stdin, environment, directory): runs a program; exit_status, signal, stdout, stderr",
          "",
          [most](const Call& call, Reply* reply) { Exec(call, most, reply); },
          {"array of string", "bytes or nil", "map from string to string", "string or nil"},
          "map from string to any value"};
}

}  // namespace poold::worker
