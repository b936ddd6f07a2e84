#include "transport/half_read.h"

#include <sys/ioctl.h>

#include <map>
#include <utility>

namespace poold::transport {
namespace {

bool BytesWait(int fd) {
  int bytes = 0;
  return fd >= 0 && ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

}  // namespace

HalfRead::Holder::Holder(std::shared_ptr<HalfRead> room, const Peer& peer, int fd,
                         std::function<void(std::uint64_t held)> cut)
    : room_(std::move(room)), peer_(peer.host, peer.uid, peer.pid), fd_(fd), cut_(std::move(cut)) {}

HalfRead::Holder::~Holder() {
  absl::MutexLock lock(&room_->mu_);
  room_->GiveBack(this, held_);
}

void HalfRead::Holder::Came(std::uint64_t bytes, core::Nanos now) {
  came_ += bytes;
  if (came_ < kProgressBytes && held_ > 0) return;
  came_ = 0;
  progress_at_ = now;
}

bool HalfRead::Holder::Hold(std::uint64_t bytes, Need need, core::Nanos now) {
  if (bytes == held_ && !waits_) return !is_cut_;
  return room_->Resize(this, bytes, need, now);
}

bool HalfRead::Holder::HasStalled(core::Nanos now) const {
  return !waits_ && now - progress_at_ >= kStalledFrom && !BytesWait(fd_);
}

bool HalfRead::Resize(Holder* holder, std::uint64_t bytes, Need need, core::Nanos now) {
  absl::MutexLock lock(&mu_);
  if (holder->is_cut_) return false;
  if (bytes <= holder->held_) {
    holder->waits_ = false;
    GiveBack(holder, holder->held_ - bytes);
    return true;
  }
  const bool taken = Take(holder, bytes - holder->held_, need, now);
  holder->waits_ = !taken && !holder->is_cut_;
  if (!taken) return false;
  holder->held_ = bytes;
  holders_.insert(holder);
  return true;
}

bool HalfRead::Take(Holder* holder, std::uint64_t more, Need need, core::Nanos now) {
  // Nobody can make so much room.
  if (need == Need::kNow && holder->held_ + more > quota_->max()) Cut(holder);
  while (!holder->is_cut_) {
    if (quota_->Take(more)) return true;
    Holder* const goes = WhoGoes(need, now);
    if (goes == nullptr && need == Need::kCanWait) return false;
    Cut(goes == nullptr ? holder : goes);
  }
  return false;
}

HalfRead::Holder* HalfRead::WhoGoes(Need need, core::Nanos now) const {
  using Rank = std::tuple<bool, std::uint64_t, std::uint64_t>;  // it has stalled; held by its peer, by itself
  std::map<Holder::PeerKey, std::uint64_t> peers;
  for (const Holder* one : holders_) peers[one->peer_] += one->held_;
  Holder* most = nullptr;
  Rank most_rank;
  for (Holder* one : holders_) {
    const Rank rank(one->HasStalled(now), peers[one->peer_], one->held_);
    if (need == Need::kCanWait && !std::get<0>(rank)) continue;
    if (most != nullptr && rank <= most_rank) continue;
    most = one;
    most_rank = rank;
  }
  return most;
}

void HalfRead::Cut(Holder* holder) {
  const std::uint64_t held = holder->held_;
  GiveBack(holder, held);
  holder->is_cut_ = true;
  holder->cut_(held);
}

void HalfRead::GiveBack(Holder* holder, std::uint64_t bytes) {
  if (bytes > 0) quota_->GiveBack(bytes);
  holder->held_ -= bytes;
  if (holder->held_ == 0) holders_.erase(holder);
}

}  // namespace poold::transport
