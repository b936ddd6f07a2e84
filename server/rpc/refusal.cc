#include "rpc/refusal.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/status.pb.h"
#include "rpc/errors.h"
#include "rpc/http2_frames.h"
#include "wire/absl_text.h"
#include "wire/payload_message.h"

namespace poold::rpc {
namespace {

// Of GOAWAY.
constexpr std::uint32_t kNoError = 0;
constexpr std::uint32_t kEnhanceYourCalm = 0xb;
constexpr std::uint32_t kLastStream = 0x7fffffff;

// A string of HPACK (RFC 7541), as it is.
std::string HpackString(std::string_view text) {
  std::string out;
  std::size_t left = text.size();
  if (left < 0x7f) {
    out.push_back(static_cast<char>(left));
    return out.append(text);
  }
  out.push_back(0x7f);
  for (left -= 0x7f; left >= 0x80; left >>= 7) out.push_back(static_cast<char>(0x80 | (left & 0x7f)));
  out.push_back(static_cast<char>(left));
  return out.append(text);
}

std::string HpackField(std::string_view name, std::string_view value) {
  constexpr char kNotToBeIndexed = 0;
  return kNotToBeIndexed + HpackString(name) + HpackString(value);
}

// As gRPC sends messages: what is not printable ASCII, and '%', in hexadecimal.
std::string PercentEncoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != '%') {
      out.push_back(c);
    } else {
      absl::StrAppend(&out, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return out;
}

std::string GoAway(std::uint32_t last_stream, std::uint32_t error, std::string_view words) {
  return Http2Frame(kHttp2GoAway, 0, 0, BigEndian(last_stream, 4) + BigEndian(error, 4) + std::string(words));
}

}  // namespace

std::string GrpcGreeting() { return Http2Frame(kHttp2Settings, 0, 0, ""); }

std::string GrpcAnswer(std::uint32_t stream, const absl::Status& status) {
  const google::rpc::Status proto = ToProto(status);
  const char http_ok = static_cast<char>(0x88);  // ":status: 200" of HPACK's static table
  const std::string fields = http_ok + HpackField("content-type", "application/grpc") +
                             HpackField("grpc-status", std::to_string(proto.code())) +
                             HpackField("grpc-message", PercentEncoded(proto.message())) +
                             HpackField("grpc-status-details-bin", absl::Base64Escape(proto.SerializeAsString()));
  return Http2Frame(kHttp2Headers, kHttp2EndHeaders | kHttp2EndStream, stream, fields);
}

std::string GrpcGoodbye() { return GoAway(kLastStream, kNoError, ""); }

std::string GrpcFarewell(std::string_view words) { return GoAway(0, kEnhanceYourCalm, words); }

std::string GrpcCutOff(std::string_view words) { return GoAway(kLastStream, kEnhanceYourCalm, words); }

std::string LocalFarewell() {
  const wire::PayloadAnswer answer{static_cast<std::uint32_t>(wire::PayloadStatus::kTooManyConnections), 0, 0};
  return {reinterpret_cast<const char*>(&answer), sizeof answer};
}

}  // namespace poold::rpc
