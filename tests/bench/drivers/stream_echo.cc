#include "drivers/stream_echo.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "echoed.h"
#include "squares.h"
#include "stopwatch.h"
#include "trip_times.h"

namespace poold::bench {
namespace {

constexpr std::uint64_t kEchoBatchItems = 4096;
constexpr std::uint64_t kBatchesUnderWay = 4;

// The numbers from `from` to before `to`, four bytes each.
void Fill(Batch* batch, std::uint64_t from, std::uint64_t to) {
  batch->Clear();
  for (std::uint64_t i = from; i < to; ++i) {
    const std::uint32_t number = NumberAt(i);
    batch->add_item_bytes(sizeof number);
    batch->mutable_items()->append(reinterpret_cast<const char*>(&number), sizeof number);
  }
}

// Of the squares, so that the result is a map's.
std::uint64_t SumOf(const Batch& batch) {
  std::uint64_t sum = 0;
  const char* at = batch.items().data();
  for (const std::uint32_t size : batch.item_bytes()) {
    std::uint32_t number;
    std::memcpy(&number, at, sizeof number);
    at += size;
    sum += std::uint64_t{number} * number;
  }
  return sum;
}

absl::Status EchoGone() { return absl::UnavailableError("the stream broke"); }

}  // namespace

bool StreamEcho::Does(const Job& job) const {
  return job.shape == Shape::kTrips || job.shape == Shape::kEcho || (job.shape == Shape::kMap && job.chunk == 0);
}

absl::Status StreamEcho::Start() {
  auto folder = PrivateFolder::Make();
  if (!folder.ok()) return folder.status();
  folder_.emplace(*std::move(folder));
  const std::string address = "unix:" + folder_->At("echo.sock");
  auto server = Child::RunRole("stream-echo", {address}, Child::End::kSignal);
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  if (auto ready = server_.ReadLine(); !ready.ok()) return ready.status();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  stub_ = Echo::NewStub(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  context_ = std::make_unique<grpc::ClientContext>();
  stream_ = stub_->Run(context_.get());
  return absl::OkStatus();
}

void StreamEcho::Stop() {
  if (stream_) {
    stream_->WritesDone();
    stream_->Finish().IgnoreError();
  }
  stream_.reset();
  context_.reset();
  stub_.reset();
  server_.Stop();
  folder_.reset();
}

Samples StreamEcho::Measure(const Job& job) {
  if (job.shape == Shape::kMap) return RunMap(job);
  if (job.shape == Shape::kTrips) return RunTrips(job);
  return RunEcho(job);
}

Samples StreamEcho::RunMap(const Job& job) {
  Batch batch;
  std::uint64_t sent = 0;
  std::uint64_t under_way = 0;
  std::uint64_t sum = 0;
  const Stopwatch watch;
  while (sent < job.count || under_way > 0) {
    if (sent < job.count && under_way < kBatchesUnderWay) {
      Fill(&batch, sent, std::min(job.count, sent + kEchoBatchItems));
      sent += static_cast<std::uint64_t>(batch.item_bytes_size());
      if (!stream_->Write(batch)) return EchoGone();
      ++under_way;
      continue;
    }
    if (!stream_->Read(&batch)) return EchoGone();
    sum += SumOf(batch);
    --under_way;
  }
  const double seconds = watch.Seconds();
  if (sum != SumOfSquares(job.count)) return absl::InternalError(absl::StrCat("sum ", sum));
  return ItemsPerSecond(job.count, seconds);
}

Samples StreamEcho::RunTrips(const Job& job) {
  Batch batch;
  return MeasureTrips(job.count, [&] {
    Fill(&batch, 1, 2);
    return stream_->Write(batch) && stream_->Read(&batch) && SumOf(batch) == 1 ? absl::OkStatus() : EchoGone();
  });
}

// The best of three ways to cut it; small payloads travel together.
Samples StreamEcho::RunEcho(const Job& job) {
  double best = 0;
  for (const std::uint64_t fragment : {std::uint64_t{64} << 10, std::uint64_t{256} << 10, std::uint64_t{1} << 20}) {
    const auto rate = EchoIn(std::min(fragment, job.bytes * job.count), job.bytes * job.count);
    if (!rate.ok()) return rate.status();
    best = std::max(best, *rate);
  }
  return std::vector<Sample>{{"mb_per_s", best}};
}

absl::StatusOr<double> StreamEcho::EchoIn(std::uint64_t fragment, std::uint64_t bytes) {
  const std::uint64_t wanted = std::max<std::uint64_t>(1, bytes / fragment);
  Batch batch;
  batch.set_items(EchoPayload(fragment));
  Batch back;
  std::uint64_t sent = 0;
  const Stopwatch watch;
  for (std::uint64_t received = 0; received < wanted;) {
    if (sent < wanted && sent - received < kBatchesUnderWay) {
      if (!stream_->Write(batch)) return EchoGone();
      ++sent;
      continue;
    }
    if (!stream_->Read(&back)) return EchoGone();
    if (!IsEchoPayload(back.items(), fragment)) return absl::InternalError("another payload");
    ++received;
  }
  return static_cast<double>(wanted * fragment) / 1e6 / watch.Seconds();
}

}  // namespace poold::bench
