#include "process/worker_output.h"

#include <utility>

#include "wire/worker_page.h"

namespace poold::process {
namespace {

constexpr core::OutputStream kStreams[] = {core::OutputStream::kStdout, core::OutputStream::kStderr};

int PlaceOf(core::OutputStream stream) { return stream == core::OutputStream::kStdout ? 0 : 1; }

}  // namespace

WorkerOutput::WorkerOutput(std::size_t tail_bytes)
    : tails_{TextTail(tail_bytes), TextTail(tail_bytes)}, tail_ticket_(wire::kNoSlot) {}

absl::Status WorkerOutput::Open(EventLoop& loop, const std::function<void()>& on_readable, ChildPipeEnds* out,
                                ChildPipeEnds* err) {
  for (auto [pipe, ends] : {std::pair(&pipes_[0], out), std::pair(&pipes_[1], err)}) {
    auto made = pipe->Open(loop, [this, on_readable] {
      if (pipes_state_ == Pipes::kQuiet) pipes_state_ = Pipes::kReadable;
      on_readable();
    });
    if (!made.ok()) return made.status();
    *ends = std::move(*made);
  }
  return absl::OkStatus();
}

void WorkerOutput::Close() {
  for (OutputPipe& pipe : pipes_) pipe.Close();
}

void WorkerOutput::Rest() {
  pipes_state_ = Pipes::kResting;
  for (OutputPipe& pipe : pipes_) pipe.Rest(true);
}

void WorkerOutput::Resume() {
  if (std::exchange(pipes_state_, Pipes::kQuiet) != Pipes::kResting) return;
  for (OutputPipe& pipe : pipes_) pipe.Rest(false);
}

void WorkerOutput::Read(std::size_t limit, absl::FunctionRef<void(core::OutputStream, std::string_view)> visit) {
  for (const core::OutputStream stream : kStreams) {
    pipes_[PlaceOf(stream)].Read(limit, [&](std::string_view text) { visit(stream, text); });
  }
}

void WorkerOutput::AddToTail(std::uint32_t ticket, core::OutputStream stream, std::string_view text) {
  if (ticket != tail_ticket_) {
    for (TextTail& tail : tails_) tail.Clear();
    tail_ticket_ = ticket;
  }
  tails_[PlaceOf(stream)].Append(text);
}

std::string WorkerOutput::Tail(core::OutputStream stream) const { return tails_[PlaceOf(stream)].Last(); }

}  // namespace poold::process
