#include "transport/payload_socket.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <utility>

#include "poold/client/handle_id.h"
#include "wire/fd_socket.h"
#include "wire/memory_file.h"

namespace poold::client::internal {
namespace {

// A daemon that does not answer for so long is busy with something else: gRPC waits better.
constexpr timeval kPatience{10, 0};
// Of larger results not every page may be wanted.
constexpr std::uint64_t kMapAtOnceBytes = 256u << 20;

constexpr std::string_view kNoId("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
// After the daemon did not want an arena.
constexpr auto kRefusedPause = std::chrono::milliseconds(200);

wire::PayloadRequest Request(wire::PayloadAsk ask, std::string_view id, std::uint64_t number) {
  wire::PayloadRequest request{static_cast<std::uint32_t>(ask), 0, {}, number};
  std::memcpy(request.id, id.data(), sizeof request.id);
  return request;
}

}  // namespace

std::optional<std::string> PayloadSocket::Offer(const wire::Pieces& bytes) {
  if (bytes.size() > max_bytes_) return std::nullopt;
  {
    absl::MutexLock lock(&mu_);
    if (!Connect()) return std::nullopt;  // before the bytes are copied
  }
  const auto file = wire::MakeSealedFile(bytes);
  if (!file.ok()) return std::nullopt;
  std::string id = HandleId::Random().ToBytes();
  if (!Ask(Request(wire::PayloadAsk::kOffer, id, bytes.size()), file->get())) return std::nullopt;
  return id;
}

std::optional<wire::MappedFile> PayloadSocket::Fetch(std::string_view id, std::uint64_t index) {
  const auto answered = Ask(Request(wire::PayloadAsk::kFetch, id, index), -1);
  if (!answered || !answered->descriptor) return std::nullopt;
  const std::uint64_t bytes = answered->answer.number;
  const wire::Faults faults = bytes <= kMapAtOnceBytes ? wire::Faults::kAtOnce : wire::Faults::kWhenTouched;
  auto mapped = wire::MappedFile::Map(answered->descriptor.get(), bytes, faults);
  if (!mapped.ok()) return std::nullopt;
  return *std::move(mapped);
}

std::optional<wire::ArenaMaker::Reserved> PayloadSocket::Place(const wire::Pieces& bytes) {
  if (bytes.size() > wire::kMaxArenaPayloadBytes) return std::nullopt;
  auto reserved = Reserve(bytes.size());
  if (reserved) bytes.CopyTo(reserved->memory, bytes.size());
  return reserved;
}

std::optional<wire::ArenaMaker::Reserved> PayloadSocket::Reserve(std::uint64_t bytes) {
  absl::MutexLock lock(&arenas_mu_);
  return maker_.Reserve(bytes, [this](int fd, const wire::ArenaShape& shape) -> std::optional<std::uint64_t> {
    arenas_mu_.AssertHeld();
    // Making arenas in vain is dearer than any other way.
    if (std::chrono::steady_clock::now() < share_again_at_) return std::nullopt;
    const auto answered = Ask(Request(wire::PayloadAsk::kShare, kNoId, shape.slot_bytes), fd);
    if (answered) return answered->answer.number;
    share_again_at_ = std::chrono::steady_clock::now() + kRefusedPause;
    return std::nullopt;
  });
}

std::shared_ptr<KnownArena> PayloadSocket::Arena(std::uint64_t number) {
  absl::MutexLock lock(&arenas_mu_);
  if (const auto found = known_.find(number); found != known_.end()) return found->second;
  const auto answered = Ask(Request(wire::PayloadAsk::kMap, kNoId, number), -1);
  if (!answered || !answered->descriptor) return nullptr;
  const auto shape = wire::CheckArena(answered->descriptor.get(), answered->answer.number);
  if (!shape.ok()) return nullptr;
  auto mapping = wire::ArenaMapping::Map(answered->descriptor.get(), *shape, wire::ArenaAccess::kNone);
  if (!mapping.ok()) return nullptr;
  // What is closed holds at most results that can be asked for again.
  std::erase_if(known_, [](const auto& entry) { return entry.second->mapping().head().closed.load() != 0; });
  return known_.emplace(number, std::make_shared<KnownArena>(*std::move(mapping))).first->second;
}

std::shared_ptr<const HeldResult> PayloadSocket::Hold(std::uint64_t number, wire::ArenaPlace place,
                                                      std::uint64_t bytes) {
  std::shared_ptr<KnownArena> arena = Arena(number);
  if (arena == nullptr || !arena->CanHold()) return nullptr;
  // Who holds nothing needs no descriptor: it is asked for when it is.
  if (arena->WantsDescriptor()) {
    const auto answered = Ask(Request(wire::PayloadAsk::kMap, kNoId, number), -1);
    if (answered && answered->descriptor) arena->SetDescriptor(answered->descriptor.get());
  }
  return HeldResult::Make(std::move(arena), place, bytes);
}

std::optional<PayloadSocket::Answered> PayloadSocket::Ask(const wire::PayloadRequest& request, int descriptor) {
  Answered answered;
  absl::MutexLock lock(&mu_);
  if (!Connect()) return std::nullopt;
  if (!Exchange(request, descriptor, &answered)) {
    // The connection stays: arenas live as long as it, and tasks that are under way may lie in them.
    given_up_ = true;
    return std::nullopt;
  }
  if (answered.answer.status != static_cast<std::uint32_t>(wire::PayloadStatus::kTaken)) return std::nullopt;
  return answered;
}

bool PayloadSocket::Connect() {
  if (given_up_ || socket_) return !given_up_;
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  given_up_ = path_.size() >= sizeof name.sun_path;
  if (given_up_) return false;
  std::memcpy(name.sun_path, path_.c_str(), path_.size() + 1);
  socket_.Reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  given_up_ = !socket_ || connect(socket_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0;
  if (given_up_) socket_.Reset();
  return !given_up_;
}

bool PayloadSocket::Exchange(const wire::PayloadRequest& request, int descriptor, Answered* answered) {
  const std::string_view bytes(reinterpret_cast<const char*>(&request), sizeof request);
  const absl::Status sent = descriptor >= 0 ? wire::SendAll(socket_.get(), bytes, {descriptor}, wire::Patience::kNoWait)
                                            : wire::SendAll(socket_.get(), bytes, {}, wire::Patience::kNoWait);
  if (!sent.ok()) return false;
  std::vector<wire::UniqueFd> descriptors;
  char* const into = reinterpret_cast<char*>(&answered->answer);
  for (std::size_t have = 0; have < sizeof answered->answer;) {
    const auto got = wire::Receive(socket_.get(), into + have, sizeof answered->answer - have, &descriptors);
    if (!got.ok() || got->end_of_file || got->would_block) return false;
    have += got->bytes;
  }
  if (!descriptors.empty()) answered->descriptor = std::move(descriptors.front());
  return true;
}

}  // namespace poold::client::internal
