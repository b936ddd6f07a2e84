#include "transport/grpc/half_messages.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace poold::transport {

void HalfMessages::Begin(std::uint32_t stream) { streams_.try_emplace(stream); }

void HalfMessages::End(std::uint32_t stream) {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  LetGo(&found->second.half);
  LetGo(&found->second.unread);
  streams_.erase(found);
}

void HalfMessages::EndInput(std::uint32_t stream) {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  if (found->second.unread.blocks.empty()) return End(stream);
  LetGo(&found->second.half);
}

void HalfMessages::OpenWindow(std::uint32_t stream, std::uint32_t bytes) {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  Stream& open = found->second;
  open.ahead -= bytes;
  if (open.ahead <= open.have) LetGo(&open.unread);
}

void HalfMessages::TakeHead(const Http2FrameHead& frame) {
  frame_ = frame;
  data_left_ = frame.bytes;
  padding_left_ = 0;
  padding_is_known_ = (frame.flags & kHttp2Padded) == 0 || frame.bytes == 0;
  if (frame.bytes == 0 && (frame.flags & kHttp2EndStream) != 0) EndInput(frame.stream);
}

void HalfMessages::TakePayload(std::string_view bytes, std::uint64_t at) {
  if (!padding_is_known_ && !bytes.empty()) {
    padding_left_ = std::min<std::uint32_t>(static_cast<std::uint8_t>(bytes.front()), data_left_ - 1);
    data_left_ -= 1 + padding_left_;
    padding_is_known_ = true;
    bytes.remove_prefix(1);
    ++at;
  }
  const std::string_view data = bytes.substr(0, data_left_);
  data_left_ -= static_cast<std::uint32_t>(data.size());
  padding_left_ -= static_cast<std::uint32_t>(bytes.size() - data.size());
  if (const auto found = streams_.find(frame_.stream); found != streams_.end()) Follow(&found->second, data, at);
  const bool is_whole = padding_is_known_ && data_left_ == 0 && padding_left_ == 0;
  if (is_whole && (frame_.flags & kHttp2EndStream) != 0) EndInput(frame_.stream);
}

void HalfMessages::Follow(Stream* stream, std::string_view data, std::uint64_t at) {
  std::uint64_t begin = at;
  while (!data.empty()) {
    const std::size_t taken = TakeSome(stream, data);
    data.remove_prefix(taken);
    at += taken;
    stream->ahead += static_cast<std::int64_t>(taken);
    if (stream->head_have < kHeadBytes || stream->left > 0) continue;
    TakeWhole(stream, begin, at);
    begin = at;
  }
  if (at > begin) Keep(&stream->half, begin, at);
}

// The last bytes of a message came from here to there.
void HalfMessages::TakeWhole(Stream* stream, std::uint64_t from, std::uint64_t to) {
  stream->head_have = 0;
  stream->have = 0;
  const bool is_read = !std::exchange(stream->has_first, true) || stream->ahead <= 0;
  if (is_read) {
    LetGo(&stream->unread);
  } else {
    for (const std::uint64_t block : stream->half.blocks) KeepBlock(&stream->unread, block);
    Keep(&stream->unread, from, to);
  }
  LetGo(&stream->half);
}

// From the front: of the head, or of what follows it.
std::size_t HalfMessages::TakeSome(Stream* stream, std::string_view data) {
  if (stream->head_have == kHeadBytes) {
    const std::size_t taken = std::min<std::uint64_t>(stream->left, data.size());
    stream->left -= taken;
    stream->have += static_cast<std::int64_t>(taken);
    return taken;
  }
  const std::size_t taken = std::min(kHeadBytes - stream->head_have, data.size());
  std::memcpy(stream->head + stream->head_have, data.data(), taken);
  stream->head_have += taken;
  stream->have += static_cast<std::int64_t>(taken);
  if (stream->head_have == kHeadBytes) stream->left = FromBigEndian(stream->head + 1, 4);
  return taken;
}

void HalfMessages::Keep(Kept* kept, std::uint64_t from, std::uint64_t to) {
  ++kept->frames;
  ++frames_;
  const std::uint64_t last = (to - 1) / kBlockBytes;
  for (std::uint64_t block = from / kBlockBytes; block <= last; ++block) KeepBlock(kept, block);
}

void HalfMessages::KeepBlock(Kept* kept, std::uint64_t block) {
  if (!kept->blocks.empty() && kept->blocks.back() == block) return;
  kept->blocks.push_back(block);
  ++blocks_[block];
}

void HalfMessages::LetGo(Kept* kept) {
  for (const std::uint64_t block : kept->blocks) {
    const auto found = blocks_.find(block);
    if (--found->second == 0) blocks_.erase(found);
  }
  kept->blocks.clear();
  frames_ -= std::exchange(kept->frames, 0);
}

}  // namespace poold::transport
