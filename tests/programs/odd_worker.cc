// A worker program that does not use our worker runtime: it speaks the frames of worker.proto itself, honestly or not.
// What it is to do wrong stands in ODD. Also its own zygote, so that tests of the daemon's side need nothing else.
//
//   functions: 0 echo, 1 crash (SIGSEGV), 2 print (its arguments, to stdout), 3 sleep (for ever), 4 big (64 MiB)
//   ODD=no_page answers by frames, ODD=no_page_slow item by item, ODD=no_page_tells with progress before each
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/arena.h"
#include "wire/fd_socket.h"
#include "wire/frame.h"
#include "wire/outcome_ring.h"
#include "wire/worker_page.h"

namespace {

using poold::internal::FrameKind;
using poold::wire::UniqueFd;
namespace internal = poold::internal;
namespace wire = poold::wire;

std::string Odd() {
  const char* odd = getenv("ODD");
  return odd != nullptr ? odd : "";
}

void Send(int channel, FrameKind kind, const google::protobuf::MessageLite* message, std::string_view blob = {}) {
  std::string frame;
  wire::AppendFrame(kind, message, blob, &frame);
  if (!wire::SendAll(channel, frame).ok()) _exit(0);
}

struct Received {
  FrameKind kind;
  std::string message;
  std::string blob;
  std::vector<UniqueFd> fds;
};

// The next frame; exits at the channel's end.
class Channel {
 public:
  explicit Channel(int fd) : fd_(fd), parser_(1ull << 32) {}
  int fd() const { return fd_; }
  Received Next() {
    while (true) {
      const auto frame = parser_.Next();
      if (!frame.ok()) _exit(9);
      if (*frame) {
        return {(*frame)->kind, std::string((*frame)->message), std::string((*frame)->blob), std::move(fds_)};
      }
      const auto got = wire::Receive(fd_, parser_.Reserve(65536), 65536, &fds_);
      if (!got.ok() || got->end_of_file) AtEnd();
      parser_.Commit(got->bytes);
    }
  }
  void AtEnd() {
    if (const char* kill_fd = getenv("POOLD_CGROUP_KILL_FD")) {
      if (write(atoi(kill_fd), "1", 1) < 0) _exit(8);
    }
    _exit(0);
  }

 private:
  int fd_;
  wire::FrameParser parser_;
  std::vector<UniqueFd> fds_;
};

void Ready(int channel, bool uses_page) {
  internal::Ready ready;
  ready.set_protocol_version(wire::kProtocolVersion);
  ready.set_uses_page(uses_page);
  for (const char* name : {"echo", "crash", "print", "sleep", "big"}) ready.add_functions()->set_name(name);
  Send(channel, internal::FRAME_KIND_READY, &ready);
}

std::string Run(unsigned function, std::string_view args) {
  if (function == 1) raise(SIGSEGV);
  if (function == 2 && write(1, args.data(), args.size()) < 0) _exit(7);
  if (function == 3 && write(1, "asleep\n", 7) < 0) _exit(7);
  while (function == 3) pause();
  if (function == 4) return std::string(64u << 20, 'x');
  return std::string(args);
}

void SendArena(int channel, int file) {
  std::string frame;
  wire::AppendFrame(internal::FRAME_KIND_RESULT_ARENA, nullptr, {}, &frame);
  if (!wire::SendAll(channel, frame, {file}).ok()) _exit(0);
}

// A result in an arena, in one of the ways in which it must not come.
void AnswerBadly(int channel, const std::string& odd, wire::RecordHeader header, wire::RingWriter& ring) {
  const wire::ArenaShape shape = wire::ArenaShape::For(100'000);
  const UniqueFd arena = std::move(wire::MakeArena(shape).value());
  const UniqueFd open_one(memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (ftruncate(open_one.get(), static_cast<off_t>(shape.bytes())) != 0) _exit(7);
  const auto mapping = wire::ArenaMapping::Map(arena.get(), shape, wire::ArenaAccess::kAll);
  mapping->head().words[0].store(wire::SlotWord(1, wire::SlotState::kFilled));
  if (odd == "arena_then_death") {
    SendArena(channel, arena.get());
    raise(SIGKILL);
  }
  for (int i = 0; i < 2000 && odd == "flood_arenas"; ++i) SendArena(channel, arena.get());
  while (odd == "flood_arenas") pause();
  if (odd != "no_arena") SendArena(channel, odd == "unsealed_arena" ? open_one.get() : arena.get());
  wire::ResultPlace place{.use = 1, .bytes = 100'000, .slot_bytes = shape.slot_bytes, .arena = 0, .slot = 0};
  if (odd == "arena_of_another_shape") place.slot_bytes = 4096;
  if (odd == "slot_that_is_not_filled") place.slot = 1;
  if (odd == "slot_of_an_old_use") place.use = 0;
  if (odd == "more_than_a_slot") place.bytes = shape.slot_bytes + 1;
  if (odd == "no_such_slot") place.slot = 4'000'000'000u;
  if (odd == "arena_out_of_turn") place.arena = 1;
  header.flags = wire::kInArena;
  ring.Append(header, std::string_view(reinterpret_cast<const char*>(&place), sizeof place), [] {});
}

// Through the page, one task after the other.
void WorkWithPage(Channel& channel, void* memory) {
  auto& page = *static_cast<wire::WorkerPage*>(memory);
  wire::RingWriter ring(memory);
  const auto bell = [&] { Send(channel.fd(), internal::FRAME_KIND_BELL, nullptr); };
  const std::string odd = Odd();
  while (true) {
    const Received frame = channel.Next();
    if (frame.kind == internal::FRAME_KIND_STOP) _exit(0);
    internal::Run run;
    run.ParseFromString(frame.message);
    std::string_view args = frame.blob;
    int item_place = 0;
    for (int i = 0; i < run.ticket_size(); ++i) {
      const bool chunk = run.items_size() > 0 && run.items(i) > 0;
      const std::uint32_t items = chunk ? run.items(i) : 1;
      for (std::uint32_t n = 0; n < items; ++n) {
        const std::uint64_t bytes = chunk ? run.item_bytes(item_place++) : run.args_bytes(i);
        const std::string_view mine = args.substr(0, bytes);
        args.remove_prefix(bytes);
        std::uint32_t item = 0;
        if (!wire::ClaimNext(page, run.ticket(i), &item)) continue;
        page.current_ticket = run.ticket(i);
        page.running = 1;
        const std::string result = Run(run.function_size() > 0 ? run.function(i) : 0, mine);
        wire::RecordHeader header{};
        header.kind = wire::RecordKind::kResult;
        header.ticket = run.ticket(i);
        header.item = item;
        header.encoding = 3;
        if (odd == "unknown_ticket") {
          wire::RecordHeader stranger = header;
          stranger.ticket ^= 0x770000;
          ring.Append(stranger, "nobody asked", bell);
          ring.Append(header, result, bell);
          ring.Append(header, "a second time", bell);
        } else if (odd == "out_of_order") {
          header.item += 7;
          ring.Append(header, result, bell);
        } else if (odd.find("arena") != std::string::npos || odd.find("slot") != std::string::npos) {
          AnswerBadly(channel.fd(), odd, header, ring);
        } else if (odd == "bad_ring") {
          page.written += 3;
        } else {
          ring.Append(header, result, bell);
        }
        page.running = 0;
        // Items that nobody sent, as neighbours of those that were.
        for (int more = 0; more < 3 && odd == "too_many_items" && n + 1 == items; ++more) {
          ++header.item;
          ring.Append(header, "too many", bell);
        }
        if (ring.TakeBell() || odd == "bad_ring") bell();
      }
    }
  }
}

void TellProgress(Channel& channel, std::uint32_t ticket, std::uint32_t item) {
  for (const double fraction : {0.25, 0.5, 7.0}) {
    internal::Progress progress;
    progress.set_ticket(ticket);
    progress.set_item(item);
    progress.set_fraction(fraction);
    progress.set_text("under way");
    Send(channel.fd(), internal::FRAME_KIND_PROGRESS, &progress);
  }
}

// Through frames, as a worker in another language may.
void WorkWithFrames(Channel& channel) {
  const std::string odd = Odd();
  while (true) {
    const Received frame = channel.Next();
    if (frame.kind == internal::FRAME_KIND_STOP) _exit(0);
    internal::Run run;
    run.ParseFromString(frame.message);
    std::string_view args = frame.blob;
    internal::Outcomes outcomes;
    std::string blob;
    int item_place = 0;
    for (int i = 0; i < run.ticket_size(); ++i) {
      const bool chunk = run.items_size() > 0 && run.items(i) > 0;
      for (std::uint32_t n = 0; n < (chunk ? run.items(i) : 1); ++n) {
        const std::uint64_t bytes = chunk ? run.item_bytes(item_place++) : run.args_bytes(i);
        internal::Output output;
        output.set_ticket(run.ticket(i));
        output.set_stream(1);
        Send(channel.fd(), internal::FRAME_KIND_OUTPUT, &output, "by frame");
        if (odd == "no_page_tells") TellProgress(channel, run.ticket(i), n);
        if (odd == "bad_progress") TellProgress(channel, run.ticket(i), 1000);
        const std::string result = Run(run.function_size() > 0 ? run.function(i) : 0, args.substr(0, bytes));
        args.remove_prefix(bytes);
        outcomes.add_ticket(run.ticket(i));
        outcomes.add_item(n);
        outcomes.add_result_bytes(result.size());
        outcomes.add_encoding(3);
        blob += result;
        if (odd != "no_page_slow") continue;
        Send(channel.fd(), internal::FRAME_KIND_OUTCOMES, &outcomes, blob);
        outcomes.Clear();
        blob.clear();
      }
    }
    if (outcomes.ticket_size() > 0) Send(channel.fd(), internal::FRAME_KIND_OUTCOMES, &outcomes, blob);
  }
}

void Misbehave(int channel, const std::string& odd) {
  if (odd == "exit") {
    if (write(2, "no such table\n", 14) < 0) _exit(7);
    _exit(3);
  }
  while (odd == "silent") pause();
  if (odd == "start_failed") {
    internal::StartFailed failed;
    failed.set_phase("initializer");
    failed.mutable_failure()->set_type("std::runtime_error");
    failed.mutable_failure()->set_message("the license has expired");
    Send(channel, internal::FRAME_KIND_START_FAILED, &failed);
    _exit(1);
  }
  if (odd == "bad_frame") {
    if (write(channel, std::string(64, '\xff').data(), 64) < 0) _exit(7);
    while (true) pause();
  }
  while (odd == "flood_channel") Send(channel, internal::FRAME_KIND_BELL, nullptr);
  if (odd == "hang_up") {
    close(channel);
    while (true) pause();
  }
}

[[noreturn]] void Work(std::vector<UniqueFd> fds) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getenv("POOLD_SUBREAPER") != nullptr) prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (fds.size() < 6) _exit(6);
  dup2(fds[2].get(), 1);
  dup2(fds[3].get(), 2);
  void* const memory = mmap(nullptr, wire::kWorkerPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fds[1].get(), 0);
  const std::string odd = Odd();
  unsetenv("POOLD_CGROUP_KILL_FD");
  Misbehave(fds[0].get(), odd);
  Channel channel(fds[0].get());
  const bool by_frames = odd.rfind("no_page", 0) == 0 || odd == "bad_progress";
  Ready(channel.fd(), !by_frames);
  if (odd == "flood_output") {
    while (true) {
      if (write(1, std::string(4096, 'o').data(), 4096) < 0) _exit(7);
    }
  }
  if (by_frames) WorkWithFrames(channel);
  WorkWithPage(channel, memory);
  _exit(0);
}

long CloneWorker(int cgroup) {
  clone_args args{};
  args.flags = CLONE_PARENT;
  if (cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(cgroup);
  }
  return syscall(SYS_clone3, &args, sizeof args);
}

}  // namespace

int main() {
  const std::string odd = Odd();
  Channel channel(atoi(getenv("POOLD_CHANNEL_FD")));
  channel.Next();  // SETUP
  if (odd == "zygote_exits") {
    if (write(2, "no modules here\n", 16) < 0) return 7;
    return 4;
  }
  Ready(channel.fd(), false);
  while (true) {
    Received frame = channel.Next();
    internal::Clone clone;
    if (frame.kind != internal::FRAME_KIND_CLONE || !clone.ParseFromString(frame.message)) return 5;
    if (odd == "zygote_dies_cloning") return 2;
    while (odd == "zygote_hangs_cloning") pause();
    const long pid = CloneWorker(clone.has_cgroup() ? frame.fds.back().get() : -1);
    if (pid == 0) {
      close(channel.fd());
      Work(std::move(frame.fds));
    }
    internal::Cloned cloned;
    cloned.set_worker_id(clone.worker_id());
    cloned.set_pid(odd == "zygote_lies" ? 1 : pid);
    Send(channel.fd(), internal::FRAME_KIND_CLONED, &cloned);
  }
}
