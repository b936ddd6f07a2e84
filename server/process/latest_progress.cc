#include "process/latest_progress.h"

#include <utility>

namespace poold::process {
namespace {

constexpr core::Nanos kPause = 50 * core::kMillisecond;

}  // namespace

core::Nanos LatestProgress::due_at() const {
  if (!latest_) return core::kNever;
  return told_ticket_ == latest_->ticket ? told_at_ + kPause : 0;
}

std::optional<TicketProgress> LatestProgress::TakeDue(core::Nanos now) {
  if (!latest_ || now < due_at()) return std::nullopt;
  told_ticket_ = latest_->ticket;
  told_at_ = now;
  return std::exchange(latest_, std::nullopt);
}

std::optional<TicketProgress> LatestProgress::TakeOf(std::uint32_t ticket) {
  if (!latest_ || latest_->ticket != ticket) return std::nullopt;
  return std::exchange(latest_, std::nullopt);
}

}  // namespace poold::process
