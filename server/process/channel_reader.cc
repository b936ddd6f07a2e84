#include "process/channel_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "wire/fd_socket.h"
#include "wire/worker_page.h"

namespace poold::process {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
// Of new arenas: as many as there may be tasks whose outcome was not read yet, and one that is on its way.
constexpr std::size_t kMaxFiles = wire::kClaimSlots + 1;

}  // namespace

ChannelReader::Got ChannelReader::Receive(std::size_t* total_bytes) {
  const std::size_t wanted = std::max(parser_.Wanted(), kReadBytes);
  std::vector<wire::UniqueFd> files;
  const auto got = wire::Receive(socket_, parser_.Reserve(wanted), wanted, &files, wire::Patience::kNoWait);
  const bool ended_by_file = !files.empty();
  for (wire::UniqueFd& file : files) files_.push_back(std::move(file));
  if (got.ok() && got->lost_descriptors) {
    files_.emplace_back();
    lost_file_ = true;
  }
  if (got.ok() && got->would_block) return Got::kLast;
  if (!got.ok() || got->end_of_file) {
    socket_ = -1;
    return Got::kEnd;
  }
  parser_.Commit(got->bytes);
  *total_bytes += got->bytes;
  if (files_.size() > kMaxFiles) {
    files_.clear();
    return Got::kTooManyFiles;
  }
  return got->bytes == wanted || ended_by_file ? Got::kMore : Got::kLast;
}

absl::StatusOr<std::optional<wire::Frame>> ChannelReader::NextFrame() {
  auto frame = parser_.Next();
  if (!frame.ok()) socket_ = -1;
  return frame;
}

std::optional<wire::UniqueFd> ChannelReader::TakeFile() {
  // Bells may be before it. What comes along is cut into frames in its turn.
  std::size_t total = 0;
  Got got = Got::kMore;
  while (files_.empty() && open() && got == Got::kMore && total < kBytesPerTurn) got = Receive(&total);
  if (files_.empty()) return std::nullopt;
  wire::UniqueFd file = std::move(files_.front());
  files_.pop_front();
  return file;
}

}  // namespace poold::process
