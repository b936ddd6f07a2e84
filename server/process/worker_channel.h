// WorkerChannel: the daemon's end of one worker: the tasks that the worker is to run, and the socket that carries them.
//
// Role: gives waiting work claim slots, makes RUN frames of it, writes them to the socket, and takes work back.
// Non-role: reads nothing (ChannelReader does), and knows no process.
// Threads: thread-safe by a mutex of its own, which is held for microseconds and never while writing. One flusher
// writes at a time; another one that comes meanwhile leaves its work to the first. Lock order: the core's mutex, then
// this one.
// Ownership: shared by the core's side of the dispatcher and by WorkerProcess; owns socket and page. Bounds: the core
// bounds the work that is sent ahead; while the socket is full nothing more is encoded. Errors: a socket that fails is
// not written to any more; its reader finds out why.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/ports.h"
#include "process/outgoing.h"
#include "process/run_frame.h"
#include "process/slot_table.h"
#include "wire/unique_fd.h"
#include "wire/worker_page.h"

namespace poold::process {

// The memory that a worker shares with the daemon (wire/worker_page.h), on the daemon's side: a sealed memfd, mapped.
//
// Ownership: move-only; unmaps the memory and closes the descriptor when it goes.
// Threads: one at a time, but page() may be used by any thread, since it is all atomics.
// Trust: the worker can write what it likes at any time. It cannot change the size.
class SharedPage {
 public:
  // RESOURCE_EXHAUSTED: descriptors or memory ran out.
  static absl::StatusOr<SharedPage> Make();

  // Empty: no memory, no descriptor.
  SharedPage() = default;
  SharedPage(SharedPage&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)), fd_(std::move(other.fd_)) {}
  SharedPage& operator=(SharedPage&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~SharedPage();

  // Page and ring, as RingReader takes them. Null if empty.
  void* memory() const { return memory_; }
  wire::WorkerPage& page() const { return *static_cast<wire::WorkerPage*>(memory_); }
  explicit operator bool() const { return memory_ != nullptr; }
  // To be passed to the worker, then closed: the mapping stays.
  wire::UniqueFd TakeFd() { return std::move(fd_); }

 private:
  void* memory_ = nullptr;
  wire::UniqueFd fd_;
};

class WorkerChannel {
 public:
  explicit WorkerChannel(core::WorkerId id) : id_(id) {}
  WorkerChannel(const WorkerChannel&) = delete;
  WorkerChannel& operator=(const WorkerChannel&) = delete;

  core::WorkerId id() const { return id_; }

  // Takes socket and page over; work that came before has waited for this call. `first_frame` (may be empty) is written
  // before all else. Call once.
  void Open(wire::UniqueFd socket, SharedPage page, std::string first_frame);
  // Takes the facts of the worker's READY. A worker that uses no page is sent one task at a time.
  void SetAbilities(bool uses_page, Abilities abilities);
  // Ends writing for ever: the worker is dead or cut off.
  void Close();

  // Adds work. True: the channel became active, and the caller puts it on its dispatcher's list of active channels.
  bool Enqueue(std::vector<core::Assignment> work);
  // As core::WorkerPort::TakeBack.
  std::uint32_t TakeBack(core::AttemptToken token, std::uint32_t keep);
  // Makes the next Flush write a STOP frame behind all waiting work. Idempotent.
  void RequestStop();

  // Writes as much as the socket takes, without blocking. True: bytes are left; call again when the socket takes more.
  bool Flush();

  // For the reading side. The descriptor and the page are constant after Open; slots are used under the mutex.
  int socket() const { return socket_.get(); }
  const SharedPage& page() const { return page_; }
  absl::Mutex& mutex() ABSL_LOCK_RETURNED(mu_) { return mu_; }
  SlotTable& slots() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return slots_; }
  // The size of the arenas with arguments that the worker has mapped.
  std::uint64_t arena_bytes() const { return frame_.arena_bytes(); }
  // Whether the worker has work whose outcome was not read yet.
  bool Busy();
  // Makes a channel without work active. True: as Enqueue.
  bool BecomeActive();
  enum class Load {
    // No work.
    kNone,
    // One task, which was sent.
    kOneTask,
    // A chunk, more than one task, or work that is not sent yet.
    kMuch,
  };
  // The amount of work under way. With `leave_if_idle` a channel without any becomes inactive, and the caller takes it
  // off the list of active channels.
  Load TakeLoad(bool leave_if_idle);
  // Whether Flush would find something to do.
  bool NeedsFlush();
  // core::Assignment::carried of what the worker runs, the first if it has more. For the log.
  std::shared_ptr<const core::TaskOptions> CarriedOfOldest();
  // Whether a STOP frame was handed to the socket, or waits only for room there.
  bool StopSent();

 private:
  // Work with the ticket of its slot.
  struct Ticketed {
    std::uint32_t ticket;
    core::Assignment work;
  };
  // Moves what may be sent now from waiting_ into `batch`.
  void Offer(std::vector<Ticketed>* batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Gives the work a slot, and returns its ticket. REQUIRES: a slot is free.
  std::uint32_t Place(const core::Assignment& work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // TakeBack for waiting_[place], which was not sent.
  std::uint32_t TakeBackWaiting(std::size_t place, std::uint32_t keep) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Appends RUN frames to outgoing_. Only the flusher calls, without the mutex.
  void Encode(std::vector<Ticketed>* batch, Abilities abilities);

  const core::WorkerId id_;
  // Constant after Open.
  wire::UniqueFd socket_;
  SharedPage page_;

  absl::Mutex mu_;
  bool open_ ABSL_GUARDED_BY(mu_) = false;
  bool uses_page_ ABSL_GUARDED_BY(mu_) = true;
  Abilities abilities_ ABSL_GUARDED_BY(mu_);
  // The channel is on its dispatcher's list of active channels, or on the way there.
  bool active_ ABSL_GUARDED_BY(mu_) = false;
  // RequestStop was called, and the frame was handed to the socket.
  bool stop_requested_ ABSL_GUARDED_BY(mu_) = false;
  bool stop_sent_ ABSL_GUARDED_BY(mu_) = false;
  // A thread is the flusher.
  bool flushing_ ABSL_GUARDED_BY(mu_) = false;
  // The socket did not take all bytes; Flush is called again when it can be written.
  bool blocked_ ABSL_GUARDED_BY(mu_) = false;
  // The sequence of the next ticket of a worker without a page.
  std::uint16_t next_sequence_ ABSL_GUARDED_BY(mu_) = 1;
  // Work without a slot, oldest first.
  std::vector<core::Assignment> waiting_ ABSL_GUARDED_BY(mu_);
  SlotTable slots_ ABSL_GUARDED_BY(mu_);

  // Owned by the flusher: the thread that has set flushing_.
  Outgoing outgoing_;
  RunFrame frame_;
  std::vector<Ticketed> batch_;
};

}  // namespace poold::process
