#include "rpc/counted_bytes.h"

#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/errors.h"
#include "core/types.h"

namespace poold::rpc {
namespace {

constexpr core::Nanos kRetryAfter = 100 * core::kMillisecond;

struct Counted {
  std::string text;
  base::Reservation taken;
};

struct CountedAsTheyAre {
  core::Bytes bytes;
  base::Reservation taken;
};

absl::Status NoMemory(const base::Quota& arguments) {
  return core::MakeError(absl::StatusCode::kResourceExhausted, "QUEUE_FULL",
                         absl::StrCat("the memory for arguments of all pools is full: ", arguments.used(), " of ",
                                      arguments.max(), " bytes; try again later"),
                         "max_argument_bytes", kRetryAfter);
}

}  // namespace

core::Bytes CountedBytes(std::string text, base::Reservation taken) {
  auto counted = std::make_shared<Counted>();
  counted->text = std::move(text);
  counted->taken = std::move(taken);
  const std::string_view view = counted->text;
  return core::Bytes(std::move(counted), view);
}

absl::StatusOr<core::Bytes> CountArguments(core::Bytes bytes, const base::MemoryBudget& memory) {
  auto kept = std::make_shared<CountedAsTheyAre>();
  kept->bytes = std::move(bytes);
  kept->taken = base::Reservation(memory.arguments);
  if (!kept->taken.Take(kept->bytes.size())) return NoMemory(*memory.arguments);
  const std::string_view view = kept->bytes.view();
  return core::Bytes(std::move(kept), view);
}

absl::StatusOr<core::Bytes> CountArguments(std::string text, std::uint64_t beside, const base::MemoryBudget& memory) {
  if (beside == 0 && text.size() <= core::Bytes::kFew) return core::Bytes::Few(text);
  base::Reservation taken(memory.arguments);
  if (!taken.Take(text.capacity() + beside)) return NoMemory(*memory.arguments);
  return CountedBytes(std::move(text), std::move(taken));
}

}  // namespace poold::rpc
