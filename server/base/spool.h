// Where large payloads lie, and how much of them there may be.
//
// Thread-safe. Its files may outlive it. Errors: RESOURCE_EXHAUSTED when there is no room, or the system has none;
// INVALID_ARGUMENT for what another process handed over and is not as it must be.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/arena.h"
#include "base/arena_table.h"
#include "base/payload_file.h"
#include "base/quota.h"
#include "wire/unique_fd.h"

namespace poold::base {

struct SpoolOptions {
  // Of the files on disk. They have no names: nothing is left there, whatever happens.
  std::string folder = "/var/tmp";
  // Of all files on disk together.
  std::uint64_t max_bytes = 16ull << 30;
  // Of memory that others made and handed over: sealed, which is the daemon's memory from then on, and arenas.
  std::uint64_t max_memory_bytes = 320ull << 20;
  // What is gathered piece by piece goes to disk when it grows above this.
  std::uint64_t threshold_bytes = 1ull << 20;
  // Each costs a descriptor.
  std::uint64_t max_files = 16'384;
};

class Spool {
 public:
  // What is in memory is taken of `memory`, too, if there is one.
  explicit Spool(SpoolOptions options, std::shared_ptr<Quota> memory = nullptr);

  const SpoolOptions& options() const { return options_; }
  std::uint64_t used_bytes() const { return disk_->used(); }
  std::uint64_t used_memory_bytes() const { return memory_->used(); }
  std::uint64_t used_files() const { return files_->used(); }

  // Whether files can be made: a bad folder is found at start.
  absl::Status Check() const;

  // Takes over a sealed file of so many bytes; not where it fails. RESOURCE_EXHAUSTED: too much of that is here.
  absl::StatusOr<std::shared_ptr<const PayloadFile>> Adopt(wire::UniqueFd* sealed, std::uint64_t bytes) const;

  // The same of an arena.
  absl::StatusOr<std::shared_ptr<Arena>> AdoptArena(wire::UniqueFd* fd, std::uint64_t slot_bytes) const;
  // By number: null for what is not here.
  std::shared_ptr<Arena> FindArena(std::uint64_t number) const { return arenas_->Find(number); }
  // Its maker is gone; what it filled may be spoken of yet.
  void KeepArena(std::shared_ptr<Arena> arena) const { arenas_->Keep(std::move(arena)); }
  // To be called now and then while there are arenas: gives back those that nobody has touched since the last call.
  void CloseForgottenArenas() const { arenas_->CloseForgotten(); }
  // The same by a clock that all who share the spool agree on: what nobody has used for 30 to 60 s is given back. `now`
  // is that of base::Clock; returns the nanoseconds until one of them is wanted again.
  std::int64_t TendArenas(std::int64_t now) const { return arenas_->Tend(now); }

  // A file that is being written.
  class File {
   public:
    std::uint64_t size() const { return size_; }
    // Writes into the page cache: 1 MiB takes some 0.2 ms, unless the disk is behind.
    absl::Status Append(std::string_view bytes);
    // No more is written.
    absl::StatusOr<std::shared_ptr<const PayloadFile>> Finish() &&;

   private:
    friend class Spool;
    File(wire::UniqueFd fd, Reservation room, Reservation files)
        : fd_(std::move(fd)), room_(std::move(room)), files_(std::move(files)) {}
    wire::UniqueFd fd_;
    Reservation room_;
    Reservation files_;
    std::uint64_t size_ = 0;
  };
  absl::StatusOr<File> NewFile() const;

 private:
  absl::StatusOr<Reservation> TakeFile() const;
  // Arenas in which nothing lies give way.
  absl::StatusOr<Reservation> TakeMemory(std::uint64_t bytes) const;

  const SpoolOptions options_;
  const std::shared_ptr<Quota> disk_;
  const std::shared_ptr<Quota> memory_;
  const std::shared_ptr<Quota> files_;
  const std::unique_ptr<ArenaTable> arenas_ = std::make_unique<ArenaTable>();
};

}  // namespace poold::base
