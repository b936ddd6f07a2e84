// Marks of workers: how a task that is a client of its own daemon tells which worker it runs on. The variable
// POOLD_WORKER of its environment is "<secret>.<worker id>", and clients send it as the metadata "poold-worker".
//
// The secret belongs to the daemon, is new with each start and the same for all workers: it keeps strangers from
// speaking for a task.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

namespace poold::base {

// The worker's id; 0: the text is no mark with this secret.
inline std::uint64_t WorkerOfMark(std::string_view mark, std::string_view secret) {
  if (secret.empty() || mark.size() < secret.size() + 2 || mark.substr(0, secret.size()) != secret) return 0;
  mark.remove_prefix(secret.size());
  if (mark.front() != '.') return 0;
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(mark.data() + 1, mark.data() + mark.size(), id);
  return error == std::errc() && end == mark.data() + mark.size() ? id : 0;
}

}  // namespace poold::base
