// Single tasks: see poold_rounds.h.
#include <algorithm>
#include <deque>

#include "absl/strings/str_cat.h"
#include "drivers/poold_rounds.h"
#include "echoed.h"
#include "poold/codec/bytes.h"
#include "stopwatch.h"
#include "trip_times.h"

namespace poold::bench {
namespace {

using Handle = client::TaskHandle<void>;
constexpr char kNoop[] = "noop";

}  // namespace

Samples RunBurst(const client::Pool& pool, const Job& job) {
  std::vector<Handle> handles;
  handles.reserve(job.count);
  const Stopwatch watch;
  for (std::uint64_t i = 0; i < job.count; ++i) handles.push_back(pool.Submit<void>(kNoop));
  for (const Handle& handle : handles) {
    if (absl::Status status = handle.Get(); !status.ok()) return status;
  }
  return TasksPerSecond(job.count, watch.Seconds());
}

Samples RunWindow(const client::Pool& pool, const Job& job) {
  std::vector<Handle> ring(std::min(job.outstanding, job.count));
  const Stopwatch watch;
  for (std::uint64_t i = 0; i < job.count + ring.size(); ++i) {
    Handle& slot = ring[i % ring.size()];
    if (i >= ring.size()) {
      if (absl::Status status = slot.Get(); !status.ok()) return status;
    }
    if (i < job.count) slot = pool.Submit<void>(kNoop);
  }
  return TasksPerSecond(job.count, watch.Seconds());
}

Samples RunTrips(const client::Pool& pool, const Job& job) {
  return MeasureTrips(job.count, [&pool] { return pool.Submit<void>(kNoop).Get(); });
}

Samples RunEcho(const client::Pool& pool, const Job& job) {
  const std::string payload = EchoPayload(job.bytes);
  std::deque<client::TaskHandle<client::SharedBytes>> under_way;
  const Stopwatch watch;
  for (std::uint64_t i = 0; i < job.count || !under_way.empty(); ++i) {
    if (under_way.size() == job.outstanding || i >= job.count) {
      const auto back = under_way.front().Get();
      if (!back.ok()) return back.status();
      if (!IsEchoPayload(back->view(), job.bytes)) return absl::InternalError("another payload");
      under_way.pop_front();
    }
    if (i < job.count) under_way.push_back(pool.Submit<client::SharedBytes>("echo_view", BytesView{payload}));
  }
  const double seconds = watch.Seconds();
  return MegabytesPerSecond(job.count * job.bytes, seconds);
}

Samples RunWorkTasks(const client::Pool& pool, const Job& job) {
  std::vector<client::TaskHandle<std::uint64_t>> handles;
  handles.reserve(job.sizes.size());
  const Stopwatch watch;
  for (const std::uint32_t steps : job.sizes) handles.push_back(pool.Submit<std::uint64_t>("work", steps));
  for (std::size_t i = 0; i < handles.size(); ++i) {
    const auto steps = handles[i].Get();
    if (!steps.ok()) return steps.status();
    if (*steps != job.sizes[i]) return absl::InternalError(absl::StrCat(*steps, " steps, wanted ", job.sizes[i]));
  }
  return TasksPerSecond(job.sizes.size(), watch.Seconds());
}

}  // namespace poold::bench
