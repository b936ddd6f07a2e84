#include "drivers/beanstalkd.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "private_daemon.h"
#include "stopwatch.h"
#include "trip_times.h"

namespace poold::bench {
namespace {

constexpr char kMostBytes[] = "134217728";
// How many puts leave before their answers are read.
constexpr std::uint64_t kPutsAhead = 256;

// A worker's whole life, one write for each job: its result, its end, the next one.
absl::Status Serve(BeanstalkConnection* connection) {
  connection->Send("watch work");
  connection->Send("ignore default");
  connection->Send("use results");
  for (const char* answer : {"WATCHING", "WATCHING", "USING"}) {
    if (absl::Status status = connection->Expect(answer); !status.ok()) return status;
  }
  connection->Send("reserve");
  while (true) {
    const auto job = connection->ReadReserved();
    if (!job.ok()) return job.status();
    connection->SendPut(job->body);
    connection->SendDelete(job->id);
    connection->Send("reserve");
    for (const char* answer : {"INSERTED", "DELETED"}) {
      if (absl::Status status = connection->Expect(answer); !status.ok()) return status;
    }
  }
}

}  // namespace

int WorkForBeanstalkd(const std::vector<std::string>& arguments) {
  BeanstalkConnection connection;
  if (!connection.Connect(arguments.at(0))) return 1;
  return Serve(&connection).ok() ? 0 : 1;
}

bool Beanstalkd::Installed() { return FindProgram("beanstalkd").has_value(); }

bool Beanstalkd::Does(const Job& job) const {
  return job.shape == Shape::kBurst || job.shape == Shape::kWindow || job.shape == Shape::kTrips ||
         job.shape == Shape::kEcho;
}

absl::Status Beanstalkd::Start() {
  const auto path = FindProgram("beanstalkd");
  if (!path) return absl::NotFoundError("beanstalkd is not installed");
  auto folder = PrivateFolder::Make();
  if (!folder.ok()) return folder.status();
  folder_.emplace(*std::move(folder));
  const std::string port = absl::StrCat(FreePort());
  const std::string address = over_tcp_ ? "127.0.0.1:" + port : folder_->At("beanstalkd.sock");
  std::vector<std::string> listen = {"-z", kMostBytes, "-l"};
  listen.push_back(over_tcp_ ? "127.0.0.1" : "unix:" + address);
  if (over_tcp_) listen.insert(listen.end(), {"-p", port});
  auto server = Child::Run(*path, listen);
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  puts_ = std::make_unique<BeanstalkConnection>();
  results_ = std::make_unique<BeanstalkConnection>();
  while (!puts_->Connect(address)) {
    if (server_.ended()) return absl::UnavailableError("beanstalkd ended at its start");
  }
  if (!results_->Connect(address)) return absl::UnavailableError("beanstalkd takes no second connection");
  puts_->Send("use work");
  if (absl::Status status = puts_->Expect("USING"); !status.ok()) return status;
  results_->Send("watch results");
  results_->Send("ignore default");
  for (int i = 0; i < 2; ++i) {
    if (absl::Status status = results_->Expect("WATCHING"); !status.ok()) return status;
  }
  auto children = Child::RunRoles(workers_, "beanstalkd-worker", {address}, Child::End::kSignal);
  if (!children.ok()) return children.status();
  children_ = *std::move(children);
  return RunAll("p", 1, 1).status();
}

void Beanstalkd::Stop() {
  // First, or it complains of broken pipes.
  server_.Stop();
  puts_.reset();
  results_.reset();
  children_.clear();
  folder_.reset();
}

Samples Beanstalkd::Measure(const Job& job) {
  if (job.shape == Shape::kTrips) {
    return MeasureTrips(job.count, [this] { return RunAll("p", 1, 1).status(); });
  }
  const std::uint64_t outstanding = job.shape == Shape::kBurst ? job.count : job.outstanding;
  const auto seconds = RunAll(std::string(std::max<std::uint64_t>(1, job.bytes), 'p'), job.count, outstanding);
  if (!seconds.ok()) return seconds.status();
  if (job.shape == Shape::kEcho) return MegabytesPerSecond(job.count * job.bytes, *seconds);
  return TasksPerSecond(job.count, *seconds);
}

absl::StatusOr<double> Beanstalkd::RunAll(const std::string& payload, std::uint64_t count, std::uint64_t outstanding) {
  const std::uint64_t ahead = payload.size() < 1024 ? kPutsAhead : 1;
  std::uint64_t put = 0;
  std::uint64_t answered = 0;
  const Stopwatch watch;
  if (count > 0) results_->Send("reserve");
  for (std::uint64_t taken = 0; taken < count;) {
    while (put < count && put - taken < outstanding && put - answered < ahead) {
      puts_->SendPut(payload);
      ++put;
    }
    for (; answered < put; ++answered) {
      if (absl::Status status = puts_->Expect("INSERTED"); !status.ok()) return status;
    }
    if (put < count && put - taken < outstanding) continue;
    ++taken;
    if (absl::Status status = Take(payload, /*more=*/taken < count); !status.ok()) return status;
  }
  return watch.Seconds();
}

absl::Status Beanstalkd::Take(const std::string& payload, bool more) {
  const auto result = results_->ReadReserved();
  if (!result.ok()) return result.status();
  if (result->body != payload) return absl::InternalError("another payload");
  results_->SendDelete(result->id);
  if (more) results_->Send("reserve");
  return results_->Expect("DELETED");
}

}  // namespace poold::bench
