#include "cli/grammar/option_flags.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/grammar/declare.h"
#include "cli/text/state_text.h"
#include "cli/text/text_table.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"

namespace poold::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using OptionKind = option::Kind;
using option::Option;

// A row with its field of a message.
struct Target {
  const Option* row;
  Message* message;
  const FieldDescriptor* field;

  std::string flag() const { return std::string(row->flag); }
  // What complaints name: the flag's last spelling.
  std::string name() const {
    const std::string all = flag();
    return all.substr(all.rfind("--"));
  }
  const google::protobuf::Reflection& reflection() const { return *message->GetReflection(); }
};

void SetNumber(const Target& target, std::int64_t number) {
  switch (target.field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return target.reflection().SetInt32(target.message, target.field, static_cast<std::int32_t>(number));
    case FieldDescriptor::CPPTYPE_UINT32:
      return target.reflection().SetUInt32(target.message, target.field, static_cast<std::uint32_t>(number));
    default:
      return target.reflection().SetUInt64(target.message, target.field, static_cast<std::uint64_t>(number));
  }
}

void SetDuration(const Target& target, Duration span) {
  auto* duration =
      static_cast<google::protobuf::Duration*>(target.reflection().MutableMessage(target.message, target.field));
  duration->set_seconds(std::chrono::duration_cast<std::chrono::seconds>(span).count());
  duration->set_nanos(static_cast<std::int32_t>((span % std::chrono::seconds(1)).count()));
}

// "" of a text that may be given.
std::string Wrong(const Option& row, const std::string& text) {
  return row.check == nullptr ? "" : std::string(row.check(text));
}

void SetText(const Target& target, const std::string& text) {
  if (const std::string wrong = Wrong(*target.row, text); !wrong.empty()) {
    throw CLI::ValidationError(target.name(), text + " " + wrong);
  }
  target.reflection().SetString(target.message, target.field, text);
}

void AddPair(const Target& target, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw CLI::ValidationError(target.name(), "wants KEY=VALUE; given: " + text);
  }
  Message* const entry = target.reflection().AddMessage(target.message, target.field);
  const auto set = [entry](const char* part, const std::string& value) {
    entry->GetReflection()->SetString(entry, entry->GetDescriptor()->FindFieldByName(part), value);
  };
  set("key", text.substr(0, equals));
  set("value", text.substr(equals + 1));
}

void AddWord(const Target& target, const std::string& word) {
  std::string lower = word;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto& words = target.row->words;
  const int number =
      target.row->first_number + static_cast<int>(std::find(words.begin(), words.end(), lower) - words.begin());
  if (target.field->is_repeated()) {
    target.reflection().AddEnumValue(target.message, target.field, number);
  } else {
    target.reflection().SetEnumValue(target.message, target.field, number);
  }
}

CLI::Option* AddOne(CLI::App* app, const Target& target, void (*set)(const Target&, const std::string&)) {
  return app->add_option_function<std::string>(
      target.flag(), [target, set](const std::string& text) { set(target, text); }, AboutOption(*target.row));
}

CLI::Option* AddMany(CLI::App* app, const Target& target, void (*add)(const Target&, const std::string&)) {
  auto take = [target, add](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) add(target, text);
  };
  return app->add_option_function<std::vector<std::string>>(target.flag(), take, AboutOption(*target.row))
      ->type_size(1)
      ->allow_extra_args(false)
      ->expected(1, CLI::detail::expected_max_vector_size)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

CLI::Option* AddWholeNumber(CLI::App* app, const Target& target) {
  const Option& row = *target.row;
  if (row.min >= 0) {
    const std::uint64_t most = row.max == option::kMost ? UINT64_MAX : static_cast<std::uint64_t>(row.max);
    return AddNumber(
        app, target.flag(), [target](uint64_t number) { SetNumber(target, static_cast<std::int64_t>(number)); },
        AboutOption(row), static_cast<std::uint64_t>(row.min), most);
  }
  return AddOne(app, target,
                [](const Target& t, const std::string& text) {
                  std::int64_t number = 0;
                  const char* const end = text.data() + text.size();
                  const auto [rest, error] = std::from_chars(text.data(), end, number);
                  if (error != std::errc() || rest != end || number < t.row->min || number > t.row->max) {
                    throw CLI::ValidationError(t.name(), absl::StrCat("wants a whole number from ", t.row->min, " to ",
                                                                      t.row->max, "; given: ", text));
                  }
                  SetNumber(t, number);
                })
      ->type_name("N");
}

CLI::Option* Declare(CLI::App* app, const Target& target) {
  const Option& row = *target.row;
  switch (row.kind) {
    case OptionKind::kFlag:
      return app->add_flag_callback(
          target.flag(), [target] { target.reflection().SetBool(target.message, target.field, true); },
          AboutOption(row));
    case OptionKind::kNumber:
      return AddWholeNumber(app, target);
    case OptionKind::kSize:
      return AddBytes(
          app, target.flag(), [target](uint64_t bytes) { SetNumber(target, static_cast<std::int64_t>(bytes)); },
          AboutOption(row));
    case OptionKind::kDuration:
      return AddTime(
          app, target.flag(), [target](Duration span) { SetDuration(target, span); }, AboutOption(row));
    case OptionKind::kText:
      return AddOne(app, target, SetText)->type_name("TEXT");
    case OptionKind::kTexts:
      return AddMany(app, target, [](const Target& t, const std::string& text) {
        t.reflection().AddString(t.message, t.field, text);
      });
    case OptionKind::kPairs:
      return AddMany(app, target, AddPair)->type_name("KEY=VALUE");
    case OptionKind::kChoice:
    case OptionKind::kChoices: {
      const std::vector<std::string> words(row.words.begin(), row.words.end());
      CLI::Option* const added =
          row.kind == OptionKind::kChoice ? AddOne(app, target, AddWord) : AddMany(app, target, AddWord);
      return added->check(CLI::IsMember(words, CLI::ignore_case));
    }
    case OptionKind::kArguments:
    case OptionKind::kResources:
      return nullptr;
  }
  return nullptr;
}

// What our own environment says, if that makes sense.
void TakeVariable(const Target& target) {
  const char* const text = std::getenv(std::string(target.row->variable).c_str());
  if (text != nullptr && Wrong(*target.row, text).empty()) SetText(target, text);
}

// "" of what is as if it was not given.
std::string ValueText(const Option& row, const Message& message, const FieldDescriptor* field) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (field->is_repeated() || !reflection.HasField(message, field)) return "";
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return "yes";
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(reflection.GetInt32(message, field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(reflection.GetUInt32(message, field));
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.GetString(message, field);
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      if (row.kind != OptionKind::kDuration) return "";
      const double seconds =
          Seconds(static_cast<const google::protobuf::Duration&>(reflection.GetMessage(message, field)));
      return seconds > 0 ? SpanText(seconds) : "";
    }
    default:
      return "";
  }
}

}  // namespace

void AddOptions(CLI::App* app, std::span<const Option> rows, Message* message) {
  for (const Option& row : rows) {
    if (row.flag.empty()) continue;
    const Target target{&row, message, message->GetDescriptor()->FindFieldByName(std::string(row.name))};
    CLI::Option* const added = Declare(app, target);
    if (added != nullptr && !row.placeholder.empty()) added->type_name(std::string(row.placeholder));
    if (!row.variable.empty()) TakeVariable(target);
  }
}

std::string AboutOption(const Option& row) {
  std::string about(row.help);
  if (row.kind == OptionKind::kTexts || row.kind == OptionKind::kPairs || row.kind == OptionKind::kChoices)
    about += "; may be repeated";
  const std::string otherwise = row.variable.empty() ? std::string(row.unset) : "$" + std::string(row.variable);
  if (!otherwise.empty()) about += " (" + otherwise + ")";
  return about;
}

std::string ToldOptions(std::span<const Option> rows, const Message& message) {
  std::string text;
  for (const Option& row : rows) {
    if (row.told.empty()) continue;
    const std::string value = ValueText(row, message, message.GetDescriptor()->FindFieldByName(std::string(row.name)));
    if (value.empty() || value == row.unset) continue;
    std::string told(row.told);
    if (const std::size_t mark = told.find('%'); mark != std::string::npos) told.replace(mark, 1, value);
    absl::StrAppend(&text, text.empty() ? "" : ", ", told);
  }
  return text;
}

}  // namespace poold::cli
