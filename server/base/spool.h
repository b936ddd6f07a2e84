// Spool: the place of large payloads, and the limits of what lies there.
//
// Threads: thread-safe. Its files may outlive the spool.
// Errors: RESOURCE_EXHAUSTED: a limit is reached, or the system has no room; INVALID_ARGUMENT: a file that another
//   process handed over is not as it must be. Each message names the limit's key.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/arena.h"
#include "base/payload_file.h"
#include "base/quota.h"
#include "wire/unique_fd.h"

namespace poold::base {

// Limits of payloads outside of messages.
struct SpoolOptions {
  // The folder of files on disk. The files have no names: none is left, whatever happens.
  std::string folder = "/var/tmp";
  // All files on disk together.
  std::uint64_t max_bytes = 16ull << 30;
  // Memory that other processes made and handed over: sealed memory, which belongs to the daemon from then on, and
  // arenas.
  std::uint64_t max_memory_bytes = 320ull << 20;
  // A payload that arrives in pieces goes to disk above this size.
  std::uint64_t threshold_bytes = 1ull << 20;
  // Files and arenas; each costs a descriptor.
  std::uint64_t max_files = 16'384;
};

// Also owns the table of arenas.
class Spool {
 public:
  // Payloads in memory are also taken of `memory`, if that is not null.
  explicit Spool(SpoolOptions options, std::shared_ptr<Quota> memory = nullptr);

  const SpoolOptions& options() const { return options_; }
  // Bytes on disk, bytes in memory, files: snapshots.
  std::uint64_t used_bytes() const { return disk_->used(); }
  std::uint64_t used_memory_bytes() const { return memory_->used(); }
  std::uint64_t used_files() const { return files_->used(); }

  // Whether a file can be made in the folder, to find a bad folder at start. INVALID_ARGUMENT names the key.
  absl::Status Check() const;

  // Takes over a sealed file of so many bytes; where that fails, the caller keeps the file.
  absl::StatusOr<std::shared_ptr<const PayloadFile>> Adopt(wire::UniqueFd* sealed, std::uint64_t bytes) const;

  // Takes over an arena; where that fails, the caller keeps the descriptor.
  absl::StatusOr<std::shared_ptr<Arena>> AdoptArena(wire::UniqueFd* fd, std::uint64_t slot_bytes) const;
  // Null: there is no such arena.
  std::shared_ptr<Arena> FindArena(std::uint64_t number) const { return arenas_->Find(number); }
  // As ArenaTable::Keep.
  void KeepArena(std::shared_ptr<Arena> arena) const { arenas_->Keep(std::move(arena)); }
  // As ArenaTable::CloseForgotten.
  void CloseForgottenArenas() const { arenas_->CloseForgotten(); }
  // As ArenaTable::Tend. `now`: base::Clock::Now.
  std::int64_t TendArenas(std::int64_t now) const { return arenas_->Tend(now); }

  // A file that is being written. Thread safety: none.
  class File {
   public:
    std::uint64_t size() const { return size_; }
    // Writes into the page cache: 1 MiB takes about 0.2 ms, unless the disk is behind.
    absl::Status Append(std::string_view bytes);
    // Makes the file a payload that cannot be written any more.
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
  // Makes an empty file without a name.
  absl::StatusOr<File> NewFile() const;

 private:
  absl::StatusOr<Reservation> TakeFile() const;
  // Takes of the memory; closes unused arenas where that is needed.
  absl::StatusOr<Reservation> TakeMemory(std::uint64_t bytes) const;

  const SpoolOptions options_;
  const std::shared_ptr<Quota> disk_;
  const std::shared_ptr<Quota> memory_;
  const std::shared_ptr<Quota> files_;
  const std::unique_ptr<ArenaTable> arenas_ = std::make_unique<ArenaTable>();
};

// PayloadDraft: a payload that arrives in pieces: in memory while it is small, in a file of the spool when it has grown
// or when there is no memory.
//
// Thread safety: none. Ownership: does not own the spool.
// Errors: RESOURCE_EXHAUSTED, as Spool; the draft is lost then.

// Bytes and the owner that keeps them valid, as core::Bytes.
struct Kept {
  std::shared_ptr<const void> owner;
  std::string_view view;
};

class PayloadDraft {
 public:
  // Bytes in memory are taken of `memory`, if that is not null, until the last owner of the finished payload is gone.
  explicit PayloadDraft(const Spool* spool, std::shared_ptr<Quota> memory = nullptr)
      : spool_(spool), memory_(std::move(memory)), taken_(memory_) {}

  // Bytes that have arrived.
  std::uint64_t size() const { return file_ ? file_->size() : text_.size(); }
  // The part of them in memory.
  std::uint64_t memory_bytes() const { return text_.size(); }
  // Adds a piece.
  absl::Status Append(std::string_view bytes);
  // Returns the whole payload. The draft is empty afterwards.
  absl::StatusOr<Kept> Finish();
  // Drops the payload and gives memory and file back.
  void Clear();

 private:
  // Reserves memory for a piece. False: the payload goes to a file.
  bool TakeMemory(std::size_t bytes);
  absl::Status MoveToFile();

  const Spool* const spool_;
  const std::shared_ptr<Quota> memory_;
  Reservation taken_;
  std::string text_;
  std::optional<Spool::File> file_;
};

}  // namespace poold::base
