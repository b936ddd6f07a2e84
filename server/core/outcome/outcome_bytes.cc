#include "core/outcome/outcome_bytes.h"

namespace poold::core {

std::uint64_t BytesOf(const Outcome& outcome) {
  std::uint64_t bytes = kOutcomeOverhead + outcome.result.data.size();
  if (outcome.detail == nullptr) return bytes;
  const OutcomeDetail& detail = *outcome.detail;
  bytes += sizeof(OutcomeDetail) + detail.stdout_tail.size() + detail.stderr_tail.size();
  if (detail.failure)
    bytes += detail.failure->type.size() + detail.failure->message.size() + detail.failure->backtrace.size();
  return bytes;
}

std::uint64_t BytesOf(const ItemBlock& block) {
  std::uint64_t bytes = kOutcomeOverhead + block.results.size() + 4 * block.result_bytes.size();
  for (const auto& [index, outcome] : block.others) bytes += BytesOf(*outcome);
  return bytes;
}

}  // namespace poold::core
