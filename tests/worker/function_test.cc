// Ordinary functions, called by bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "poold/codec/codec.h"
#include "poold/internal/worker.pb.h"
#include "poold/worker.h"

namespace poold::worker {
namespace {

using codec::EncodeArguments;

int Divide(int a, int b) noexcept { return a / b; }
std::string Join(std::string_view a, const std::string& b) { return std::string(a) + b; }
internal::Cloned NextPid(const internal::Cloned& message) {
  internal::Cloned next = message;
  next.set_pid(message.pid() + 1);
  return next;
}

template <typename F>
Reply CallOf(F function, const Call& call) {
  Registry registry;
  registry.Add("f", function);
  Call named = call;
  named.function = "f";
  Reply reply;
  registry.functions()[0].invoke(named, &reply);
  return reply;
}

template <typename F>
Reply CallWith(F function, const std::string& args) {
  return CallOf(function, {.encoding = Encoding::kMsgpack, .args = args});
}

TEST(FunctionTest, ParametersComeByValueViewOrReference) {
  EXPECT_EQ(CallWith(Divide, EncodeArguments(7, 2)).data, codec::Encode(3));
  EXPECT_EQ(CallWith(Join, EncodeArguments("a", "b")).data, codec::Encode("ab"));
  EXPECT_EQ(CallWith([](std::vector<int> list) { return list.size(); }, EncodeArguments(std::vector<int>{1, 2})).data,
            codec::Encode(2));
}

// A caller that wants large results here.
class Room : public ResultRoom {
 public:
  explicit Room(std::size_t most) : most_(most) {}
  char* Take(std::size_t bytes) override {
    if (bytes > most_) return nullptr;
    written.resize(bytes);
    return written.data();
  }
  std::string written;

 private:
  std::size_t most_;
};

template <typename F>
Reply CallInto(Room* room, F function, Encoding encoding, std::string_view args) {
  Registry registry;
  registry.Add("f", function);
  Reply reply;
  reply.room = room;
  registry.functions()[0].invoke({.function = "f", .encoding = encoding, .args = args}, &reply);
  return reply;
}

TEST(FunctionTest, AViewShowsTheArgumentsWhereTheyLie) {
  const std::string args = EncodeArguments("where am I");
  const char* seen = nullptr;
  const Reply reply = CallWith(
      [&seen](std::string_view text) {
        seen = text.data();
        return text.substr(6);
      },
      args);
  EXPECT_EQ(seen, args.data() + 2);
  EXPECT_EQ(reply.data, codec::Encode("am I"));
  const std::string raw("\0raw", 4);
  const auto look = [&seen](BytesView bytes) {
    seen = bytes.data.data();
    return bytes;
  };
  EXPECT_EQ(CallOf(look, {.encoding = Encoding::kRaw, .args = raw}).data, raw);
  EXPECT_EQ(seen, raw.data());
  EXPECT_EQ(CallOf(look, {.encoding = Encoding::kRaw, .args = raw}).encoding, Encoding::kRaw);
  EXPECT_EQ(CallWith(look, args).data, "where am I");
  EXPECT_EQ(CallWith(look, EncodeArguments(7)).failure->message, "f: argument 1: wanted bytes, given integer 7");
  EXPECT_EQ(CallWith([](std::string_view text) { return text; }, EncodeArguments(7)).failure->message,
            "f: argument 1: wanted string, given integer 7");
}

TEST(FunctionTest, ALargeTextIsWrittenToWhereItIsWanted) {
  const std::string text(ResultRoom::kLeastBytes, 't'), args = EncodeArguments(text);
  const auto expect_in_room = [&](auto function, Encoding encoding, std::string_view given, std::string_view wanted) {
    Room room(wanted.size()), too_small(wanted.size() - 1);
    const Reply reply = CallInto(&room, function, encoding, given);
    EXPECT_TRUE(reply.data.empty());
    EXPECT_TRUE(room.written == wanted);
    const Reply other = CallInto(&too_small, function, encoding, given);
    EXPECT_TRUE(other.data == wanted);
    EXPECT_EQ(other.encoding, reply.encoding);
  };
  const std::string encoded = codec::Encode(text);
  expect_in_room([](std::string_view view) { return view; }, Encoding::kMsgpack, args, encoded);
  expect_in_room([](const std::string& owned) { return owned; }, Encoding::kMsgpack, args, encoded);
  expect_in_room([](std::string_view view) { return absl::StatusOr<std::string_view>(view); }, Encoding::kMsgpack, args,
                 encoded);
  expect_in_room([](BytesView view) { return view; }, Encoding::kRaw, text, text);
  expect_in_room([](Bytes owned) { return owned; }, Encoding::kRaw, text, text);
  expect_in_room([](Bytes owned) { return absl::StatusOr<Bytes>(owned); }, Encoding::kRaw, text, text);
}

TEST(FunctionTest, WhatIsSmallOrOfAnotherTypeNeedsNoRoom) {
  Room room(~std::size_t{0});
  const std::string small(ResultRoom::kLeastBytes - 1, 's');
  EXPECT_TRUE(CallInto(
                  &room, [](BytesView view) { return view; }, Encoding::kRaw, small)
                  .data == small);
  const std::vector<std::string> list{std::string(ResultRoom::kLeastBytes, 'l')};
  EXPECT_TRUE(
      CallInto(
          &room, [](const std::vector<std::string>& given) { return given; }, Encoding::kMsgpack, EncodeArguments(list))
          .data == codec::Encode(list));
  EXPECT_TRUE(room.written.empty());
}

TEST(FunctionTest, NoArgumentsMayBeNoBytes) {
  EXPECT_EQ(CallOf([] { return 1; }, {}).data, "\x01");
  EXPECT_EQ(CallOf(Divide, {}).failure->message, "f: wanted 2 arguments, given 0");
}

TEST(FunctionTest, NumbersOfEveryWidthAreRead) {
  const auto identity = [](std::int64_t number) { return number; };
  for (const std::int64_t number : {INT64_MIN, std::int64_t{-70000}, std::int64_t{-129}, std::int64_t{-33},
                                    std::int64_t{-1}, std::int64_t{0}, std::int64_t{127}, std::int64_t{128},
                                    std::int64_t{255}, std::int64_t{65536}, std::int64_t{1} << 40, INT64_MAX}) {
    EXPECT_EQ(CallWith(identity, EncodeArguments(number)).data, codec::Encode(number));
  }
  const auto big = [](std::uint64_t number) { return number; };
  EXPECT_EQ(CallWith(big, EncodeArguments(~std::uint64_t{0})).data, codec::Encode(~std::uint64_t{0}));
  EXPECT_EQ(CallWith(big, EncodeArguments(-1)).failure->message, "f: argument 1: wanted uint64, given integer -1");
  EXPECT_EQ(CallWith(Divide, EncodeArguments(1, std::int64_t{1} << 31)).failure->message,
            "f: argument 2: wanted int32, given integer 2147483648");
}

TEST(FunctionTest, MessagesTravelAsProtobuf) {
  internal::Cloned message;
  message.set_pid(41);
  const std::string args = message.SerializeAsString();
  const Reply reply = CallOf(NextPid, {.encoding = Encoding::kProtobuf, .args = args});
  ASSERT_FALSE(reply.failure);
  EXPECT_EQ(reply.encoding, Encoding::kProtobuf);
  ASSERT_TRUE(message.ParseFromString(reply.data));
  EXPECT_EQ(message.pid(), 42);
  Registry registry;
  registry.Add("f", NextPid);
  EXPECT_EQ(registry.functions()[0].result_type, "poold.internal.Cloned");
}

TEST(FunctionTest, ASignatureIsToldInWords) {
  Registry registry;
  registry.Add("next", NextPid);
  registry.Add("none", [] {});
  registry.Add("many", [](std::string_view, std::optional<double>, const std::map<std::string, int>&) {
    return absl::StatusOr<std::vector<bool>>(absl::UnimplementedError(""));
  });
  const Function& next = registry.functions()[0];
  EXPECT_EQ(next.arguments, std::vector<std::string>{"poold.internal.Cloned"});
  EXPECT_EQ(next.result, "poold.internal.Cloned");
  const Function& none = registry.functions()[1];
  EXPECT_EQ(none.arguments, std::vector<std::string>{});
  EXPECT_EQ(none.result, "nothing");
  const Function& many = registry.functions()[2];
  EXPECT_EQ(many.arguments, (std::vector<std::string>{"string", "double or nil", "map from string to int32"}));
  EXPECT_EQ(many.result, "array of boolean");
}

TEST(FunctionTest, WrongMessagesAreNamed) {
  EXPECT_EQ(CallOf(NextPid, {.encoding = Encoding::kProtobuf, .type_name = "acme.Order"}).failure->message,
            "f: argument 1: wanted poold.internal.Cloned, given acme.Order");
  EXPECT_EQ(CallOf(NextPid, {.encoding = Encoding::kProtobuf, .args = "\xff\xff"}).failure->message,
            "f: argument 1: wanted poold.internal.Cloned, given malformed protobuf");
  EXPECT_EQ(CallWith(NextPid, "\x90").failure->message,
            "f: wanted arguments encoded as protobuf (poold.internal.Cloned), given msgpack");
}

TEST(FunctionTest, StatusesBecomeFailures) {
  const Reply reply = CallOf([]() -> absl::Status { return absl::NotFoundError("gone"); }, {});
  EXPECT_EQ(reply.failure->type, "absl::Status");
  EXPECT_EQ(reply.failure->status_code, 5);
  EXPECT_EQ(CallOf([]() -> absl::StatusOr<int> { return 3; }, {}).data, "\x03");
  EXPECT_EQ(CallOf([] { return absl::OkStatus(); }, {}).data, "\xc0");
}

}  // namespace
}  // namespace poold::worker
