#include "api/read_work.h"

#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/errors.h"
#include "api/validate.h"
#include "core/errors.h"
#include "core/types.h"
#include "wire/absl_text.h"

namespace poold::api {
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
  return core::MakeError(reason::kQueueFull,
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

absl::Status CheckWork(std::string_view pool, std::string_view function, std::string_view type_name,
                       const WorkFields& fields) {
  absl::Status status = CheckPoolName(pool, fields.pool);
  if (status.ok()) status = CheckFunctionName(function, fields.function);
  if (status.ok()) status = CheckTypeName(type_name, fields.type_name);
  return status;
}

absl::Status ZeroChunkSize(std::string_view field) {
  return InvalidField(field,
                      absl::StrCat(wire::ToAbsl(field), ": 0 is not possible; leave it unset for automatic chunks"));
}

absl::StatusOr<std::shared_ptr<const core::ItemColumn>> KeepItems(std::string data, std::vector<std::uint32_t> lengths,
                                                                  const base::MemoryBudget& memory) {
  if (lengths.empty()) return nullptr;
  auto column = std::make_shared<core::ItemColumn>();
  column->lengths = std::move(lengths);
  const std::uint64_t beside = kColumnBytes + column->lengths.size() * sizeof(std::uint32_t);
  absl::StatusOr<core::Bytes> counted = CountArguments(std::move(data), beside, memory);
  if (!counted.ok()) return counted.status();
  column->data = *std::move(counted);
  return column;
}

}  // namespace poold::api
