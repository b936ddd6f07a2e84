// PayloadSocket: the client's end of poold/v1/payload_socket.md: large payloads as shared memory, without gRPC.
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
#include "transport/known_arena.h"
#include "wire/arena_maker.h"
#include "wire/mapped_file.h"
#include "wire/payload_message.h"
#include "wire/pieces.h"
#include "wire/unique_fd.h"

namespace poold::client::internal {

// Threads: thread-safe; one request at a time, about 0.1 ms each beside the writing of the memory.
// Errors: none are reported: nothing (or null) means that the caller uses gRPC. A connection that fails is given up for
//   good. The socket connects when it is first used.
class PayloadSocket {
 public:
  // `max_bytes`: the daemon's limit of shared memory.
  PayloadSocket(std::string path, std::uint64_t max_bytes)
      : path_(std::move(path)), max_bytes_(max_bytes), maker_(max_bytes) {}

  // Hands bytes over in sealed memory and returns the upload's id.
  std::optional<std::string> Offer(const wire::Pieces& bytes);
  // Brings the result of the task, or of the map's item, whose id these 16 bytes are.
  std::optional<wire::MappedFile> Fetch(std::string_view id, std::uint64_t index);

  // Writes arguments into an arena of this client, where a worker reads them. Nothing: the arenas have no room.
  std::optional<wire::ArenaMaker::Reserved> Place(const wire::Pieces& bytes);
  // The worker's arena of this number, mapped; stays mapped until the arena is closed. Null: not available.
  std::shared_ptr<KnownArena> Arena(std::uint64_t number);
  // The result in that slot, held. Null: the result is not there, or cannot be held.
  std::shared_ptr<const HeldResult> Hold(std::uint64_t number, wire::ArenaPlace place, std::uint64_t bytes);

 private:
  struct Answered {
    wire::PayloadAnswer answer{};
    wire::UniqueFd descriptor;
  };
  // Sends a request and waits for the answer, 10 s at most. Nothing: the daemon did not take the request.
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
  // The daemon refused the last arena: no other is offered before this.
  std::chrono::steady_clock::time_point share_again_at_ ABSL_GUARDED_BY(arenas_mu_){};
  // Arenas of workers, by number.
  std::map<std::uint64_t, std::shared_ptr<KnownArena>> known_ ABSL_GUARDED_BY(arenas_mu_);
};

}  // namespace poold::client::internal
