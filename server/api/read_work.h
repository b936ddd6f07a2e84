// Checks and converts the tasks and items that clients hand in: packed together in a session's message, or one by one
// in a call.
//
// Pure functions. Errors: made by core::MakeError, naming the field as the message calls it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/convert.h"
#include "base/memory_budget.h"
#include "base/quota.h"
#include "core/bytes.h"
#include "core/core.h"

namespace poold::api {

// Counted for a column of items beside its bytes and lengths.
inline constexpr std::uint64_t kColumnBytes = 256;

core::Bytes CountedBytes(std::string text, base::Reservation taken);

// Counts the arguments of tasks or items. `beside`: further bytes that are kept for them. Few bytes count nothing.
// Errors: RESOURCE_EXHAUSTED (QUEUE_FULL), with a time to try again: the memory for arguments is in use.
absl::StatusOr<core::Bytes> CountArguments(std::string text, std::uint64_t beside, const base::MemoryBudget& memory);
// The same of large ones that have an owner, who stays.
absl::StatusOr<core::Bytes> CountArguments(core::Bytes bytes, const base::MemoryBudget& memory);

// The names of a message's fields, for refusals.
struct WorkFields {
  std::string_view pool;
  std::string_view function;
  std::string_view type_name;
  std::string_view encoding;
  std::string_view chunk_size = {};  // of a map
};

// Where work is to be done, and the type beside its arguments.
absl::Status CheckWork(std::string_view pool, std::string_view function, std::string_view type_name,
                       const WorkFields& fields);

// INVALID_ARGUMENT: the chunk_size is zero.
absl::Status ZeroChunkSize(std::string_view field);

// Items of a map that lie one behind the other in `data`, and the length of each; null where there are none.
// Errors: RESOURCE_EXHAUSTED (QUEUE_FULL): the memory for arguments is in use.
absl::StatusOr<std::shared_ptr<const core::ItemColumn>> KeepItems(std::string data, std::vector<std::uint32_t> lengths,
                                                                  const base::MemoryBudget& memory);

// A map as MapRequest and MapGroup describe it, but for its client, id, options, type, items and whether it is
// complete. Views are the message's.
template <typename Message>
absl::StatusOr<core::MapGroup> ReadMapHead(const Message& message, std::string_view type_name, int encoding,
                                           bool has_bytes, const WorkFields& fields) {
  absl::Status status = CheckWork(message.pool(), message.function(), type_name, fields);
  if (status.ok() && message.has_chunk_size() && message.chunk_size() == 0) status = ZeroChunkSize(fields.chunk_size);
  if (status.ok()) status = CheckEncoding(encoding, has_bytes, fields.encoding);
  if (!status.ok()) return status;
  core::MapGroup map;
  map.pool = message.pool();
  map.function = message.function();
  map.first_index = message.first_index();
  map.encoding = static_cast<core::Encoding>(encoding);
  map.chunk_size = message.chunk_size();
  map.fail_fast = message.fail_fast();
  return map;
}

}  // namespace poold::api
