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
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "contract/reason.h"
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

}  // namespace
}  // namespace poold
