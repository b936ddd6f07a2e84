// Checks and conversions of the tasks and items that clients hand in: packed together in a session's message, or one by
// one in a call.
//
// Threads: pure functions. Ownership: results own or share their bytes.
// Errors: made by core::MakeError, naming the field as the message calls it.
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

// The bytes that count for a column of items beside its data and lengths.
inline constexpr std::uint64_t kColumnBytes = 256;

// Bytes that keep their reservation.
core::Bytes CountedBytes(std::string text, base::Reservation taken);

// Counts the arguments of tasks or items in the budget. `beside`: further bytes that are kept for them. Few bytes count
// nothing. Errors: RESOURCE_EXHAUSTED (QUEUE_FULL), with a time to try again: the memory for arguments is in use.
absl::StatusOr<core::Bytes> CountArguments(std::string text, std::uint64_t beside, const base::MemoryBudget& memory);
// As above, for large arguments that have an owner, which is kept.
absl::StatusOr<core::Bytes> CountArguments(core::Bytes bytes, const base::MemoryBudget& memory);

// The names of a message's fields, for refusals.
struct WorkFields {
  std::string_view pool;
  std::string_view function;
  std::string_view type_name;
  std::string_view encoding;
  // Of a map only.
  std::string_view chunk_size = {};
};

// Checks the names of pool, function and type.
absl::Status CheckWork(std::string_view pool, std::string_view function, std::string_view type_name,
                       const WorkFields& fields);

// INVALID_FIELD: the chunk_size is zero.
absl::Status ZeroChunkSize(std::string_view field);

// Makes a column of items that lie one behind the other in `data`, each of its length; null: there are no items.
// Errors: RESOURCE_EXHAUSTED (QUEUE_FULL): the memory for arguments is in use.
absl::StatusOr<std::shared_ptr<const core::ItemColumn>> KeepItems(std::string data, std::vector<std::uint32_t> lengths,
                                                                  const base::MemoryBudget& memory);

// Reads a map from a MapRequest or MapGroup, except client, id, options, type, items and completeness. Views refer to
// the message.
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
