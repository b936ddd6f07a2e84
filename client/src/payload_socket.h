// The client's end of poold/v1/payload_socket.md: large payloads as shared memory, without gRPC.
//
// Thread-safe; one request at a time, each takes some 0.1 ms beside the writing of the memory. Connects when it is
// first used. What goes wrong with the connection ends it for good: the caller uses gRPC then, as for what the daemon
// does not want to do this way.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "held_result.h"
#include "known_arena.h"
#include "wire/arena_maker.h"
#include "wire/mapped_file.h"
#include "wire/payload_message.h"
#include "wire/pieces.h"
#include "wire/unique_fd.h"

namespace poold::client::internal {

class PayloadSocket {
 public:
  // More than `max_bytes` the daemon never takes.
  PayloadSocket(std::string path, std::uint64_t max_bytes)
      : path_(std::move(path)), max_bytes_(max_bytes), maker_(max_bytes) {}

  // The upload's id, or nothing.
  std::optional<std::string> Offer(const wire::Pieces& bytes);
  // The result of the task, or of the map's item, whose id these 16 bytes are; or nothing.
  std::optional<wire::MappedFile> Fetch(std::string_view id, std::uint64_t index);

  // Arguments written where a worker reads them. Nothing: there is no room in arenas.
  std::optional<wire::ArenaMaker::Reserved> Place(const wire::Pieces& bytes);
  // The arena of this number; null: it is not to be had. Stays mapped until the daemon gives it back.
  std::shared_ptr<KnownArena> Arena(std::uint64_t number);
  // The result there, held; null: it is not there, or cannot be held.
  std::shared_ptr<const HeldResult> Hold(std::uint64_t number, wire::ArenaPlace place, std::uint64_t bytes);

 private:
  struct Answered {
    wire::PayloadAnswer answer{};
    wire::UniqueFd descriptor;
  };
  // Nothing: it was not kTaken.
  std::optional<Answered> Ask(const wire::PayloadRequest& request, int descriptor) ABSL_LOCKS_EXCLUDED(mu_);
  std::optional<wire::ArenaMaker::Reserved> Reserve(std::uint64_t bytes) ABSL_LOCKS_EXCLUDED(arenas_mu_);
  bool Connect() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Exchange(const wire::PayloadRequest& request, int descriptor, Answered* answered)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::string path_;
  const std::uint64_t max_bytes_;
  absl::Mutex mu_;
  wire::UniqueFd socket_ ABSL_GUARDED_BY(mu_);
  bool given_up_ ABSL_GUARDED_BY(mu_) = false;

  // Taken before mu_.
  absl::Mutex arenas_mu_ ABSL_ACQUIRED_BEFORE(mu_);
  wire::ArenaMaker maker_ ABSL_GUARDED_BY(arenas_mu_);
  // The daemon did not want the last one.
  std::chrono::steady_clock::time_point share_again_at_ ABSL_GUARDED_BY(arenas_mu_){};
  // Of workers.
  std::map<std::uint64_t, std::shared_ptr<KnownArena>> known_ ABSL_GUARDED_BY(arenas_mu_);
};

}  // namespace poold::client::internal
