#include "cli/items/item_source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "cli/text/value.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

std::string Text(const client::Payload& item) { return Dump(*ValueFromMsgpack(item.data)); }

// Every item as JSON, then the complaint if there was one.
std::vector<std::string> AllOf(const MapOptions& options) {
  auto source = ItemSource::Open(options);
  if (!source.ok()) return {std::string(source.status().message())};
  std::vector<std::string> all;
  while (true) {
    auto item = (*source)->Next();
    if (!item.ok()) all.emplace_back(item.status().message());
    if (!item.ok() || !item->has_value()) return all;
    all.push_back(Text(**item));
  }
}

class ItemsOfAFile : public ::testing::Test {
 protected:
  ItemsOfAFile() { close(mkstemp(path_.data())); }
  ~ItemsOfAFile() override { unlink(path_.c_str()); }
  MapOptions With(const std::string& content) {
    std::ofstream(path_, std::ios::binary) << content;
    MapOptions options;
    options.function = "f";
    options.file = path_;
    return options;
  }

  std::string path_ = ::testing::TempDir() + "items-XXXXXX";
};

using Texts = std::vector<std::string>;

TEST(ItemSource, WordsAreOneArgumentEach) {
  MapOptions options{.function = "f", .words = {"1", "two", "[3]"}};
  EXPECT_EQ(AllOf(options), (Texts{"[1]", "[\"two\"]", "[[3]]"}));
}

TEST(ItemSource, ColumnsAreSeveralArguments) {
  MapOptions options{.function = "f", .words = {"1", "2", ":::", "10", "20", ":::", "x", "y"}};
  EXPECT_EQ(AllOf(options), (Texts{"[1,10,\"x\"]", "[2,20,\"y\"]"}));
}

TEST(ItemSource, ColumnsOfDifferentLengthAreRefused) {
  MapOptions options{.function = "f", .words = {"1", "2", ":::", "10"}};
  EXPECT_EQ(AllOf(options), (Texts{"the columns between ::: are not of one length: 2 items and 1"}));
}

TEST(ItemSource, AStarSpreadsAnArray) {
  MapOptions options{.function = "f", .words = {"[1,\"a\"]"}};
  options.shape.star = true;
  EXPECT_EQ(AllOf(options), (Texts{"[1,\"a\"]"}));
  options.words.push_back("7");
  EXPECT_NE(AllOf(options).back().find("item 1: --star wants an array"), std::string::npos);
}

TEST_F(ItemsOfAFile, AreItsLinesAlsoTheLastWithoutItsEnd) {
  EXPECT_EQ(AllOf(With("1\na b\n\n2")), (Texts{"[1]", "[\"a b\"]", "[\"\"]", "[2]"}));
  EXPECT_EQ(AllOf(With("")), Texts());
}

TEST_F(ItemsOfAFile, MayEndWithANul) {
  MapOptions options = With(std::string("a\nb\0c\0", 6));
  options.null_separated = true;
  EXPECT_EQ(AllOf(options), (Texts{"[\"a\\nb\"]", "[\"c\"]"}));
}

TEST_F(ItemsOfAFile, OfJsonLinesMustBeJsonAndMayHaveEmptyLines) {
  MapOptions options = With("{\"a\":1}\n\n7\n");
  options.shape.json = true;
  EXPECT_EQ(AllOf(options), (Texts{"[{\"a\":1}]", "[7]"}));
  options = With("7\nseven\n8\n");
  options.shape.json = true;
  const Texts all = AllOf(options);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0], "[7]");
  EXPECT_EQ(all[1].rfind("item 1: ", 0), 0u) << all[1];
}

TEST_F(ItemsOfAFile, MayBeSeveralArgumentsALine) {
  MapOptions options = With("1, 2\n3,x\n");
  options.shape.delimiter = ",";
  EXPECT_EQ(AllOf(options), (Texts{"[1,2]", "[3,\"x\"]"}));
}

TEST_F(ItemsOfAFile, CanBeTextWhateverTheyLookLike) {
  MapOptions options = With("7\n[1]\n");
  options.shape.strings = true;
  EXPECT_EQ(AllOf(options), (Texts{"[\"7\"]", "[\"[1]\"]"}));
}

TEST_F(ItemsOfAFile, AreWordsOfAProgramWithExec) {
  MapOptions options = With("a b\n7\n");
  options.function = "exec";
  options.words = {"cp", "{}", "{}.old"};
  EXPECT_EQ(AllOf(options), (Texts{"[[\"cp\",\"a b\",\"a b.old\"]]", "[[\"cp\",\"7\",\"7.old\"]]"}));
  options.words = {"gzip"};
  EXPECT_EQ(AllOf(options).back(), "[[\"gzip\",\"7\"]]");
  options.exec.directory = "/tmp";
  EXPECT_EQ(AllOf(options).back(), "[[\"gzip\",\"7\"],null,{},\"/tmp\"]");
}

TEST(ItemSource, AFileThatIsNotThereIsNamed) {
  MapOptions options{.function = "f", .file = "/no/such/items"};
  auto source = ItemSource::Open(options);
  EXPECT_EQ(source.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(source.status().message(), "/no/such/items: No such file or directory");
}

TEST(ItemSource, ExecsOptionsAreForExec) {
  MapOptions options{.function = "square", .words = {"1"}};
  options.exec.directory = "/tmp";
  EXPECT_EQ(AllOf(options), (Texts{"--stdin, --env and --directory are for the function exec, not for square"}));
}

TEST(ItemSource, ThatWaitsForInputCanBeAbandoned) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  MapOptions options{.function = "f", .file = "/proc/self/fd/" + std::to_string(ends[0])};
  auto source = ItemSource::Open(options);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_FALSE((*source)->Ready());
  std::thread other([&] { (*source)->Abandon(); });
  EXPECT_EQ((*source)->Next().value(), std::nullopt);
  other.join();
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace poold::cli
