#include "transport/grpc/http2_guard.h"

namespace poold::transport {
namespace {

constexpr std::string_view kHeaderTooLarge = "the header of a call is too large";
constexpr std::string_view kNoAcknowledgement = "it never acknowledged the server's settings";
constexpr std::string_view kTooFarAhead = "too many calls were cancelled before they began";

}  // namespace

std::string_view Http2Guard::Take(std::string_view bytes, std::uint64_t calls, core::Nanos now) {
  std::string_view fault = TakeAll(bytes);
  if (fault.empty()) fault = Pay(calls, now);
  if (!fault.empty()) budget_.Owe(kFine, now);
  return fault;
}

std::string_view Http2Guard::TakeAll(std::string_view bytes) {
  const std::uint64_t end = taken_ + bytes.size();
  Http2FrameHead frame;
  while (true) {
    taken_ = end - bytes.size();
    if (in_data_) TakePayload(&bytes);
    if (!heads_.Next(&bytes, &frame)) break;
    if (const std::string_view fault = TakeFrame(frame); !fault.empty()) return fault;
    in_data_ = frame.type == kHttp2Data;
    if (in_data_) messages_.TakeHead(frame);
  }
  taken_ = end;
  return {};
}

void Http2Guard::TakePayload(std::string_view* bytes) {
  const std::string_view payload = heads_.Payload(bytes);
  if (!payload.empty()) messages_.TakePayload(payload, taken_);
}

void Http2Guard::TakeSent(std::string_view bytes) {
  while (true) {
    if (increment_left_ > 0) TakeIncrement(sent_heads_.Payload(&bytes));
    if (!sent_heads_.Next(&bytes, &sent_frame_)) return;
    TakeSentFrame(sent_frame_);
  }
}

void Http2Guard::TakeSentFrame(const Http2FrameHead& frame) {
  const bool may_end = frame.type == kHttp2Headers || frame.type == kHttp2Data;
  const bool ends = may_end && (frame.flags & kHttp2EndStream) != 0;
  if (ends || frame.type == kHttp2ResetStream) messages_.End(frame.stream);
  if (frame.type != kHttp2WindowUpdate || frame.stream == 0) return;
  increment_ = 0;
  increment_left_ = 4;
}

void Http2Guard::TakeIncrement(std::string_view payload) {
  for (const char byte : payload) increment_ = increment_ << 8 | static_cast<std::uint8_t>(byte);
  increment_left_ -= static_cast<int>(payload.size());
  if (increment_left_ == 0) messages_.OpenWindow(sent_frame_.stream, increment_ & 0x7fffffff);
}

std::string_view Http2Guard::Pay(std::uint64_t calls, core::Nanos now) {
  const std::uint64_t ahead = Ahead(calls);
  const std::uint64_t owed = idle_frames_ + (ahead > kMaxStreams ? ahead - kMaxStreams : 0);
  if (owed <= paid_) return {};
  if (!budget_.Take(owed - paid_, now)) return kTooFarAhead;
  paid_ = owed;
  return {};
}

void Http2Guard::End(std::uint64_t calls, core::Nanos now) {
  const std::uint64_t owed = idle_frames_ + Ahead(calls);
  if (owed > paid_) budget_.Owe(owed - paid_, now);
}

std::string_view Http2Guard::TakeFrame(const Http2FrameHead& frame) {
  if (frame.type == kHttp2Headers) return TakeHeaders(frame);
  if (frame.type == kHttp2Continuation) return AddHeaderBytes(frame);
  if (frame.type == kHttp2ResetStream) messages_.End(frame.stream);
  if (frame.type == kHttp2Settings && (frame.flags & kHttp2Acknowledges) != 0) {
    acknowledged_ = true;
  } else if (IsIdle(frame)) {
    ++idle_frames_;
  }
  return {};
}

std::string_view Http2Guard::TakeHeaders(const Http2FrameHead& frame) {
  header_bytes_ = 0;
  if (frame.stream > last_stream_) {  // else it is a trailer
    last_stream_ = frame.stream;
    ++streams_;
    messages_.Begin(frame.stream);
  }
  if ((frame.flags & kHttp2EndStream) != 0) messages_.EndInput(frame.stream);
  if (!acknowledged_ && streams_ > kMaxStreams) return kNoAcknowledgement;
  return AddHeaderBytes(frame);
}

std::string_view Http2Guard::AddHeaderBytes(const Http2FrameHead& frame) {
  header_bytes_ += Http2FrameHead::kBytes + frame.bytes;
  return header_bytes_ > kMaxHeaderBytes ? kHeaderTooLarge : std::string_view();
}

// Costs time and brings nothing. PING and SETTINGS have a bound in gRPC.
bool Http2Guard::IsIdle(const Http2FrameHead& frame) {
  switch (frame.type) {
    case kHttp2Data:
      return frame.bytes == 0 && (frame.flags & kHttp2EndStream) == 0;
    case kHttp2ResetStream:
      return ++resets_ > streams_;
    case kHttp2Priority:
    case kHttp2PushPromise:
      return true;
    default:
      return frame.type > kHttp2Continuation;
  }
}

std::uint64_t Http2Guard::Ahead(std::uint64_t calls) const { return streams_ > calls ? streams_ - calls : 0; }

}  // namespace poold::transport
