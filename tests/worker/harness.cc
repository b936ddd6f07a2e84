#include "harness.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace poold::worker_test {
namespace {

std::pair<wire::UniqueFd, wire::UniqueFd> MakePair() {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  return {wire::UniqueFd(ends[0]), wire::UniqueFd(ends[1])};
}

std::pair<wire::UniqueFd, wire::UniqueFd> MakePipe() {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  return {wire::UniqueFd(ends[0]), wire::UniqueFd(ends[1])};
}

}  // namespace

Peer::Peer(wire::UniqueFd socket) : socket_(std::move(socket)) {}

void Peer::Send(internal::FrameKind kind, const google::protobuf::MessageLite* message, const std::string& blob,
                const std::vector<int>& fds) {
  std::string bytes;
  wire::AppendFrame(kind, message, blob, &bytes);
  (void)wire::SendAll(socket_.get(), bytes, fds);
}

std::pair<internal::FrameKind, std::string> Peer::Receive(int timeout_ms) {
  while (true) {
    auto frame = parser_.Next();
    if (!frame.ok()) return {};
    // What it is doing before it is ready is of no interest here.
    if (*frame && (*frame)->kind == internal::FRAME_KIND_STARTING) continue;
    if (*frame) return {(*frame)->kind, std::string((*frame)->message)};
    pollfd readable{socket_.get(), POLLIN, 0};
    if (poll(&readable, 1, timeout_ms) <= 0) return {};
    auto received = wire::Receive(socket_.get(), parser_.Reserve(65536), 65536);
    if (!received.ok() || received->end_of_file) return {};
    parser_.Commit(received->bytes);
  }
}

Exit WaitForExit(pid_t pid) {
  int status = 0;
  // Workers are cloned with exit signal 0.
  const bool ended = Eventually([&] { return waitpid(pid, &status, __WALL | WNOHANG) != 0; });
  EXPECT_TRUE(ended) << "process " << pid << " does not end";
  if (WIFSIGNALED(status)) return {-1, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

bool IsGone(pid_t pid) { return kill(pid, 0) != 0; }

bool Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

TestWorker::TestWorker() {
  page_fd.Reset(memfd_create("page", MFD_CLOEXEC));
  EXPECT_EQ(ftruncate(page_fd.get(), wire::kWorkerPageBytes), 0);
  memory = mmap(nullptr, wire::kWorkerPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, page_fd.get(), 0);
  page().magic = wire::kPageMagic;
  page().version = wire::kPageVersion;
  page().reader_wants_bell = 1;
  ring_ = std::make_unique<wire::RingReader>(memory);
}

TestWorker::~TestWorker() {
  if (pid > 0 && !IsGone(pid)) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, __WALL);
  }
  munmap(memory, wire::kWorkerPageBytes);
}

std::uint32_t TestWorker::FunctionIndex(const std::string& name) const {
  for (int i = 0; i < ready.functions_size(); ++i) {
    if (ready.functions(i).name() == name) return static_cast<std::uint32_t>(i);
  }
  return 0xffff;
}

std::vector<std::uint32_t> TestWorker::Offer(const std::vector<TestTask>& tasks) {
  std::vector<std::uint32_t> tickets;
  for (const TestTask& task : tasks) {
    const auto items = static_cast<std::uint32_t>(task.items.size());
    tickets.push_back(wire::OfferTask(page(), next_slot_++ % wire::kClaimSlots, items == 0 ? 1 : items));
    run_.add_ticket(tickets.back());
    run_.add_function(FunctionIndex(task.function));
    run_.add_encoding(task.encoding);
    run_.add_attempt(task.attempt);
    run_.add_items(items);
    run_.add_type_name(task.type_name);
    std::string args = task.args;
    for (const std::string& item : task.items) {
      run_.add_item_bytes(item.size());
      args += item;
    }
    run_.add_args_bytes(args.size());
    blob_ += args;
  }
  return tickets;
}

void TestWorker::Flush() {
  peer->Send(internal::FRAME_KIND_RUN, &run_, blob_);
  run_.Clear();
  blob_.clear();
}

std::vector<std::uint32_t> TestWorker::Run(const std::vector<TestTask>& tasks) {
  std::vector<std::uint32_t> tickets = Offer(tasks);
  Flush();
  return tickets;
}

void TestWorker::Drain() {
  const absl::Status drained = ring_->Drain([&](const wire::RecordHeader& header, std::string_view bytes) {
    std::string& whole = parts_[header.ticket];
    whole += bytes;
    if ((header.flags & wire::kMoreFollows) != 0) return;
    heard.emplace_back(header.ticket, Heard{header.kind, header.item, header.encoding, std::move(whole)});
    parts_.erase(header.ticket);
  });
  EXPECT_TRUE(drained.ok()) << drained;
}

void TestWorker::WaitForOutcomes(std::size_t count) {
  const bool came = Eventually([&] {
    siginfo_t info{};
    const bool dead =
        waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 && info.si_pid == pid;
    Drain();
    std::size_t outcomes = 0;
    for (const auto& [ticket, record] : heard) outcomes += record.kind <= wire::RecordKind::kFailure;
    return outcomes >= count || dead;
  });
  EXPECT_TRUE(came) << "waited for " << count << " outcomes";
}

std::vector<Heard> TestWorker::OutcomesOf(std::uint32_t ticket) const {
  std::vector<Heard> outcomes;
  for (const auto& [of, record] : heard) {
    if (of == ticket && record.kind <= wire::RecordKind::kFailure) outcomes.push_back(record);
  }
  return outcomes;
}

std::string TestWorker::OutputOf(std::uint32_t ticket, wire::RecordKind kind) const {
  std::string text;
  for (const auto& [of, record] : heard) {
    if (of == ticket && record.kind == kind) text += record.bytes;
  }
  return text;
}

Heard TestWorker::Call(const TestTask& task) {
  heard.clear();
  const std::uint32_t ticket = Run({task})[0];
  WaitForOutcomes(1);
  const std::vector<Heard> outcomes = OutcomesOf(ticket);
  EXPECT_EQ(outcomes.size(), 1u);
  return outcomes.empty() ? Heard{} : outcomes[0];
}

internal::Failure TestWorker::Failing(const TestTask& task) {
  const Heard outcome = Call(task);
  EXPECT_EQ(outcome.kind, wire::RecordKind::kFailure);
  internal::Failure failure;
  EXPECT_TRUE(failure.ParseFromString(outcome.bytes));
  return failure;
}

TestZygote::TestZygote(ZygoteOptions options) : options_(std::move(options)) {
  auto [ours, theirs] = MakePair();
  std::vector<std::string> settings = options_.environment;
  settings.insert(settings.end(),
                  {"POOLD_ROLE=zygote", "POOLD_CHANNEL_FD=3", "PATH=/usr/bin:/bin", "LSAN_OPTIONS=detect_leaks=0"});
  std::vector<char*> environment;
  for (std::string& setting : settings) environment.push_back(setting.data());
  environment.push_back(nullptr);
  char* arguments[] = {options_.program.data(), nullptr};

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  const wire::UniqueFd high(fcntl(theirs.get(), F_DUPFD_CLOEXEC, 100));
  posix_spawn_file_actions_adddup2(&files, high.get(), 3);
  EXPECT_EQ(posix_spawn(&pid, options_.program.c_str(), &files, nullptr, arguments, environment.data()), 0);
  posix_spawn_file_actions_destroy(&files);
  theirs.Reset();
  peer = std::make_unique<Peer>(std::move(ours));
  if (!options_.send_setup) return;

  peer->Send(internal::FRAME_KIND_SETUP, &options_.setup);
  const auto [kind, message] = peer->Receive();
  ready_ = kind == internal::FRAME_KIND_READY && ready_message.ParseFromString(message);
  if (kind == internal::FRAME_KIND_START_FAILED) last_failure.ParseFromString(message);
}

TestZygote::~TestZygote() {
  if (pid > 0 && !IsGone(pid)) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
}

std::unique_ptr<TestWorker> TestZygote::MakeWorker() {
  auto worker = std::make_unique<TestWorker>();
  auto [ours, theirs] = MakePair();
  auto [out_read, out_write] = MakePipe();
  auto [err_read, err_write] = MakePipe();
  internal::Clone clone;
  clone.set_worker_id(next_worker_++);
  peer->Send(internal::FRAME_KIND_CLONE, &clone, "",
             {theirs.get(), worker->page_fd.get(), out_write.get(), err_write.get(), out_read.get(), err_read.get()});
  const auto [kind, message] = peer->Receive();
  internal::Cloned cloned;
  if (kind != internal::FRAME_KIND_CLONED || !cloned.ParseFromString(message)) {
    ADD_FAILURE() << "not cloned, but frame " << kind;
    return nullptr;
  }
  EXPECT_EQ(cloned.worker_id(), clone.worker_id());
  worker->pid = static_cast<pid_t>(cloned.pid());
  theirs.Reset();
  worker->peer = std::make_unique<Peer>(std::move(ours));
  worker->stdout_read = std::move(out_read);
  worker->stderr_read = std::move(err_read);
  if (!options_.setup.exec_path().empty()) {
    internal::Setup setup = options_.setup;
    setup.clear_exec_path();
    worker->peer->Send(internal::FRAME_KIND_SETUP, &setup);
  }
  const auto [answer, text] = worker->peer->Receive();
  if (answer == internal::FRAME_KIND_READY && worker->ready.ParseFromString(text)) {
    if (worker->ready.same_functions()) *worker->ready.mutable_functions() = ready_message.functions();
    return worker;
  }
  last_failure.Clear();
  if (answer == internal::FRAME_KIND_START_FAILED) last_failure.ParseFromString(text);
  WaitForExit(worker->pid);
  worker->pid = -1;
  return nullptr;
}

std::string TestZygote::RefusedClone() {
  const TestWorker nobody;
  const auto [ours, theirs] = MakePair();
  const auto [read, write] = MakePipe();
  internal::Clone clone;
  clone.set_worker_id(next_worker_++);
  peer->Send(internal::FRAME_KIND_CLONE, &clone, "",
             {theirs.get(), nobody.page_fd.get(), write.get(), write.get(), read.get(), read.get()});
  const auto [kind, message] = peer->Receive();
  internal::CloneFailed failed;
  EXPECT_EQ(kind, internal::FRAME_KIND_CLONE_FAILED);
  EXPECT_TRUE(failed.ParseFromString(message));
  return failed.message();
}

internal::Setup SetupWith(const std::vector<std::string>& modules) {
  internal::Setup setup;
  setup.set_protocol_version(wire::kProtocolVersion);
  setup.set_pool("test pool");
  for (const std::string& module : modules) setup.add_module_paths(module);
  return setup;
}

std::unique_ptr<TestZygote> TestingZygote() {
  auto zygote = std::make_unique<TestZygote>(ZygoteOptions{.setup = SetupWith({TESTING_MODULE})});
  EXPECT_TRUE(zygote->ready()) << zygote->last_failure.ShortDebugString();
  return zygote;
}

}  // namespace poold::worker_test
