// MapFeed: a map whose items are read and sent on a thread of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "cli/items/item_source.h"
#include "poold/client/pool.h"

namespace poold::cli {

// Role: keeps at most `buffer` items ahead of the results that were taken, so that an endless input and a slow reader
//   of results wait for each other. Sends everything that was read before it waits for more. Thread-safe.
class MapFeed {
 public:
  // The map to open. `buffer`: the most items that are read and whose results were not taken.
  struct Shape {
    std::string function;
    client::MapOptions map;
    uint64_t buffer = UINT64_MAX;
  };
  // Opens the map and starts to read.
  MapFeed(const client::Pool& pool, Shape shape, std::unique_ptr<ItemSource> source);
  // Stops reading, and waits for the thread.
  ~MapFeed();

  MapFeed(const MapFeed&) = delete;
  MapFeed& operator=(const MapFeed&) = delete;

  // The map.
  const client::MapHandle<client::Payload>& handle() const { return handle_; }

  // One more result was taken.
  void Took() ABSL_LOCKS_EXCLUDED(mu_);

  // Ends the input here. Does not wait.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // Waits until everything is sent. Returns why reading ended before the input did; OK: reading did not.
  absl::Status Finish();

 private:
  void Run();
  // Waits until another item may be read. False: Stop was called.
  bool AwaitRoom() ABSL_LOCKS_EXCLUDED(mu_);
  // Whether AwaitRoom would wait.
  bool Crowded() ABSL_LOCKS_EXCLUDED(mu_);
  // Sends the items that were read. False: the map takes no more.
  bool Send(bool complete);

  const client::Pool pool_;
  const Shape shape_;
  const std::unique_ptr<ItemSource> source_;
  const client::MapHandle<client::Payload> handle_;

  absl::Mutex mu_;
  uint64_t read_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t taken_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;

  // Belong to the thread until it has ended.
  std::vector<uint32_t> item_bytes_;
  std::string items_;
  absl::Status status_;
  std::thread thread_;
};

}  // namespace poold::cli
