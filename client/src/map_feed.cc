#include "poold/client/internal/map_feed.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <thread>
#include <vector>

#include "error.h"
#include "session/handle_state.h"

namespace poold::client::internal {
namespace {

constexpr std::uint64_t kDefaultBuffer = 1024;
// An input that has nothing now is asked again after this.
constexpr Duration kAskAgain = std::chrono::milliseconds(20);
// Who takes longer than this for one item holds up results that are there.
constexpr Duration kSlowInput = std::chrono::milliseconds(1);

std::string Readable(const char* mangled) {
  int status = 0;
  char* readable = abi::__cxa_demangle(mangled, nullptr, nullptr, &status);
  std::string name = status == 0 ? readable : mangled;
  std::free(readable);
  return name;
}

void Describe(const std::string& type, std::string_view message, Outcome* outcome) {
  outcome->state = TaskState::kFailed;
  outcome->failure = Failure{.type = type, .message = "the input failed: " + std::string(message)};
}

bool StillWaits(const absl::StatusOr<std::optional<ItemView>>& item) {
  return !item.ok() && ReasonOf(item.status()) == reason::kWaitTimeout;
}

// Asks, and makes an outcome of what it throws.
template <typename Pull>
Pulled Guarded(const Pull& pull, Outcome* failure) {
  try {
    const auto pulled = pull();
    if (pulled.ok()) return *pulled;
    Describe("absl::Status", pulled.status().ToString(), failure);
    failure->failure->status_code = static_cast<int>(pulled.status().code());
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (const std::exception& error) {
    Describe(Readable(typeid(error).name()), error.what(), failure);
  } catch (...) {
    const std::type_info* type = abi::__cxa_current_exception_type();
    Describe(type != nullptr ? Readable(type->name()) : "", "something that is no std::exception", failure);
  }
  return Pulled::kEnd;
}

}  // namespace

Pulled PullFrom(const MapSource& source, Payload* item, Outcome* failure) {
  return Guarded(
      [&] {
        absl::StatusOr<Pulled> pulled = source(item);
        codec::Length(item->data.size());  // throws where an item is too large to travel
        return pulled;
      },
      failure);
}

MapRef SendAll(Connection& connection, std::string_view pool, std::string_view function, const MapOptions& options,
               const PackSource& source) {
  MapRef map;
  ItemPack pack;
  Outcome failure;
  bool wanted = true;
  const auto send = [&](bool complete) {
    wanted = connection.AddItems(map, {pack.item_bytes(), pack.items(), complete}).ok();
    pack.Clear();
  };
  for (bool more = true; wanted && more;) {
    more = Guarded([&] { return source(&pack); }, &failure) != Pulled::kEnd;
    if (!map) map = connection.OpenMap({pool, function, pack.encoding(), pack.type_name(), &options});
    if (more) send(/*complete=*/false);
  }
  const bool failed = failure.state != TaskState::kUnspecified;
  if (wanted && failed && !pack.empty()) send(/*complete=*/false);
  if (wanted && failed) map.FailInput(failure);
  if (wanted) send(/*complete=*/true);
  return map;
}

StreamFeed::StreamFeed(std::shared_ptr<Connection> connection, std::string pool, std::string function,
                       MapOptions options, MapSource source)
    : connection_(std::move(connection)),
      pool_(std::move(pool)),
      function_(std::move(function)),
      options_(std::move(options)),
      most_(std::max<std::uint64_t>(1, options_.buffer_size.value_or(kDefaultBuffer))),
      whole_(options_.timeout.value_or(kForever)),
      source_(std::move(source)) {}

void StreamFeed::Open(const Payload& first) {
  if (map_) return;
  map_ = connection_->OpenMap({pool_, function_, first.encoding, first.type_name, &options_, /*streamed=*/true});
}

void StreamFeed::End(const Outcome* failure) {
  input_ = Input::kOver;
  source_ = nullptr;
  Open({.encoding = Encoding::kMsgpack});
  if (failure != nullptr) map_.FailInput(*failure);
  connection_->AddItems(map_, {.complete = true}).IgnoreError();
}

StreamFeed::Input StreamFeed::PullOne() {
  Payload item{.encoding = Encoding::kMsgpack};
  Outcome failure;
  const auto before = Deadline::Clock::now();
  const Pulled pulled = PullFrom(source_, &item, &failure);
  if (pulled == Pulled::kNotYet) return Input::kNothingNow;
  if (pulled == Pulled::kEnd) {
    End(failure.state != TaskState::kUnspecified ? &failure : nullptr);
    return Input::kOver;
  }
  Open(item);
  const auto bytes = static_cast<std::uint32_t>(item.data.size());
  ++pulled_;
  if (!connection_->AddItems(map_, {{&bytes, 1}, item.data, false}).ok()) {
    // The map has ended: nothing more is wanted of the input.
    source_ = nullptr;
    return Input::kOver;
  }
  return Deadline::Clock::now() - before > kSlowInput ? Input::kSlow : Input::kReady;
}

void StreamFeed::Refill() {
  if (input_ == Input::kOver) return;
  input_ = Input::kReady;
  while (input_ == Input::kReady && room() > 0 && !whole_.passed()) input_ = PullOne();
}

// REQUIRES: what there is was handed out, and there is no room or no input.
absl::StatusOr<std::optional<ItemView>> StreamFeed::AwaitItem(const Deadline& deadline) {
  Duration step = std::min(deadline.left(), whole_.left());
  if (room() > 0 && input_ == Input::kSlow) step = Duration::zero();
  if (room() > 0 && input_ == Input::kNothingNow) step = std::min(step, kAskAgain);
  if (map_) return map_.Next(&cursor_, options_.order, step);
  std::this_thread::sleep_for(step);
  return WaitTimeoutError(function_);
}

absl::StatusOr<std::optional<ItemView>> StreamFeed::Next(Duration timeout) {
  const Deadline deadline(timeout);
  if (room() >= std::max<std::uint64_t>(1, most_ / 4)) Refill();
  while (true) {
    absl::StatusOr<std::optional<ItemView>> item = WaitTimeoutError(function_);
    if (map_) item = map_.Next(&cursor_, options_.order, Duration::zero());
    if (StillWaits(item)) Refill();
    if (StillWaits(item)) item = AwaitItem(deadline);
    if (!StillWaits(item)) {
      if (item.ok() && item->has_value()) ++handed_out_;
      return item;
    }
    if (whole_.passed()) {
      map_.CancelSoon(/*running=*/false);
      return MapTimeoutError(function_);
    }
    if (deadline.passed()) return item;
    if (InOutputCallback()) {
      return absl::FailedPreconditionError("an on_output callback must not wait for a map: its items come after it");
    }
  }
}

}  // namespace poold::client::internal
