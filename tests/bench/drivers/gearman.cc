#include "drivers/gearman.h"

#include <libgearman/gearman.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "private_daemon.h"
#include "stopwatch.h"
#include "trip_times.h"

namespace poold::bench {
namespace {

constexpr char kHost[] = "127.0.0.1";
constexpr char kFunction[] = "echo";
// It is not made for more.
constexpr std::uint64_t kMostBytes = 1 << 20;

// What has come back, by way of libgearman's callbacks.
struct Received {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};

gearman_return_t OnComplete(gearman_task_st* task) {
  auto* received = static_cast<Received*>(gearman_task_context(task));
  ++received->count;
  received->bytes += gearman_task_data_size(task);
  return GEARMAN_SUCCESS;
}

absl::Status Failed(gearman_client_st* client) { return absl::UnavailableError(gearman_client_error(client)); }

// Until the server answers.
absl::Status AwaitServer(gearman_client_st* client, const Child& server) {
  while (!server.ended()) {
    if (gearman_client_echo(client, "up", 2) == GEARMAN_SUCCESS) return absl::OkStatus();
  }
  return absl::UnavailableError("gearmand ended at its start");
}

gearman_return_t Echo(gearman_job_st* job, void* /*context*/) {
  return gearman_job_send_complete(job, gearman_job_workload(job), gearman_job_workload_size(job));
}

}  // namespace

int WorkForGearman(const std::vector<std::string>& arguments) {
  gearman_worker_st* const worker = gearman_worker_create(nullptr);
  gearman_worker_add_server(worker, kHost, static_cast<in_port_t>(std::atoi(arguments.at(0).c_str())));
  const gearman_function_t function = gearman_function_create(Echo);
  gearman_worker_define_function(worker, kFunction, sizeof kFunction - 1, function, 0, nullptr);
  while (true) gearman_worker_work(worker);
}

bool Gearman::Installed() { return FindProgram("gearmand").has_value(); }

bool Gearman::Does(const Job& job) const {
  return job.shape == Shape::kBurst || job.shape == Shape::kTrips ||
         (job.shape == Shape::kEcho && job.bytes <= kMostBytes);
}

absl::Status Gearman::Start() {
  const auto path = FindProgram("gearmand");
  if (!path) return absl::NotFoundError("gearmand is not installed");
  const int port = FreePort();
  auto server = Child::Run(*path, {absl::StrCat("--listen=", kHost), absl::StrCat("--port=", port),
                                   "--log-file=/dev/null", "--verbose=FATAL"});
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  client_ = gearman_client_create(nullptr);
  gearman_client_add_server(client_, kHost, static_cast<in_port_t>(port));
  gearman_client_set_complete_fn(client_, OnComplete);
  if (absl::Status status = AwaitServer(client_, server_); !status.ok()) return status;
  auto children = Child::RunRoles(workers_, "gearman-worker", {absl::StrCat(port)}, Child::End::kSignal);
  if (!children.ok()) return children.status();
  children_ = *std::move(children);
  return Trip();
}

void Gearman::Stop() {
  if (client_ != nullptr) gearman_client_free(client_);
  client_ = nullptr;
  children_.clear();
  server_.Stop();
}

Samples Gearman::Measure(const Job& job) {
  if (job.shape == Shape::kTrips) return MeasureTrips(job.count, [this] { return Trip(); });
  const auto seconds = RunAll(std::string(std::max<std::uint64_t>(1, job.bytes), 'p'), job.count);
  if (!seconds.ok()) return seconds.status();
  if (job.shape == Shape::kEcho) return MegabytesPerSecond(job.count * job.bytes, *seconds);
  return TasksPerSecond(job.count, *seconds);
}

absl::StatusOr<double> Gearman::RunAll(const std::string& payload, std::uint64_t count) {
  Received received;
  const Stopwatch watch;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string unique = absl::StrCat(i);
    gearman_return_t result;
    gearman_client_add_task(client_, nullptr, &received, kFunction, unique.c_str(), payload.data(), payload.size(),
                            &result);
    if (gearman_failed(result)) return Failed(client_);
  }
  if (gearman_failed(gearman_client_run_tasks(client_))) return Failed(client_);
  const double seconds = watch.Seconds();
  gearman_client_task_free_all(client_);
  if (received.count != count || received.bytes != count * payload.size()) {
    return absl::InternalError(absl::StrCat(received.count, " of ", count, " came back"));
  }
  return seconds;
}

absl::Status Gearman::Trip() {
  std::size_t size = 0;
  gearman_return_t result;
  void* const answer = gearman_client_do(client_, kFunction, "1", "p", 1, &size, &result);
  std::free(answer);
  return gearman_success(result) && size == 1 ? absl::OkStatus() : Failed(client_);
}

}  // namespace poold::bench
