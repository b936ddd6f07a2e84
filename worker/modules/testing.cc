// Tasks that misbehave, and tasks that tell where they run: for tests, and for whoever evaluates poold. Not installed
// but with poold-bench, and in no pool that does not name it.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "poold/worker.h"

extern char** environ;

namespace {

using Clock = std::chrono::steady_clock;

// --- values ---

poold::Bytes echo(poold::Bytes bytes) { return bytes; }
POOLD_TASK("echo", echo, "echo(bytes): the same bytes");

poold::BytesView echo_view(poold::BytesView bytes) { return bytes; }
POOLD_TASK("echo_view", echo_view,
           "echo_view(bytes): the same bytes, copied once, from where they lie to where they are to lie");

std::string_view echo_text(std::string_view text) { return text; }
POOLD_TASK("echo_text", echo_text, "echo_text(text): the same text, as echo_view");

msgpack::object echo_value(const msgpack::object& value) { return value; }
POOLD_TASK("echo_value", echo_value, "echo_value(value): the same value");

std::string option_of(const std::string& name) { return std::string(poold::worker::CurrentTask().Option(name)); }
POOLD_TASK("option_of", option_of, "option_of(name): what was asked of this task by that name");

void noop() {}
POOLD_TASK("noop", noop, "noop(): nothing");

std::int64_t identity(std::int64_t number) { return number; }
POOLD_TASK("identity", identity, "identity(number): the same number");

std::string repeat(std::string_view text, std::uint32_t times) {
  std::string out;
  for (std::uint32_t i = 0; i < times; ++i) out += text;
  return out;
}
POOLD_TASK("repeat", repeat, "repeat(text, times)");

struct Person {
  std::string name;
  std::uint8_t age = 0;
  std::optional<std::string> email;
  std::vector<std::string> tags;
};
POOLD_FIELDS(Person, name, age, email, tags);

Person birthday(Person person) {
  ++person.age;
  return person;
}
POOLD_TASK("birthday", birthday, "birthday({name, age, email, tags}): a year later");

std::map<std::string, double> scale(const std::map<std::string, double>& values, double factor) {
  std::map<std::string, double> scaled;
  for (const auto& [name, value] : values) scaled[name] = value * factor;
  return scaled;
}
POOLD_TASK("scale", scale, "scale(map, factor): every value times factor");

poold::Bytes blob(std::uint64_t bytes) { return {std::string(bytes, 'x')}; }
POOLD_TASK("blob", blob, "blob(n): n bytes");

absl::StatusOr<std::int64_t> divide(std::int64_t a, std::int64_t b) {
  if (b == 0) return absl::InvalidArgumentError("division by zero");
  return a / b;
}
POOLD_TASK("divide", divide, "divide(a, b): a status INVALID_ARGUMENT where b is 0");

// --- time and memory ---

void sleep_ms(std::uint32_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }
POOLD_TASK("sleep", sleep_ms, "sleep(ms)");

void spin(std::uint32_t ms) {
  const auto end = Clock::now() + std::chrono::milliseconds(ms);
  while (Clock::now() < end) {
  }
}
POOLD_TASK("spin", spin, "spin(ms): keeps a CPU busy");

void spin_us(std::uint32_t us) {
  const auto end = Clock::now() + std::chrono::microseconds(us);
  while (Clock::now() < end) {
  }
}
POOLD_TASK("spin_us", spin_us, "spin_us(us): keeps a CPU busy for microseconds");

// Each step waits for the one before.
std::uint64_t work(std::uint64_t steps) {
  std::uint64_t chain = steps;
  for (std::uint64_t i = 0; i < steps; ++i) {
    chain = chain * 6364136223846793005u + 1442695040888963407u;
    asm volatile("" : "+r"(chain));
  }
  return steps;
}
POOLD_TASK("work", work, "work(steps): computes; costs the same also where a CPU is shared; the same number");

std::uint64_t alloc(std::uint64_t bytes) {
  std::vector<char> memory(bytes);
  for (std::size_t i = 0; i < memory.size(); i += 4096) memory[i] = 1;
  return memory.size();
}
POOLD_TASK("alloc", alloc, "alloc(bytes): touches so much memory, then frees it");

void ignore_term(std::uint32_t ms) {
  signal(SIGTERM, SIG_IGN);
  sleep_ms(ms);
}
POOLD_TASK("ignore_term", ignore_term, "ignore_term(ms): ignores SIGTERM and sleeps");

void hold_bytes(const poold::Bytes& bytes) {
  signal(SIGTERM, SIG_IGN);
  while (true) pause();
}
POOLD_TASK("hold_bytes", hold_bytes, "hold_bytes(bytes): ignores SIGTERM and sleeps for ever");

// --- ends ---

void crash(int signal_number) {
  if (signal_number == 0) return;
  std::fprintf(stderr, "crash: raising signal %d\n", signal_number);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}
POOLD_TASK("crash", crash, "crash(signal): raises it; 0: returns");

void exit_with(int code) {
  std::fprintf(stderr, "exit: leaving with code %d\n", code);
  std::exit(code);
}
POOLD_TASK("exit", exit_with, "exit(code)");

void throw_text(const std::string& text) { throw std::runtime_error(text); }
POOLD_TASK("throw", throw_text, "throw(text): a std::runtime_error");

void throw_number(std::int64_t number) { throw number; }
POOLD_TASK("throw_number", throw_number, "throw_number(n): something that is no std::exception");

std::uint32_t flaky(std::uint32_t attempts) {
  const std::uint32_t attempt = poold::worker::CurrentTask().attempt;
  if (attempt < attempts) throw std::runtime_error("flaky: attempt " + std::to_string(attempt));
  return attempt;
}
POOLD_TASK("flaky", flaky, "flaky(k): throws while the attempt is less than k, then returns it");

std::uint32_t flaky_crash(std::uint32_t attempts) {
  const std::uint32_t attempt = poold::worker::CurrentTask().attempt;
  if (attempt < attempts) crash(SIGKILL);
  return attempt;
}
std::string_view flaky_echo(std::string_view text, std::uint32_t k) {
  if (poold::worker::Attempt() < k) crash(SIGKILL);
  return text;
}
POOLD_TASK("flaky_echo", flaky_echo, "flaky_echo(text, k): kills its worker while the attempt is less than k");

POOLD_TASK("flaky_crash", flaky_crash, "flaky_crash(k): kills its worker while the attempt is less than k");

// --- faults: what a debugger would be called for ---

// Kept apart, and not of this file alone as the others: their names stand in backtraces.
}  // namespace

namespace testing_faults {

[[gnu::noinline]] void write_to_nowhere(volatile int* place) { *place = 1; }
[[gnu::noinline]] int divide_by(const volatile int& number) { return 7 / number; }
[[gnu::noinline]] int recurse(const volatile int& depth) {
  const volatile int deeper = depth - 1;
  return deeper == 0 ? 0 : recurse(deeper) + deeper;
}
// Found by malloc with its lock held.
[[gnu::noinline]] void free_twice(std::size_t bytes) {
  void* volatile memory = std::malloc(bytes);
  void* volatile neighbour = std::malloc(bytes);
  std::free(memory);
  std::free(memory);
  std::free(neighbour);
}
[[gnu::noinline]] void give_up() { std::abort(); }

}  // namespace testing_faults

namespace {

void fault(const std::string& kind) {
  namespace faults = testing_faults;
  const volatile int nothing = 0;
  if (kind == "segv") faults::write_to_nowhere(reinterpret_cast<volatile int*>(0x10));
  if (kind == "fpe") faults::divide_by(nothing);
  if (kind == "overflow") faults::recurse(nothing);
  if (kind == "heap") faults::free_twice(4000);
  if (kind == "abort") faults::give_up();
  if (kind == "thread") std::thread(faults::give_up).join();
  void (*volatile nowhere)() = nullptr;
  if (kind == "null call") nowhere();
  throw std::invalid_argument("fault: segv, fpe, overflow, heap, abort, thread or null call, not " + kind);
}
POOLD_TASK("fault", fault, "fault(kind): segv, fpe, overflow, heap, abort, thread, null call");

// --- what a task tells of itself ---

void progress(std::uint32_t steps, std::uint32_t ms) {
  for (std::uint32_t step = 1; step <= steps; ++step) {
    sleep_ms(ms);
    poold::worker::ReportProgress(static_cast<double>(step) / steps,
                                  "step " + std::to_string(step) + " of " + std::to_string(steps));
  }
}
POOLD_TASK("progress", progress, "progress(steps, ms): reports each step, which takes ms");

POOLD_TASK(
    "attempt", [] { return poold::worker::Attempt(); }, "attempt(): the number of this run, from 1");

// --- side effects ---

void print(const std::string& text) { std::printf("%s\n", text.c_str()); }
POOLD_TASK("print", print, "print(text): a line to stdout");

void print_err(const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }
POOLD_TASK("print_err", print_err, "print_err(text): a line to stderr");

// Half a line, which stays in stdio's buffer.
void print_part(const std::string& text) { std::printf("%s", text.c_str()); }
POOLD_TASK("print_part", print_part, "print_part(text): without a line's end");

void flood(std::uint64_t bytes) {
  const std::string line(99, 'f');
  for (std::uint64_t written = 0; written < bytes; written += line.size() + 1) std::puts(line.c_str());
}
POOLD_TASK("flood", flood, "flood(bytes): about so much to stdout");

[[noreturn]] void Fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

void append(const std::string& path, const std::string& line) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) Fail("open " + path);
  const std::string text = line + "\n";
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(file) == 0;
  close(file);
  if (!written) Fail("write " + path);
}
POOLD_TASK("append", append, "append(path, line): with O_APPEND and fsync: counts executions");

void await_file(const std::string& path) {
  while (access(path.c_str(), F_OK) != 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}
POOLD_TASK("await_file", await_file, "await_file(path): returns when there is such a file");

// Leaves the worker's session and its output behind, as daemons do.
[[noreturn]] void BecomeSleeper(std::uint32_t ms, const std::string& marker) {
  setsid();
  const int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; ++fd) dup2(null, fd);
  const std::string seconds = std::to_string(ms / 1000) + "." + std::to_string(1000 + ms % 1000).substr(1);
  execlp("sleep", marker.c_str(), seconds.c_str(), static_cast<char*>(nullptr));
  _exit(127);
}

std::int64_t daemonize(std::uint32_t ms, const std::string& marker) {
  int told[2];
  if (pipe2(told, O_CLOEXEC) != 0) Fail("pipe");
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  if (child == 0) {
    setsid();
    const pid_t grandchild = fork();
    if (grandchild == 0) BecomeSleeper(ms, marker);
    if (write(told[1], &grandchild, sizeof grandchild) < 0) _exit(1);
    _exit(0);
  }
  close(told[1]);
  pid_t grandchild = -1;
  const bool read_it = read(told[0], &grandchild, sizeof grandchild) == sizeof grandchild;
  close(told[0]);
  waitpid(child, nullptr, 0);
  if (!read_it || grandchild < 0) throw std::runtime_error("no grandchild");
  return grandchild;
}
POOLD_TASK("daemonize", daemonize, "daemonize(ms, marker): leaves a grandchild with argv[0] = marker; its pid");

// --- where am I ---

struct Identity {
  std::int64_t pid = 0, ppid = 0, pgid = 0, sid = 0;
  std::uint32_t uid = 0, gid = 0;
  std::string capabilities;
  std::map<std::string, std::uint64_t> limits;
  std::int32_t nice = 0;
  std::string cwd, pool, cgroup;
  std::uint64_t worker_id = 0;
  std::uint32_t attempt = 0;
};
POOLD_FIELDS(Identity, pid, ppid, pgid, sid, uid, gid, capabilities, limits, nice, cwd, pool, cgroup, worker_id,
             attempt);

std::string LineOf(const char* path, const std::string& beginning) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(beginning, 0) == 0) return line.substr(beginning.size());
  }
  return "";
}

Identity ident() {
  Identity me;
  me.pid = getpid();
  me.ppid = getppid();
  me.pgid = getpgrp();
  me.sid = getsid(0);
  me.uid = getuid();
  me.gid = getgid();
  me.capabilities = LineOf("/proc/self/status", "CapEff:\t");
  const std::pair<const char*, __rlimit_resource> limits[] = {
      {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC}, {"core", RLIMIT_CORE},   {"as", RLIMIT_AS},
      {"cpu", RLIMIT_CPU},       {"fsize", RLIMIT_FSIZE}, {"stack", RLIMIT_STACK},
  };
  for (const auto& [name, which] : limits) {
    rlimit limit{};
    if (getrlimit(which, &limit) == 0) me.limits[name] = limit.rlim_cur;
  }
  me.nice = getpriority(PRIO_PROCESS, 0);
  char path[4096];
  if (getcwd(path, sizeof path) != nullptr) me.cwd = path;
  me.cgroup = LineOf("/proc/self/cgroup", "0::");
  me.pool = poold::worker::CurrentTask().pool;
  me.worker_id = poold::worker::CurrentTask().worker_id;
  me.attempt = poold::worker::CurrentTask().attempt;
  return me;
}
POOLD_TASK("ident", ident, "ident(): pid, ppid, uid, gid, capabilities, limits, nice, cwd, ...");

std::vector<std::pair<std::int32_t, std::string>> fds() {
  std::vector<std::pair<std::int32_t, std::string>> open;
  DIR* const folder = opendir("/proc/self/fd");
  if (folder == nullptr) Fail("opendir");
  while (const dirent* entry = readdir(folder)) {
    const int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] == '.' || fd == dirfd(folder)) continue;
    char target[4096];
    const ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof target);
    open.emplace_back(fd, std::string(target, length > 0 ? static_cast<std::size_t>(length) : 0));
  }
  closedir(folder);
  return open;
}
POOLD_TASK("fds", fds, "fds(): open descriptors with their targets");

// What a clone of this process costs at least; of a worker that means: of its zygote.
double bare_forks(std::uint32_t count) {
  const auto begin = Clock::now();
  for (std::uint32_t i = 0; i < count; ++i) {
    const pid_t child = fork();
    if (child < 0) Fail("fork");
    if (child == 0) _exit(0);
    waitpid(child, nullptr, 0);
  }
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count() / std::max(count, 1u);
}
POOLD_TASK("bare_forks", bare_forks, "bare_forks(n): forks, exits and waits n times; microseconds of one");

// What a program that a task starts inherits.
std::string child_fds() {
  std::string text;
  FILE* const child = popen("ls -l /proc/self/fd", "re");
  if (child == nullptr) Fail("popen");
  for (char part[4096]; const std::size_t got = std::fread(part, 1, sizeof part, child);) text.append(part, got);
  pclose(child);
  return text;
}
POOLD_TASK("child_fds", child_fds, "child_fds(): the descriptors of a program that a task starts");

std::map<std::string, std::string> env() {
  std::map<std::string, std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view text = *at;
    const std::size_t equal = text.find('=');
    if (equal != std::string_view::npos) variables[std::string(text.substr(0, equal))] = text.substr(equal + 1);
  }
  return variables;
}
POOLD_TASK("env", env, "env(): the environment");

// --- initializers and preload functions ---

std::string initialized_with;

void init_ok(const std::string& text) { initialized_with = text; }
POOLD_TASK("init_ok", init_ok, "init_ok(text): initializer; init_text() tells it");
POOLD_TASK(
    "init_text", [] { return initialized_with; }, "init_text()");

void init_private_bytes(std::uint64_t bytes) {
  const rlimit limit{bytes, bytes};
  if (setrlimit(RLIMIT_DATA, &limit) != 0) throw std::runtime_error("setrlimit");
}
POOLD_TASK("init_private_bytes", init_private_bytes,
           "init_private_bytes(n): initializer; the worker gets no more memory of its own than so much");

void init_fail(const std::string& text) { throw std::runtime_error(text); }
POOLD_TASK("init_fail", init_fail, "init_fail(text): initializer that throws");

std::uint64_t open_files_at_start = 0;

void init_open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) open_files_at_start = limit.rlim_cur;
}
POOLD_TASK("init_open_files", init_open_files, "init_open_files(): initializer that looks at its limit");
POOLD_TASK(
    "open_files_at_start", [] { return open_files_at_start; }, "open_files_at_start(): what init_open_files saw");

void init_crash() { crash(SIGSEGV); }
POOLD_TASK("init_crash", init_crash, "init_crash(): initializer that dies");

std::int64_t preload_pid = 0;
std::vector<char> preloaded;

void preload_ok() { preload_pid = getpid(); }
POOLD_TASK("preload_ok", preload_ok, "preload_ok(): preload function; preloaded_by() tells the process");
POOLD_TASK(
    "preloaded_by", [] { return preload_pid; }, "preloaded_by()");

void preload_thread() { std::thread(sleep_ms, 3'600'000).detach(); }
POOLD_TASK("preload_thread", preload_thread, "preload_thread(): leaves a thread behind");

void preload_fail() { throw std::runtime_error("preload says no"); }
POOLD_TASK("preload_fail", preload_fail, "preload_fail(): throws");

void preload_memory() {
  const char* const megabytes = std::getenv("TESTING_PRELOAD_MB");
  preloaded.assign(std::strtoull(megabytes == nullptr ? "200" : megabytes, nullptr, 10) << 20, 1);
}
POOLD_TASK("preload_memory", preload_memory, "preload_memory(): touches TESTING_PRELOAD_MB (200) megabytes");
POOLD_TASK(
    "preloaded_bytes", [] { return std::uint64_t{preloaded.size()}; }, "preloaded_bytes()");

}  // namespace
