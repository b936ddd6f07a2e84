#include "drivers/redis.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "connect_to.h"
#include "private_daemon.h"
#include "stopwatch.h"
#include "transfer.h"
#include "trip_times.h"

namespace poold::bench {
namespace {

// How many pushes leave before their answers are read.
constexpr std::uint64_t kPushesAhead = 256;
constexpr std::size_t kReadBytes = 256 << 10;

absl::Status RedisIsGone() { return absl::UnavailableError("redis is gone"); }

// A worker's whole life, one write for each job: its result, and the next one.
absl::Status ServeRedis(RedisConnection* connection) {
  connection->Send({"BRPOP", "work", "0"});
  while (true) {
    const auto job = connection->Read();
    if (!job.ok()) return job.status();
    connection->Send({"LPUSH", "results", *job});
    connection->Send({"BRPOP", "work", "0"});
    if (const auto pushed = connection->Read(); !pushed.ok()) return pushed.status();
  }
}

}  // namespace

// ---- The connection ----

bool RedisConnection::Connect(const std::string& address) {
  socket_ = ConnectTo(address);
  return static_cast<bool>(socket_);
}

void RedisConnection::Send(const std::vector<std::string_view>& command) {
  absl::StrAppend(&out_, "*", command.size(), "\r\n");
  for (const std::string_view word : command) {
    absl::StrAppend(&out_, "$", word.size(), "\r\n");
    out_.append(word);
    out_.append("\r\n");
  }
}

// At least so many bytes wait after it.
absl::Status RedisConnection::Fill(std::size_t bytes) {
  if (!out_.empty()) {
    const bool written = WriteAll(socket_.get(), out_);
    out_.clear();
    if (!written) return RedisIsGone();
  }
  if (taken_ > 0 && taken_ >= in_.size() / 2) {
    in_.erase(0, taken_);
    taken_ = 0;
  }
  while (in_.size() - taken_ < bytes) {
    const std::size_t size = in_.size();
    in_.resize(size + std::max(kReadBytes, bytes - (size - taken_)));
    const ssize_t got = read(socket_.get(), in_.data() + size, in_.size() - size);
    in_.resize(size + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got <= 0) return RedisIsGone();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> RedisConnection::ReadLine() {
  std::size_t end = 0;
  while ((end = in_.find("\r\n", taken_)) == std::string::npos) {
    if (absl::Status status = Fill(in_.size() - taken_ + 1); !status.ok()) return status;
  }
  std::string line = in_.substr(taken_, end - taken_);
  taken_ = end + 2;
  return line;
}

absl::StatusOr<std::string> RedisConnection::ReadBulk(std::size_t bytes) {
  if (absl::Status status = Fill(bytes + 2); !status.ok()) return status;
  std::string bulk = in_.substr(taken_, bytes);
  taken_ += bytes + 2;
  return bulk;
}

absl::StatusOr<std::string> RedisConnection::Read() {
  if (absl::Status status = Fill(1); !status.ok()) return status;
  const auto line = ReadLine();
  if (!line.ok()) return line.status();
  if (line->front() == '-') return absl::InternalError("redis says " + *line);
  const std::size_t number = std::strtoull(line->c_str() + 1, nullptr, 10);
  if (line->front() == '$') return ReadBulk(number);
  if (line->front() != '*') return line->substr(1);
  absl::StatusOr<std::string> last = std::string();
  for (std::size_t i = 0; i < number && last.ok(); ++i) last = Read();
  return last;
}

// ---- The driver ----

int WorkForRedis(const std::vector<std::string>& arguments) {
  RedisConnection connection;
  if (!connection.Connect(arguments.at(0))) return 1;
  return ServeRedis(&connection).ok() ? 0 : 1;
}

bool Redis::Installed() { return FindProgram("redis-server").has_value(); }

bool Redis::Does(const Job& job) const {
  return job.shape == Shape::kBurst || job.shape == Shape::kWindow || job.shape == Shape::kTrips ||
         job.shape == Shape::kEcho;
}

absl::Status Redis::Start() {
  const auto path = FindProgram("redis-server");
  if (!path) return absl::NotFoundError("redis is not installed");
  auto folder = PrivateFolder::Make();
  if (!folder.ok()) return folder.status();
  folder_.emplace(*std::move(folder));
  const std::string port = absl::StrCat(FreePort());
  const std::string address = "127.0.0.1:" + port;
  auto server = Child::Run(*path, {"--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no",
                                   "--loglevel", "warning", "--dir", folder_->At("")});
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  puts_ = std::make_unique<RedisConnection>();
  results_ = std::make_unique<RedisConnection>();
  while (!puts_->Connect(address)) {
    if (server_.ended()) return absl::UnavailableError("redis ended at its start");
  }
  if (!results_->Connect(address)) return absl::UnavailableError("redis takes no second connection");
  auto children = Child::RunRoles(workers_, "redis-worker", {address}, Child::End::kSignal);
  if (!children.ok()) return children.status();
  children_ = *std::move(children);
  return RunAll("p", 1, 1).status();
}

void Redis::Stop() {
  server_.Stop();
  puts_.reset();
  results_.reset();
  children_.clear();
  folder_.reset();
}

Samples Redis::Measure(const Job& job) {
  if (job.shape == Shape::kTrips) {
    return MeasureTrips(job.count, [this] { return RunAll("p", 1, 1).status(); });
  }
  const std::uint64_t outstanding = job.shape == Shape::kBurst ? job.count : job.outstanding;
  const auto seconds = RunAll(std::string(std::max<std::uint64_t>(1, job.bytes), 'p'), job.count, outstanding);
  if (!seconds.ok()) return seconds.status();
  if (job.shape == Shape::kEcho) return MegabytesPerSecond(job.count * job.bytes, *seconds);
  return TasksPerSecond(job.count, *seconds);
}

absl::StatusOr<double> Redis::RunAll(const std::string& payload, std::uint64_t count, std::uint64_t outstanding) {
  const std::uint64_t ahead = payload.size() < 1024 ? kPushesAhead : 1;
  std::uint64_t pushed = 0;
  std::uint64_t answered = 0;
  const Stopwatch watch;
  for (std::uint64_t taken = 0; taken < count;) {
    while (pushed < count && pushed - taken < outstanding && pushed - answered < ahead) {
      puts_->Send({"LPUSH", "work", payload});
      ++pushed;
    }
    for (; answered < pushed; ++answered) {
      if (const auto length = puts_->Read(); !length.ok()) return length.status();
    }
    if (pushed < count && pushed - taken < outstanding) continue;
    results_->Send({"BRPOP", "results", "0"});
    const auto result = results_->Read();
    if (!result.ok()) return result.status();
    if (*result != payload) return absl::InternalError("another payload");
    ++taken;
  }
  return watch.Seconds();
}

}  // namespace poold::bench
