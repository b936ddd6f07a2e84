#include "process/worker_channel.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <string>
#include <utility>

#include "wire/frame.h"

namespace poold::process {
namespace {

absl::Status Refused(const char* what) {
  return absl::ResourceExhaustedError(std::string("cannot make the worker's shared page: ") + what + ": " +
                                      strerror(errno));
}

std::uint32_t CountItems(const core::Assignment& work) {
  std::size_t items = 0;
  for (const core::ItemSlice& slice : work.items) items += slice.count;
  return work.items.empty() ? 1 : static_cast<std::uint32_t>(items);
}

// Drops the last `count` items.
void CutItems(std::uint32_t count, core::Assignment* work) {
  while (count > 0) {
    core::ItemSlice& last = work->items.back();
    const std::size_t cut = std::min<std::size_t>(count, last.count);
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < cut; ++i) bytes += last.column->lengths[last.begin + last.count - 1 - i];
    last.count -= cut;
    last.data.remove_suffix(bytes);
    count -= static_cast<std::uint32_t>(cut);
    if (last.count == 0) work->items.pop_back();
  }
}

}  // namespace

absl::StatusOr<SharedPage> SharedPage::Make() {
  SharedPage made;
  made.fd_.Reset(memfd_create("poold-page", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!made.fd_) return Refused("memfd_create");
  if (ftruncate(made.fd_.get(), wire::kWorkerPageBytes) != 0) return Refused("ftruncate");
  // A worker that could shrink it would make the daemon's next read a SIGBUS.
  if (fcntl(made.fd_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) return Refused("sealing");
  void* const memory = mmap(nullptr, wire::kWorkerPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, made.fd_.get(), 0);
  if (memory == MAP_FAILED) return Refused("mmap");
  made.memory_ = memory;
  made.page().magic = wire::kPageMagic;
  made.page().version = wire::kPageVersion;
  made.page().reader_wants_bell.store(1);
  return made;
}

SharedPage::~SharedPage() {
  if (memory_ != nullptr) munmap(memory_, wire::kWorkerPageBytes);
}

void WorkerChannel::Open(wire::UniqueFd socket, SharedPage page, std::string first_frame) {
  absl::MutexLock lock(&mu_);
  socket_ = std::move(socket);
  page_ = std::move(page);
  if (!first_frame.empty()) *outgoing_.tail() = std::move(first_frame);
  open_ = true;
}

void WorkerChannel::SetAbilities(bool uses_page, Abilities abilities) {
  absl::MutexLock lock(&mu_);
  uses_page_ = uses_page;
  abilities_ = abilities;
}

void WorkerChannel::Close() {
  absl::MutexLock lock(&mu_);
  open_ = false;
}

bool WorkerChannel::Enqueue(std::vector<core::Assignment> work) {
  absl::MutexLock lock(&mu_);
  if (waiting_.empty()) {
    waiting_ = std::move(work);
  } else {
    for (core::Assignment& one : work) waiting_.push_back(std::move(one));
  }
  return !std::exchange(active_, true);
}

bool WorkerChannel::BecomeActive() {
  absl::MutexLock lock(&mu_);
  return !std::exchange(active_, true);
}

std::uint32_t WorkerChannel::TakeBack(core::AttemptToken token, std::uint32_t keep) {
  absl::MutexLock lock(&mu_);
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (waiting_[i].token == token) return TakeBackWaiting(i, keep);
  }
  Slot* const slot = slots_.ByToken(token);
  if (slot == nullptr || !uses_page_) return 0;
  // The page may lie; more than is not done never comes back.
  const std::uint32_t taken = std::min(wire::TakeBack(page_.page(), slot->ticket, keep), slot->items - slot->done);
  slot->items -= taken;
  if (slot->items == slot->done) slots_.Free(slot);
  return taken;
}

std::uint32_t WorkerChannel::TakeBackWaiting(std::size_t place, std::uint32_t keep) {
  const std::uint32_t items = CountItems(waiting_[place]);
  if (items <= keep) return 0;
  if (keep == 0) {
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(place));
  } else {
    CutItems(items - keep, &waiting_[place]);
  }
  return items - keep;
}

void WorkerChannel::RequestStop() {
  absl::MutexLock lock(&mu_);
  stop_requested_ = true;
}

std::shared_ptr<const core::TaskOptions> WorkerChannel::CarriedOfOldest() {
  absl::MutexLock lock(&mu_);
  const Slot* const oldest = slots_.Oldest();
  return oldest != nullptr ? oldest->carried : nullptr;
}

std::uint32_t WorkerChannel::Place(const core::Assignment& work) {
  const std::uint16_t index = slots_.Take(!work.items.empty());
  Slot& slot = slots_.at(index);
  slot.token = work.token;
  slot.function = work.function;
  slot.attempt = work.attempt;
  slot.items = CountItems(work);
  slot.carried = work.carried;
  if (work.args.data.size() >= wire::kMinArenaPayloadBytes) slot.shared_args = work.args.data.owner();
  slot.ticket =
      uses_page_ ? wire::OfferTask(page_.page(), index, slot.items) : wire::MakeTicket(index, next_sequence_++);
  return slot.ticket;
}

void WorkerChannel::Offer(std::vector<Ticketed>* batch) {
  std::size_t count = 0;
  while (count < waiting_.size() && !slots_.full() && (uses_page_ || slots_.live() == 0)) {
    core::Assignment& work = waiting_[count++];
    const std::uint32_t ticket = Place(work);
    batch->push_back({ticket, std::move(work)});
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
}

void WorkerChannel::Encode(std::vector<Ticketed>* batch, Abilities abilities) {
  for (Ticketed& one : *batch) {
    frame_.Add(one.ticket, std::move(one.work), abilities);
    if (frame_.full()) frame_.MoveTo(&outgoing_);
  }
  if (!frame_.empty()) frame_.MoveTo(&outgoing_);
  batch->clear();
}

bool WorkerChannel::Flush() {
  bool would_block = false;
  bool broken = false;
  mu_.Lock();
  if (!open_ || flushing_) {
    mu_.Unlock();
    return false;
  }
  flushing_ = true;
  while (open_ && !would_block && !broken) {
    // What the socket did not take goes first; behind it nothing is encoded, so that it can still be taken back.
    if (outgoing_.empty()) Offer(&batch_);
    const bool stop = stop_requested_ && !stop_sent_ && waiting_.empty() && outgoing_.empty();
    stop_sent_ |= stop;
    if (batch_.empty() && !stop && outgoing_.empty()) break;
    const Abilities abilities = abilities_;
    mu_.Unlock();
    Encode(&batch_, abilities);
    if (stop) wire::AppendFrame(internal::FRAME_KIND_STOP, nullptr, {}, outgoing_.tail());
    const auto progress = outgoing_.Write(socket_.get());
    would_block = progress.ok() && *progress == Outgoing::Progress::kWouldBlock;
    // Whoever reads the socket, or the pidfd, finds out why.
    broken = !progress.ok();
    mu_.Lock();
  }
  if (broken) open_ = false;
  blocked_ = would_block;
  flushing_ = false;
  mu_.Unlock();
  return would_block;
}

bool WorkerChannel::Busy() {
  absl::MutexLock lock(&mu_);
  return slots_.live() > 0;
}

WorkerChannel::Load WorkerChannel::TakeLoad(bool leave_if_idle) {
  absl::MutexLock lock(&mu_);
  if (slots_.live() > 1 || slots_.live_chunks() > 0 || !waiting_.empty()) return Load::kMuch;
  if (slots_.live() > 0) return Load::kOneTask;
  if (leave_if_idle) active_ = false;
  return Load::kNone;
}

bool WorkerChannel::NeedsFlush() {
  absl::MutexLock lock(&mu_);
  return open_ && (blocked_ || !waiting_.empty() || (stop_requested_ && !stop_sent_));
}

bool WorkerChannel::StopSent() {
  absl::MutexLock lock(&mu_);
  return stop_sent_;
}

}  // namespace poold::process
