#include "core/scheduler/worker_order.h"

#include <algorithm>
#include <cassert>

#include "core/worker.h"

namespace poold::core {

bool WorkerOrder::Holds(const Worker& worker) const { return worker.places[which_] != Worker::kNoPlace; }

std::int64_t WorkerOrder::NumberOf(const Worker& worker) const { return heap_[worker.places[which_]].number; }

void WorkerOrder::Put(Worker& worker, std::int64_t number) {
  std::uint32_t place = worker.places[which_];
  if (place == Worker::kNoPlace) {
    place = static_cast<std::uint32_t>(heap_.size());
    heap_.push_back({number, worker.id, &worker});
    worker.places[which_] = place;
    return Up(place);
  }
  assert(heap_[place].worker == &worker);
  const std::int64_t before = heap_[place].number;
  if (number == before) return;
  heap_[place].number = number;
  number < before ? Up(place) : Down(place);
}

void WorkerOrder::TakeOut(Worker& worker) {
  const std::uint32_t place = worker.places[which_];
  if (place == Worker::kNoPlace) return;
  assert(heap_[place].worker == &worker);
  worker.places[which_] = Worker::kNoPlace;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) return;
  Set(place, last);
  Up(place);
  Down(last.worker->places[which_]);
}

std::vector<Worker*> WorkerOrder::Below(std::int64_t number) const {
  std::vector<std::size_t> places;
  if (!heap_.empty() && heap_.front().number < number) places.push_back(0);
  for (std::size_t next = 0; next < places.size(); ++next) {
    const std::size_t first = 4 * places[next] + 1;
    for (std::size_t child = first; child < heap_.size() && child < first + 4; ++child) {
      if (heap_[child].number < number) places.push_back(child);
    }
  }
  std::vector<Worker*> workers;
  workers.reserve(places.size());
  for (const std::size_t place : places) workers.push_back(heap_[place].worker);
  std::sort(workers.begin(), workers.end(), [](const Worker* a, const Worker* b) { return a->id < b->id; });
  return workers;
}

bool WorkerOrder::Check() const {
  for (std::uint32_t place = 0; place < heap_.size(); ++place) {
    if (heap_[place].worker->places[which_] != place) return false;
    if (place > 0 && heap_[place] < heap_[(place - 1) / 4]) return false;
  }
  return true;
}

void WorkerOrder::Set(std::uint32_t place, const Entry& entry) {
  heap_[place] = entry;
  entry.worker->places[which_] = place;
}

void WorkerOrder::Up(std::uint32_t place) {
  const Entry entry = heap_[place];
  while (place > 0) {
    const std::uint32_t parent = (place - 1) / 4;
    if (!(entry < heap_[parent])) break;
    Set(place, heap_[parent]);
    place = parent;
  }
  Set(place, entry);
}

void WorkerOrder::Down(std::uint32_t place) {
  const Entry entry = heap_[place];
  const auto size = static_cast<std::uint32_t>(heap_.size());
  while (4 * place + 1 < size) {
    std::uint32_t least = 4 * place + 1;
    for (std::uint32_t child = least + 1; child < size && child <= 4 * place + 4; ++child) {
      if (heap_[child] < heap_[least]) least = child;
    }
    if (!(heap_[least] < entry)) break;
    Set(place, heap_[least]);
    place = least;
  }
  Set(place, entry);
}

}  // namespace poold::core
