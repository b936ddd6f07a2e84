#include "drivers/socketpair_pool.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "absl/strings/str_cat.h"
#include "drivers/socketpair_frame.h"
#include "squares.h"
#include "stopwatch.h"
#include "trip_times.h"

namespace poold::bench {
namespace {

constexpr std::uint64_t kBatchItems = 4096;

absl::Status Gone() { return absl::UnavailableError("a worker is gone"); }

bool Send(const Child& child, Request request, std::span<const std::uint32_t> numbers) {
  return WriteFrame(child.fd(), request, numbers.data(), numbers.size_bytes());
}

bool Receive(const Child& child, std::string* bytes) {
  Request request;
  return ReadFrame(child.fd(), &request, bytes);
}

std::uint64_t SumOf(const std::string& bytes) {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint32_t)) {
    std::uint32_t number;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    sum += number;
  }
  return sum;
}

}  // namespace

bool SocketpairPool::Does(const Job& job) const {
  switch (job.shape) {
    case Shape::kMap:
      return job.chunk == 0;
    case Shape::kTrips:
    case Shape::kEcho:
    case Shape::kWorkMap:
    case Shape::kLongFirst:
      return true;
    default:
      return false;
  }
}

absl::Status SocketpairPool::Start() {
  auto children = Child::RunRoles(workers_, "socketpair-worker", {});
  if (!children.ok()) return children.status();
  children_ = *std::move(children);
  return absl::OkStatus();
}

Samples SocketpairPool::Measure(const Job& job) {
  switch (job.shape) {
    case Shape::kMap:
      return RunMap(job);
    case Shape::kTrips:
      return RunTrips(job);
    case Shape::kEcho:
      return RunEcho(job);
    case Shape::kLongFirst:
      return RunLongFirst(job);
    default:
      return RunWork(job);
  }
}

// Two batches under way at each worker.
Samples SocketpairPool::RunMap(const Job& job) {
  const std::uint64_t batches = (job.count + kBatchItems - 1) / kBatchItems;
  const std::uint64_t ahead = 2 * children_.size();
  std::vector<std::uint32_t> numbers;
  std::string back;
  std::uint64_t sum = 0;
  const Stopwatch watch;
  for (std::uint64_t i = 0; i < batches + ahead; ++i) {
    const Child& child = children_[i % children_.size()];
    if (i >= ahead && i - ahead < batches) {
      if (!Receive(child, &back)) return Gone();
      sum += SumOf(back);
    }
    if (i >= batches) continue;
    numbers.clear();
    for (std::uint64_t n = i * kBatchItems; n < std::min(job.count, (i + 1) * kBatchItems); ++n) {
      numbers.push_back(NumberAt(n));
    }
    if (!Send(child, Request::kSquare, numbers)) return Gone();
  }
  const double seconds = watch.Seconds();
  if (sum != SumOfSquares(job.count)) return absl::InternalError(absl::StrCat("sum ", sum));
  return ItemsPerSecond(job.count, seconds);
}

Samples SocketpairPool::RunTrips(const Job& job) {
  const std::uint32_t number = 7;
  std::string back;
  return MeasureTrips(job.count, [&] {
    const bool there = Send(children_[0], Request::kSquare, {&number, 1}) && Receive(children_[0], &back);
    return there && SumOf(back) == 49 ? absl::OkStatus() : Gone();
  });
}

// One payload under way at each worker.
Samples SocketpairPool::RunEcho(const Job& job) {
  const std::string payload(job.bytes, 'p');
  const std::uint64_t ahead = children_.size();
  std::string back;
  const Stopwatch watch;
  for (std::uint64_t i = 0; i < job.count + ahead; ++i) {
    const Child& child = children_[i % ahead];
    if (i >= ahead && i - ahead < job.count && (!Receive(child, &back) || back.size() != job.bytes)) return Gone();
    if (i < job.count && !WriteFrame(child.fd(), Request::kEcho, payload.data(), payload.size())) return Gone();
  }
  return MegabytesPerSecond(job.count * job.bytes, watch.Seconds());
}

// Each worker gets its equal part at once.
Samples SocketpairPool::RunWork(const Job& job) {
  const std::size_t part = (job.sizes.size() + children_.size() - 1) / children_.size();
  std::string back;
  std::uint64_t items = 0;
  const Stopwatch watch;
  for (std::size_t i = 0; i < children_.size(); ++i) {
    const std::size_t from = std::min(i * part, job.sizes.size());
    const std::span<const std::uint32_t> steps(job.sizes.data() + from, std::min(part, job.sizes.size() - from));
    if (!Send(children_[i], Request::kWork, steps)) return Gone();
  }
  for (const Child& child : children_) {
    if (!Receive(child, &back)) return Gone();
    items += SumOf(back);
  }
  const double seconds = watch.Seconds();
  if (items != job.sizes.size()) return absl::InternalError(absl::StrCat(items, " items came back"));
  return ItemsPerSecond(items, seconds);
}

// The long one on one worker, all others on the other one alone.
Samples SocketpairPool::RunLongFirst(const Job& job) {
  const std::span<const std::uint32_t> steps(job.sizes);
  std::string back;
  const Stopwatch watch;
  if (!Send(children_.front(), Request::kWork, steps.first(1)) ||
      !Send(children_.back(), Request::kWork, steps.subspan(1))) {
    return Gone();
  }
  if (!Receive(children_.back(), &back)) return Gone();
  const double others = watch.Seconds();
  if (!Receive(children_.front(), &back)) return Gone();
  return std::vector<Sample>{{"others_s", others}, {"makespan_s", watch.Seconds()}};
}

}  // namespace poold::bench
