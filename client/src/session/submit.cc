#include "error.h"
#include "session/session.h"

namespace poold::client::internal {
namespace {

// Drops that nobody has taken note of.
constexpr std::uint32_t kDropsAtOnce = 256;
// What is sent after something that the daemon has not taken yet waits at most about so long for company.
constexpr Duration kPace = std::chrono::microseconds(30);
// Who submits one after the other looks at the clock so often; a timer may come later than it should.
constexpr std::uint32_t kLookEach = 32;

absl::Status Full(std::uint64_t bytes) {
  return MakeError(reason::kClientFull,
                   std::to_string(bytes) +
                       " bytes wait to be sent (ClientOptions::max_unsent_bytes): the daemon takes "
                       "nothing, or is away");
}

// What is printed with one call is not torn apart by other threads.
void Echo(const Output& output) {
  std::FILE* file = output.stream == OutputStream::kStderr ? stderr : stdout;
  std::fwrite(output.text.data(), 1, output.text.size(), file);
  std::fflush(file);
}

std::shared_ptr<const OutputCallback> SinkOf(const TaskOptions& options) {
  if (!options.streams_output()) return nullptr;
  if (!options.echo_output) return std::make_shared<const OutputCallback>(options.on_output);
  if (!options.on_output) return std::make_shared<const OutputCallback>(Echo);
  return std::make_shared<const OutputCallback>([also = options.on_output](const Output& output) {
    Echo(output);
    also(output);
  });
}

// The same on the wire. What users gave us is not held twice, and never destroyed with the mutex held.
TaskOptions WithoutCallbacks(TaskOptions options) {
  options.echo_output = options.streams_output();
  options.watch_progress = options.streams_progress();
  options.on_output = nullptr;
  options.on_progress = nullptr;
  return options;
}

struct Written {
  std::string instance;
  HandleId id;
};

// "poold:<instance>:<id>", or the id alone.
std::optional<Written> Parse(std::string_view text) {
  constexpr std::string_view kPrefix = "poold:";
  std::string_view instance;
  if (text.substr(0, kPrefix.size()) == kPrefix) {
    text.remove_prefix(kPrefix.size());
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    instance = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  const auto id = HandleId::FromHex(text);
  if (!id) return std::nullopt;
  return Written{std::string(instance), *id};
}

}  // namespace

// Returns with the mutex held, which it leaves while it waits.
absl::Status Session::AwaitRoom(std::uint64_t bytes) {
  leader_.Resume();
  const auto full = [&](std::uint64_t held) { return held != 0 && held + bytes > options_.max_unsent_bytes; };
  while (full(outbox_.bytes()) || full(resubmission_bytes_)) {
    // In a callback of output this is the thread that would make room.
    if (options_.on_full == OnFull::kFail || InOutputCallback()) return Full(outbox_.bytes() + resubmission_bytes_);
    Waiter waiter;
    WaitNode node{&waiter};
    const Linked linked(&room_waiters_, &node);
    leader_.Await(&waiter, Deadline(kForever));
  }
  return absl::OkStatus();
}

void Session::LearnShard(std::string_view pool, std::uint32_t shard) {
  MutexLock lock(&mu_);
  handles_.SetShard(pool, shard);
}

TaskHandleState* Session::NewTask(const TaskCall& call) {
  TaskHandleState* const cell = handles_.NewTask();
  const TaskOptions& options = *call.options;
  cell->id = options.id ? *options.id : handles_.NextId(call.pool, state_ == State::kUp);
  if (auto sink = SinkOf(options)) cell->Detail().output = std::move(sink);
  if (options.on_progress) {
    cell->Detail().on_progress.push_back(std::make_shared<const ProgressCallback>(options.on_progress));
  }
  return cell;
}

bool Session::CanWrite() {
  if (state_ != State::kUp || stream_->writing || stream_->finishing) return false;
  return outbox_.unacknowledged() < std::max<std::uint64_t>(server_.limits().session_window(), 1);
}

// Through gRPC a write takes a while, and what comes meanwhile leaves together. A local one is over at once: then what
// comes leaves together when the daemon has answered, or after a moment, or when a request is full.
bool Session::IsPaced() {
  if (!stream_->is_local() || outbox_.unacknowledged() == 0 || outbox_.has_full()) return false;
  if (write_at_ != Clock::time_point::max()) {
    const bool looks = outbox_.urgent() % kLookEach == 0;
    return !looks || Clock::now() < write_at_;
  }
  write_at_ = Clock::now() + kPace;
  if (sleeps_until_ > write_at_) {
    stream_->Wake();
  } else {
    leader_.RequestPoll();
  }
  return true;
}

Session::Write Session::NextWrite(What what) {
  TakeDropped();
  if (outbox_.empty() || !CanWrite()) return {};
  if (what != What::kAll && outbox_.can_wait()) return {};
  if (what == What::kPaced && IsPaced()) return {};
  write_at_ = Clock::time_point::max();
  stream_->writing = true;
  Write write{stream_, outbox_.Send()};
  if (outbox_.empty()) leader_.ClearPending();
  return write;
}

// A lone submission leaves at once, in this thread. What comes while a write is under way leaves when that is done:
// somebody must see that.
Session::Write Session::WriteOrNudge() {
  Write write = NextWrite();
  if (write.request == nullptr && state_ == State::kUp && stream_->writing && !stream_->is_local())
    leader_.RequestPoll();
  return write;
}

TaskRef Session::Submit(const TaskCall& call, std::shared_ptr<HandleOwner> owner) {
  return SubmitTransferred(call, wire::Pieces({&call.args, 1}), HandOverFirst(call), std::move(owner));
}

TaskRef Session::SubmitPieces(const TaskCall& call, const wire::Pieces& args, std::shared_ptr<HandleOwner> owner) {
  TaskCall rest = call;
  rest.args = {};
  if (auto transfer = HandOverHere(call, args))
    return SubmitTransferred(rest, args, *std::move(transfer), std::move(owner));
  const std::string joined = args.Join();
  rest.args = joined;
  return SubmitTransferred(rest, args, call.options->wait_when_full ? HandOverFirst(rest) : UploadFirst(rest),
                           std::move(owner));
}

TaskRef Session::SubmitTransferred(const TaskCall& call, const wire::Pieces& args,
                                   const absl::StatusOr<ArgumentTransfer>& transfer,
                                   std::shared_ptr<HandleOwner> owner) {
  const bool waits = call.options->wait_when_full;
  const bool held = waits || (transfer.ok() && transfer->travels_inline());
  Write write;
  TaskRef task;
  {
    MutexLock lock(&mu_);
    absl::Status room = waits && absl::IsResourceExhausted(transfer.status()) ? absl::OkStatus() : transfer.status();
    if (room.ok()) room = AwaitRoom(held ? call.args.size() : 0);
    std::string copy = room.ok() && !waits ? CopyToUploadAgain(transfer, args) : "";
    TaskHandleState* cell = NewTask(call);
    cell->owner = std::move(owner);
    task = TaskRef(cell);
    if (room.ok() && handles_.IsTaken(cell->id)) {
      room = absl::AlreadyExistsError("a handle with the id " + cell->id.ToHex() + " is under way in this client");
    }
    cell->function = handles_.Intern(call.function);
    if (!room.ok()) {
      if (transfer.ok() && transfer->slot) wire::ArenaMaker::Abandon(*transfer->slot);
      if (transfer.ok()) DropUpload(transfer->upload_id);
      EndWithRefusal(cell, std::move(room));
      return task;
    }
    handles_.Enlist(cell, call.pool, call.function);
    handles_.Insert(cell);
    Enqueue(cell, call, transfer);
    if (!copy.empty()) KeepToUploadAgain(cell, call, std::move(copy));
    write = WriteOrNudge();
  }
  Begin(std::move(write));
  return task;
}

// To be sent now, or behind those that wait for room in the pool's queue.
void Session::Enqueue(HandleState* cell, const TaskCall& call, const absl::StatusOr<ArgumentTransfer>& transfer) {
  if (!call.options->wait_when_full) {
    if (!transfer->upload_id.empty()) cell->Detail().upload_id = transfer->upload_id;
    if (transfer->slot) {
      cell->Detail().in_arena.emplace(ArgsInArena{*transfer->slot, transfer->bytes, call.encoding,
                                                  std::string(call.type_name), WithoutCallbacks(*call.options)});
    }
    NoteSent(cell, outbox_.AddTask(call, cell->id, *transfer));
    return;
  }
  if (transfer.ok()) cell->Detail().upload_id = transfer->upload_id;
  cell->Detail().resubmission.emplace(Resubmission{
      .args = {call.encoding, std::string(call.type_name), std::string(call.args)},
      .large = call.args.size() > kInlineArgsBytes,
      .options = WithoutCallbacks(*call.options),
      .number = next_submission_++,
      .bytes = call.args.size() + kResubmissionBytes,
  });
  resubmission_bytes_ += cell->detail->resubmission->bytes;
  if (!transfer.ok()) {  // the daemon has no room for it
    TryLater(cell, transfer.status());
    return WakeLeader();
  }
  cell->pool->backlog.empty() ? Resubmit(cell) : Postpone(cell);
}

// What was uploaded for a submission that cannot leave now: a daemon that is started anew meanwhile does not know it.
// Leaves the mutex while it copies. Empty: not needed.
std::string Session::CopyToUploadAgain(const absl::StatusOr<ArgumentTransfer>& transfer, const wire::Pieces& args) {
  if (transfer->upload_id.empty() || (CanWrite() && outbox_.empty())) return "";
  mu_.Unlock();
  std::string copy = args.Join();
  mu_.Lock();
  return copy;
}

// Until the daemon has taken it. These count for the daemon's room for uploads, and here for nothing.
void Session::KeepToUploadAgain(HandleState* cell, const TaskCall& call, std::string args) {
  cell->Detail().resubmission.emplace(Resubmission{
      .args = {call.encoding, std::string(call.type_name), std::move(args)},
      .large = true,
      .options = WithoutCallbacks(*call.options),
      .number = next_submission_++,
  });
  offered_.push_back({cell->batch, cell->id});
}

MapRef Session::OpenMap(const MapCall& call, std::shared_ptr<HandleOwner> owner) {
  auto* cell = new MapHandleState;
  cell->owner = std::move(owner);
  MutexLock lock(&mu_);
  leader_.Resume();
  cell->id = call.options->task.id ? *call.options->task.id : handles_.NewMapId(call.pool, state_ == State::kUp);
  cell->call.emplace(call);
  if (call.streamed || call.options->task.wait_when_full) cell->window = std::make_unique<ItemWindow>();
  if (call.options->task.on_progress) {
    cell->Detail().on_progress.push_back(std::make_shared<const ProgressCallback>(call.options->task.on_progress));
  }
  if (auto sink = SinkOf(call.options->task)) cell->Detail().output = std::move(sink);
  handles_.Enlist(cell, call.pool, call.function);
  handles_.Insert(cell);
  return MapRef(cell);
}

absl::Status Session::AddItems(MapHandleState* map, const MapBatch& batch) {
  Write write;
  {
    MutexLock lock(&mu_);
    if (absl::Status room = AwaitRoom(batch.items.size()); !room.ok()) {
      if (!map->done()) {
        if (map->items_sent != 0) GiveUp(map);
        Refuse(map, room);
      }
      return room;
    }
    if (map->done()) return absl::CancelledError("the map has ended");
    if (map->input.now() == MapInput::kCutShort)
      return absl::CancelledError("the daemon takes no more items: " + map->why_cut_short);
    if (map->window == nullptr) {
      const std::uint64_t number = outbox_.AddItems(map->call->View(), map->id, map->items_sent, batch);
      if (map->items_sent == 0) NoteSent(map, number);
    } else {
      map->window->Push(batch);
      windows_.insert(map);
    }
    map->items_sent += batch.item_bytes.size();
    if (batch.complete && map->input.now() == MapInput::kOpen) map->input.Move(MapInput::kComplete);
    if (map->window != nullptr) SendWindow(map);
    write = WriteOrNudge();
  }
  Begin(std::move(write));
  return AwaitWindow(map);
}

// A reference to a cell that is in the tables; null when its last handle is just going.
HandleState* Session::Revive(HandleState* cell, std::shared_ptr<HandleOwner>& owner) {
  if (cell->holder.now() == Holder::kNobody) {
    cell->holder.Move(Holder::kHandles);
    cell->owner = owner;
    cell->handles.store(1, std::memory_order_relaxed);
    return cell;
  }
  return Hold(cell, 1) ? cell : nullptr;
}

absl::StatusOr<HandleState*> Session::Resume(std::string_view written, bool map, std::shared_ptr<HandleOwner> owner) {
  const auto parsed = Parse(written);
  if (!parsed) {
    return absl::InvalidArgumentError("'" + std::string(written) +
                                      "' names no handle: expected what ToString() wrote, or 32 hexadecimal digits");
  }
  Write write;
  HandleState* cell = nullptr;
  {
    MutexLock lock(&mu_);
    leader_.Resume();
    for (HandleState* known = handles_.Find(parsed->id); known != nullptr; known = handles_.Find(parsed->id)) {
      if (known->is_map != map) {
        return absl::InvalidArgumentError(std::string(written) + " is a " + (map ? "task" : "map") +
                                          ": resume it as such");
      }
      TakeDropped();
      if (HandleState* revived = Revive(known, owner)) return revived;
    }
    cell = map ? static_cast<HandleState*>(new MapHandleState) : new TaskHandleState;
    cell->id = parsed->id;
    cell->owner = std::move(owner);
    if (!parsed->instance.empty() && parsed->instance != server_.instance_id()) {
      EndWithRefusal(cell, LostError(cell->FunctionName()), Phase::kLost);
      return cell;
    }
    NoteSent(cell, outbox_.AddSubscription(cell->id));
    handles_.Insert(cell);
    write = WriteOrNudge();
  }
  Begin(std::move(write));
  return cell;
}

void Session::Dropped(HandleState* cell) {
  // What is left of an unfinished map is cancelled: that is worth a message of its own.
  const bool at_once = cell->is_map && !cell->done();
  HandleState* top = dropped_.load(std::memory_order_relaxed);
  do {
    cell->next_dropped = top;
  } while (!dropped_.compare_exchange_weak(top, cell, std::memory_order_release, std::memory_order_relaxed));
  if (dropped_count_.fetch_add(1, std::memory_order_relaxed) + 1 < kDropsAtOnce && !at_once) return;
  Write write;
  {
    MutexLock lock(&mu_);
    write = NextWrite();
  }
  Begin(std::move(write));
}

}  // namespace poold::client::internal
