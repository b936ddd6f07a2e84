// A payload arena that another process made (wire/arena.h), as the daemon knows it.
//
// Thread-safe. Owned by who stands for its maker (a connection, a worker) and by every payload that lies in it. Its
// share of the room for payloads in memory is that of the whole arena, from the beginning: the maker may fill it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/payload_file.h"
#include "base/quota.h"
#include "wire/arena.h"
#include "wire/unique_fd.h"

namespace poold::base {

class Arena : public std::enable_shared_from_this<Arena> {
 public:
  Arena(std::uint64_t number, wire::UniqueFd fd, wire::ArenaMapping mapping, Reservation room, Reservation files);
  // Nobody stands for it any more: gives the memory back, whoever has it mapped, unless its maker has filled some of
  // it.
  ~Arena();

  // By which makers and readers name it. Of no other one, ever.
  std::uint64_t number() const { return number_; }
  int fd() const { return fd_.get(); }
  const wire::ArenaMapping& mapping() const { return mapping_; }

  // The payload there, which stays as it is until the last owner of what comes back goes. NOT_FOUND: it is not there,
  // or not any more. INVALID_ARGUMENT: there is no such place.
  absl::StatusOr<std::shared_ptr<const PayloadFile>> Take(wire::ArenaPlace place, std::uint64_t bytes);

  // The maker is to take no more slots. When it is unused, the memory is given back and the room with it: at
  // once, or when the last payload goes, or by a later call.
  void Close();
  // Nothing lies there, and nobody holds what lay there.
  bool unused() const;
  // It was closed, and its memory is given back.
  bool empty() const { return empty_.load(std::memory_order_acquire); }
  // Whether anything was put there, or went, since this was asked last; at first it was.
  bool TakeTouched() { return touched_.exchange(false, std::memory_order_relaxed); }

  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

 private:
  friend class PayloadFile;
  void Free(wire::ArenaPlace place);
  void EmptyIfUnused();

  const std::uint64_t number_;
  const wire::UniqueFd fd_;
  const wire::ArenaMapping mapping_;
  std::atomic<bool> touched_ = true;
  std::atomic<bool> empty_ = false;

  absl::Mutex mu_;
  Reservation room_ ABSL_GUARDED_BY(mu_);
  const Reservation files_;
};

}  // namespace poold::base
