// The tables of proto/contract against what they drive: nothing is forgotten, and what people read says the same.
//
// POOLD_RECORD_DOC=1 writes the documents anew.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "contract/option.h"
#include "contract/reason.h"
#include "poold/v1/pool_service.pb.h"
#include "poold/v1/session.pb.h"
#include "wire/absl_text.h"

namespace poold {
namespace {

using wire::ToAbsl;

std::string FileOf(const std::string& path) {
  std::ifstream file(std::string(POOLD_SOURCE_DIR) + "/" + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A document that is written from a table.
void ExpectDocument(const std::string& path, const std::string& text) {
  if (std::getenv("POOLD_RECORD_DOC") != nullptr) {
    std::ofstream(std::string(POOLD_SOURCE_DIR) + "/" + path) << text;
  }
  EXPECT_EQ(FileOf(path), text) << path << ": POOLD_RECORD_DOC=1 build/dev/bin/contract_test writes it anew";
}

std::string CodeName(absl::StatusCode code) { return absl::StatusCodeToString(code); }

std::string ReasonRow(const reason::Reason& r) {
  const bool twice = r.other_code != absl::StatusCode::kOk;
  return absl::StrCat("| `", ToAbsl(r.name), "` | ", CodeName(r.code), twice ? ", " : "",
                      twice ? CodeName(r.other_code) : "", " | ", r.retryable ? "yes" : "no", " | ", ToAbsl(r.meaning),
                      " | ", ToAbsl(r.remedy), " |\n");
}

std::string ReasonTable(bool of_daemon) {
  std::string text = "| reason | status code | try again | what has happened | what to do |\n|---|---|---|---|---|\n";
  for (const reason::Reason* r : reason::kAll) {
    if ((r->maker == reason::Maker::kClient) != of_daemon) text += ReasonRow(*r);
  }
  return text;
}

TEST(Reasons, EachIsOneWordAndTwoSentences) {
  std::set<std::string_view> names;
  for (const reason::Reason* r : reason::kAll) {
    EXPECT_TRUE(names.insert(r->name).second) << r->name << " is there twice";
    EXPECT_TRUE(std::all_of(r->name.begin(), r->name.end(), [](char c) { return c == '_' || std::isupper(c) != 0; }))
        << r->name;
    EXPECT_NE(r->code, absl::StatusCode::kOk) << r->name;
    EXPECT_THAT(std::string(r->meaning), testing::EndsWith(".")) << r->name;
    EXPECT_THAT(std::string(r->remedy), testing::EndsWith(".")) << r->name;
  }
}

TEST(Reasons, TheContractListsThoseOfTheDaemon) {
  const std::string contract = FileOf("proto/poold/v1/pool_service.proto");
  const std::size_t begin = contract.find("//   ErrorInfo ");
  std::string list = contract.substr(begin, contract.find("//   RetryInfo ") - begin);
  for (char& c : list) c = c == '_' || std::isupper(static_cast<unsigned char>(c)) != 0 ? c : ' ';
  std::istringstream words(list);
  std::set<std::string> listed;
  for (std::string word; words >> word;) {
    if (word.size() > 3) listed.insert(word);
  }
  std::set<std::string> made;
  for (const reason::Reason* r : reason::kAll) {
    if (r->maker != reason::Maker::kClient) made.insert(std::string(r->name));
  }
  EXPECT_EQ(listed, made);
}

// "//   NAME  CODE  what it says", for each that the SDK makes.
TEST(Reasons, TheSdkListsItsOwnWithTheirCodes) {
  std::istringstream lines(FileOf("client/include/poold/client/status.h"));
  std::set<std::string> listed;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string slashes, name, code;
    if (line.starts_with("//   ") && words >> slashes >> name >> code && name != "reason") {
      listed.insert(absl::StrCat(name, " ", code));
    }
  }
  std::set<std::string> made;
  for (const reason::Reason* r : reason::kAll) {
    if (r->maker != reason::Maker::kDaemon) made.insert(absl::StrCat(ToAbsl(r->name), " ", CodeName(r->code)));
  }
  EXPECT_EQ(listed, made);
}

TEST(Reasons, TheDocumentSaysWhatTheTableSays) {
  ExpectDocument(
      "deploy/doc/reasons.md",
      absl::StrCat(
          "# Reasons of errors\n\nWritten from `proto/contract/reason.h`, the one table of them. A reason is "
          "stable; the message beside it is for\npeople. In gRPC it is `ErrorInfo.reason` (domain `poold`), in "
          "the C++ SDK `poold::client::ReasonOf(status)`; poolctl\nshows it in brackets. \"Try again\" means: the "
          "same call may succeed later, unchanged; `RetryInfo` says when, where the\ndaemon knows.\n\n## From the "
          "daemon\n\n",
          ReasonTable(/*of_daemon=*/true), "\n## From the C++ SDK\n\n", ReasonTable(/*of_daemon=*/false)));
}

// ---- Options ----

using google::protobuf::Descriptor;
using option::Kind;
using option::Option;

std::set<std::string> FieldsOf(const Descriptor* message, const std::set<std::string>& without = {}) {
  std::set<std::string> names;
  for (int i = 0; i < message->field_count(); ++i) {
    if (!without.contains(message->field(i)->name())) names.insert(message->field(i)->name());
  }
  return names;
}

std::set<std::string> NamesOf(std::span<const Option> rows) {
  std::set<std::string> names;
  for (const Option& row : rows) EXPECT_TRUE(names.insert(std::string(row.name)).second) << row.name;
  return names;
}

TEST(Options, EachFieldOfTheContractHasARow) {
  EXPECT_EQ(NamesOf(option::kTaskOptions), FieldsOf(v1::TaskOptions::descriptor()));
  EXPECT_EQ(NamesOf(option::kPoolOptions), FieldsOf(v1::PoolSpec::descriptor()));
  EXPECT_EQ(
      NamesOf(option::kMapOptions),
      FieldsOf(v1::MapRequest::descriptor(), {"pool", "function", "items", "options", "id", "first_index", "more"}));
  EXPECT_EQ(NamesOf(option::kMapOptions),
            FieldsOf(v1::MapGroup::descriptor(), {"pool", "function", "options", "id", "first_index", "item_bytes",
                                                  "items", "encoding", "type_name", "complete"}));
}

TEST(Options, EachRowSaysWhereItIsGivenOrWhyNot) {
  const auto check = [](std::span<const Option> rows, bool has_keys) {
    for (const Option& row : rows) {
      EXPECT_FALSE(row.help.empty()) << row.name;
      EXPECT_FALSE(row.help.ends_with(".")) << row.name << ": whoever shows it adds one";
      EXPECT_TRUE(!row.flag.empty() || !row.elsewhere.empty()) << row.name << " has no flag";
      EXPECT_TRUE(!row.key.empty() || !row.elsewhere.empty() || !has_keys) << row.name << " has no key";
      EXPECT_TRUE(row.flag.empty() || row.flag.starts_with("--")) << row.name;
      EXPECT_LE(row.min, row.max) << row.name;
      const bool words = row.kind == Kind::kChoice || row.kind == Kind::kChoices || row.kind == Kind::kResources;
      EXPECT_EQ(words, !row.words.empty()) << row.name;
    }
  };
  check(option::kTaskOptions, /*has_keys=*/false);
  check(option::kMapOptions, /*has_keys=*/false);
  check(option::kPoolOptions, /*has_keys=*/true);
}

TEST(Options, TheirWordsAreThoseOfTheContract) {
  const auto check = [](const Descriptor* message, std::span<const Option> rows) {
    for (const Option& row : rows) {
      const auto* type = message->FindFieldByName(std::string(row.name))->enum_type();
      if (type == nullptr) continue;
      for (std::size_t i = 0; i < row.words.size(); ++i) {
        const auto* value = type->FindValueByNumber(row.first_number + static_cast<int>(i));
        ASSERT_NE(value, nullptr) << row.name;
        std::string word(row.words[i]);
        for (char& c : word) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        EXPECT_THAT(value->name(), testing::EndsWith("_" + word));
      }
    }
  };
  check(v1::TaskOptions::descriptor(), option::kTaskOptions);
  check(v1::PoolSpec::descriptor(), option::kPoolOptions);
}

const char* KindName(Kind kind) {
  switch (kind) {
    case Kind::kFlag:
      return "yes or no";
    case Kind::kNumber:
      return "number";
    case Kind::kSize:
      return "bytes";
    case Kind::kDuration:
      return "time";
    case Kind::kText:
      return "text";
    case Kind::kTexts:
      return "texts";
    case Kind::kPairs:
      return "texts by name";
    case Kind::kChoice:
      return "one word";
    case Kind::kChoices:
      return "words";
    case Kind::kArguments:
      return "values";
    case Kind::kResources:
      return "numbers by kind";
  }
  return "";
}

// What its value may be.
std::string RangeOf(const Option& row) {
  std::string text = KindName(row.kind);
  if (row.kind == Kind::kDuration) return row.min > 0 ? text + ", above zero" : text;
  if (row.min != 0 && row.max == option::kMost) return absl::StrCat(text, ", at least ", row.min);
  if (row.max != option::kMost) return absl::StrCat(text, ", ", row.min, " to ", row.max);
  for (std::size_t i = 0; i < row.words.size(); ++i) absl::StrAppend(&text, i == 0 ? ": " : ", ", ToAbsl(row.words[i]));
  return text;
}

std::string Code(std::string_view text) { return text.empty() ? "" : absl::StrCat("`", ToAbsl(text), "`"); }

std::string OptionTable(std::span<const Option> rows, bool has_keys) {
  std::string text = absl::StrCat("| option | value | not given | what it says | poolctl |", has_keys ? " key |" : "",
                                  "\n|---|---|---|---|---|", has_keys ? "---|" : "", "\n");
  for (const Option& row : rows) {
    const std::string where = row.flag.empty() ? std::string(row.elsewhere) : Code(row.flag);
    absl::StrAppend(&text, "| ", Code(row.name), " | ", RangeOf(row), " | ", ToAbsl(row.unset), " | ", ToAbsl(row.help),
                    " | ", where, " |", has_keys ? " " + Code(row.key) + " |" : "", "\n");
  }
  return text;
}

TEST(Options, TheDocumentSaysWhatTheTablesSay) {
  ExpectDocument(
      "deploy/doc/options.md",
      absl::StrCat("# Options\n\nWritten from `proto/contract/option.h`, the one table of each set. The names "
                   "are those of `poold/v1/*.proto`, which explain\nthem at length, and of the members of the "
                   "SDK's structs.\n\n## Of a task, and of each item of a map\n\n",
                   OptionTable(option::kTaskOptions, false), "\n## Of a map\n\n",
                   OptionTable(option::kMapOptions, false),
                   "\n## Of a pool\n\n`key` is the key in `[pools.NAME]` of the configuration.\n\n",
                   OptionTable(option::kPoolOptions, true)));
}

}  // namespace
}  // namespace poold
