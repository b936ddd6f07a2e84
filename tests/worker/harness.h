// The daemon's side of a worker program, as small as possible: a zygote, workers cloned from it, their pages and pipes.
//
// One thread. Everything waits for its condition, or gives up (and fails the test) after ten seconds.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "poold/internal/worker.pb.h"
#include "wire/fd_socket.h"
#include "wire/frame.h"
#include "wire/outcome_ring.h"
#include "wire/unique_fd.h"
#include "wire/worker_page.h"

namespace poold::worker_test {

// One end of a channel.
class Peer {
 public:
  explicit Peer(wire::UniqueFd socket);
  void Send(internal::FrameKind kind, const google::protobuf::MessageLite* message, const std::string& blob = "",
            const std::vector<int>& fds = {});
  // The next frame's kind and message; FRAME_KIND_UNSPECIFIED at end of file, or after ten seconds.
  std::pair<internal::FrameKind, std::string> Receive(int timeout_ms = 10000);
  void Close() { socket_.Reset(); }

 private:
  wire::UniqueFd socket_;
  wire::FrameParser parser_{1 << 20};
};

struct Exit {
  int code = -1;
  int signal = 0;
};

// Waits for a child of ours.
Exit WaitForExit(pid_t pid);
bool IsGone(pid_t pid);
// Looks again and again until it is so.
bool Eventually(const std::function<bool()>& condition);

// Something that came out of the ring for one ticket.
struct Heard {
  wire::RecordKind kind;
  std::uint32_t item;
  std::uint32_t encoding;
  std::string bytes;
};

struct TestTask {
  std::string function;
  std::string args;                // of a single task
  std::vector<std::string> items;  // of a chunk
  std::uint32_t attempt = 1;
  std::uint32_t encoding = internal::ENCODING_MSGPACK;
  std::string type_name;
};

class TestWorker {
 public:
  TestWorker();
  ~TestWorker();
  TestWorker(const TestWorker&) = delete;
  TestWorker& operator=(const TestWorker&) = delete;

  // Offers the tasks in the page and sends them in one RUN frame; returns their tickets.
  std::vector<std::uint32_t> Run(const std::vector<TestTask>& tasks);
  // The same, but nothing is sent before Flush.
  std::vector<std::uint32_t> Offer(const std::vector<TestTask>& tasks);
  void Flush();

  // Reads the ring until so many results and failures came, or the worker is dead.
  void WaitForOutcomes(std::size_t count);
  void Drain();
  std::vector<Heard> OutcomesOf(std::uint32_t ticket) const;
  std::string OutputOf(std::uint32_t ticket, wire::RecordKind kind = wire::RecordKind::kStdout) const;
  // The only outcome of a task that ran alone.
  Heard Call(const TestTask& task);
  internal::Failure Failing(const TestTask& task);

  wire::WorkerPage& page() { return *static_cast<wire::WorkerPage*>(memory); }

  pid_t pid = -1;
  std::unique_ptr<Peer> peer;
  internal::Ready ready;
  void* memory = nullptr;
  wire::UniqueFd page_fd, stdout_read, stderr_read;
  // In the order of arrival.
  std::vector<std::pair<std::uint32_t, Heard>> heard;

 private:
  std::uint32_t FunctionIndex(const std::string& name) const;

  std::unique_ptr<wire::RingReader> ring_;
  std::uint16_t next_slot_ = 0;
  internal::Run run_;
  std::string blob_;
  std::map<std::uint32_t, std::string> parts_;  // fragments under way, by ticket
};

struct ZygoteOptions {
  std::string program = POOL_WORKER;
  internal::Setup setup;
  std::vector<std::string> environment;
  bool send_setup = true;
};

class TestZygote {
 public:
  explicit TestZygote(ZygoteOptions options);
  ~TestZygote();
  TestZygote(const TestZygote&) = delete;
  TestZygote& operator=(const TestZygote&) = delete;

  // After READY; otherwise `failed` says why.
  bool ready() const { return ready_; }
  // A worker that has said READY (null otherwise, see last_failure).
  std::unique_ptr<TestWorker> MakeWorker();
  // Why it makes none.
  std::string RefusedClone();

  pid_t pid = -1;
  std::unique_ptr<Peer> peer;
  internal::Ready ready_message;
  internal::StartFailed last_failure;

 private:
  bool ready_ = false;
  ZygoteOptions options_;
  std::uint64_t next_worker_ = 7;
};

// A pool's SETUP with these modules.
internal::Setup SetupWith(const std::vector<std::string>& modules);
// A zygote with the module `testing`, ready, or the test fails.
std::unique_ptr<TestZygote> TestingZygote();

}  // namespace poold::worker_test
