// What a request costs is known before it is parsed.
#include "api/received.h"

#include <gmock/gmock.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <string>

#include "core/errors.h"
#include "poold/v1/pool_service.pb.h"
#include "poold/v1/session.pb.h"
#include "wire/absl_text.h"

namespace poold::api {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kMost = 65'536;

std::string Repeated(std::string_view entry, std::size_t times) {
  std::string bytes;
  for (std::size_t i = 0; i < times; ++i) bytes += entry;
  return bytes;
}

template <typename Message>
class ReceivedOf : public ::testing::Test {
 protected:
  void Parse(std::string_view bytes) {
    // In pieces, as they come from the wire.
    received_.ParseStream(bytes.size(), [bytes] {
      return google::protobuf::io::ArrayInputStream(bytes.data(), static_cast<int>(bytes.size()), 1000);
    });
  }
  std::string Reason() const { return core::DetailOf(received_.status()).reason; }
  std::string_view Text() const { return wire::ToStd(received_.status().message()); }

  const ServiceOptions options_;
  Received<Message> received_{options_};
};

using ReceivedSession = ReceivedOf<v1::SessionRequest>;
using ReceivedSubmit = ReceivedOf<v1::SubmitRequest>;

TEST_F(ReceivedSession, AsManyGroupsAsACallMayHaveAreTaken) {
  Parse(Repeated({"\x1a\x00", 2}, kMost));
  EXPECT_TRUE(received_.status().ok()) << received_.status();
  EXPECT_EQ(received_.message().map_size(), static_cast<int>(kMost));
}

TEST_F(ReceivedSession, MoreEmptyGroupsAreRefusedByTheNameOfTheirList) {
  Parse(Repeated({"\x1a\x00", 2}, kMost + 1));
  EXPECT_EQ(Reason(), "TOO_MANY");
  EXPECT_THAT(Text(), HasSubstr("map: 65537"));
  EXPECT_EQ(received_.message().map_size(), 0);
  Parse(Repeated({"\x12\x00", 2}, 2'000'000));
  EXPECT_THAT(Text(), HasSubstr("submit: 2000000"));
  Parse(Repeated({"\x3a\x00", 2}, 100'000));
  EXPECT_THAT(Text(), HasSubstr("consumed: 100000"));
}

TEST_F(ReceivedSession, PackedNumbersWithoutEndAreRefused) {
  v1::SessionRequest request;
  for (int i = 0; i < 6'000'000; ++i) request.mutable_release()->add_count(0);
  Parse(request.SerializeAsString());
  EXPECT_EQ(Reason(), "TOO_MANY");
  EXPECT_THAT(Text(), HasSubstr("SessionRequest"));
}

TEST_F(ReceivedSession, FieldsThatNobodyKnowsCount) {
  Parse(Repeated({"\xf8\x01\x01", 3}, 600'000));  // numbers
  EXPECT_EQ(Reason(), "TOO_MANY");
  Parse(Repeated({"\xfa\x01\x00", 3}, 600'000));  // empty texts
  EXPECT_EQ(Reason(), "TOO_MANY");
  Parse(Repeated({"\x10\x01", 2}, 600'000));  // a list of messages as numbers
  EXPECT_EQ(Reason(), "TOO_MANY");
  Parse(Repeated({"\xfb\x01\xfc\x01", 4}, 100'000));  // groups, which the contract has none of
  EXPECT_EQ(Reason(), "INVALID_FIELD");
}

TEST_F(ReceivedSession, TheNextMessageIsTakenAfterARefusal) {
  Parse(Repeated({"\x1a\x00", 2}, kMost + 1));
  v1::SessionRequest request;
  request.add_submit()->set_args(std::string(100'000, 'x'));
  Parse(request.SerializeAsString());
  EXPECT_TRUE(received_.status().ok()) << received_.status();
  EXPECT_EQ(received_.message().submit(0).args().size(), 100'000u);
}

TEST_F(ReceivedSession, ManyBytesAreFewParts) {
  v1::SessionRequest request;
  v1::TaskGroup& group = *request.add_submit();
  for (std::size_t i = 0; i < kMost; ++i) group.add_args_bytes(500);
  group.set_args(std::string(kMost * 500, 'x'));
  Parse(request.SerializeAsString());
  EXPECT_TRUE(received_.status().ok()) << received_.status();
}

TEST_F(ReceivedSession, WhatEndsTooSoonIsNoMessage) {
  v1::SessionRequest request;
  request.add_submit()->set_args(std::string(100'000, 'x'));
  const std::string bytes = request.SerializeAsString();
  for (const std::size_t cut : {bytes.size() - 1, bytes.size() / 2}) {
    Parse(std::string_view(bytes).substr(0, cut));
    EXPECT_EQ(Reason(), "INVALID_FIELD");
    EXPECT_THAT(Text(), HasSubstr("poold.v1.SessionRequest"));
  }
}

TEST_F(ReceivedSubmit, AFullCallWithOptionsAndArgumentsIsTaken) {
  v1::SubmitRequest request;
  for (std::size_t i = 0; i < kMost; ++i) {
    v1::TaskSpec& task = *request.add_tasks();
    task.set_function("square");
    task.mutable_args()->set_data("\x91\x07");
    task.mutable_options()->mutable_run_timeout()->set_seconds(1);
    task.mutable_options()->mutable_queue_timeout()->set_seconds(1);
    task.mutable_options()->mutable_total_timeout()->set_seconds(1);
  }
  Parse(request.SerializeAsString());
  EXPECT_TRUE(received_.status().ok()) << received_.status();
}

TEST_F(ReceivedSubmit, MessagesInsideOfMessagesCount) {
  // One task whose options come again and again: `tasks { options {} options {} ... }`.
  const std::string options = Repeated({"\x1a\x00", 2}, 600'000);
  std::string bytes = "\x12";
  for (std::size_t size = options.size(); size > 0; size >>= 7) {
    bytes += static_cast<char>((size & 0x7f) | (size > 0x7f ? 0x80 : 0));
  }
  Parse(bytes + options);
  EXPECT_EQ(Reason(), "TOO_MANY");
  EXPECT_THAT(Text(), HasSubstr("SubmitRequest"));
}

TEST_F(ReceivedSubmit, EmptyTasksAreRefusedByTheNameOfTheirList) {
  Parse(Repeated({"\x12\x00", 2}, kMost + 1));
  EXPECT_EQ(Reason(), "TOO_MANY");
  EXPECT_THAT(Text(), HasSubstr("tasks: 65537"));
}

}  // namespace
}  // namespace poold::api
