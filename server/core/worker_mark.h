// The worker that something ran on: facts that outlive the worker, as long as somebody remembers them.
//
// Role: a counted pointer. Thread safety: none; the count is not atomic, all copies live under the core's mutex.
#pragma once

#include <cstdint>
#include <utility>

#include "core/types.h"

namespace poold::core {

class WorkerMark {
 public:
  struct Facts {
    WorkerId id{};
    std::int64_t pid = 0;
    std::uint32_t generation = 0;
    // Marks that refer to these facts.
    std::uint32_t users = 1;
  };

  WorkerMark() = default;
  WorkerMark(WorkerId id, std::int64_t pid, std::uint32_t generation) : facts_(new Facts{id, pid, generation}) {}
  WorkerMark(const WorkerMark& other) : facts_(other.facts_) {
    if (facts_ != nullptr) ++facts_->users;
  }
  WorkerMark(WorkerMark&& other) noexcept : facts_(std::exchange(other.facts_, nullptr)) {}
  WorkerMark& operator=(WorkerMark other) noexcept {
    std::swap(facts_, other.facts_);
    return *this;
  }
  ~WorkerMark() {
    if (facts_ != nullptr && --facts_->users == 0) delete facts_;
  }

  // Null: it ran nowhere.
  const Facts* get() const { return facts_; }

 private:
  Facts* facts_ = nullptr;
};

}  // namespace poold::core
