// Workers of a pool in the order of a number: least first, and among equals the one that was started first.
//
// Role: a heap with four children for each parent, in which each worker knows its place. Enter, move and take out in
// O(log n), the first one in O(1). Non-role: owns no worker, and knows nothing of what the numbers mean.
// Invariants: no entry is less than its parent; each worker's place (Worker::places) is that of its entry. Both are
// checked by Check, which the simulator and debug builds call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/types.h"

namespace poold::core {

struct Worker;

class WorkerOrder {
 public:
  // `which`: of Worker::places, the one that is this order's.
  explicit WorkerOrder(std::size_t which) : which_(which) {}

  // Puts the worker in, or gives it another number.
  void Put(Worker& worker, std::int64_t number);
  // Takes the worker out; nothing happens if it is not there.
  void TakeOut(Worker& worker);
  bool Holds(const Worker& worker) const;
  // The worker with the least number; null: there is none.
  Worker* First() const { return heap_.empty() ? nullptr : heap_.front().worker; }
  // The number of First(). REQUIRES: not empty.
  std::int64_t FirstNumber() const { return heap_.front().number; }
  // The number of this worker. REQUIRES: it is there.
  std::int64_t NumberOf(const Worker& worker) const;
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  // Workers whose number is below `number`, in the order of their starts. Looks at no others but their children.
  std::vector<Worker*> Below(std::int64_t number) const;
  // Whether the invariants hold.
  bool Check() const;

 private:
  struct Entry {
    std::int64_t number = 0;
    // The worker's id, which grows with starts.
    WorkerId start{};
    Worker* worker = nullptr;
    bool operator<(const Entry& other) const {
      return number != other.number ? number < other.number : start < other.start;
    }
  };

  void Set(std::uint32_t place, const Entry& entry);
  void Up(std::uint32_t place);
  void Down(std::uint32_t place);

  const std::size_t which_;
  std::vector<Entry> heap_;
};

}  // namespace poold::core
