#pragma once

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "cli/item_source.h"
#include "poold/client/pool.h"

namespace poold::cli {

// A map whose items are read and sent on a thread of its own, at most `buffer` of them ahead of the results that were
// taken: an endless input and a slow reader of results hold each other. What has been read is sent before the thread
// waits for more. Thread-safe.
class MapFeed {
 public:
  struct Shape {
    std::string function;
    client::MapOptions map;
    uint64_t buffer = UINT64_MAX;
  };
  MapFeed(const client::Pool& pool, Shape shape, std::unique_ptr<ItemSource> source);
  // Stops reading.
  ~MapFeed();

  MapFeed(const MapFeed&) = delete;
  MapFeed& operator=(const MapFeed&) = delete;

  const client::MapHandle<client::Payload>& handle() const { return handle_; }

  // One more result was taken.
  void Took() ABSL_LOCKS_EXCLUDED(mu_);

  // As if the input ended here.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // Waits until all is sent, or Stop. Why reading ended before the input did.
  absl::Status Finish();

 private:
  void Run();
  // False: there is no more to send.
  bool AwaitRoom() ABSL_LOCKS_EXCLUDED(mu_);
  // AwaitRoom would wait.
  bool Crowded() ABSL_LOCKS_EXCLUDED(mu_);
  bool Send(bool complete);

  const client::Pool pool_;
  const Shape shape_;
  const std::unique_ptr<ItemSource> source_;
  const client::MapHandle<client::Payload> handle_;

  absl::Mutex mu_;
  uint64_t read_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t taken_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;

  // The thread's own until it has ended.
  std::vector<uint32_t> item_bytes_;
  std::string items_;
  absl::Status status_;
  std::thread thread_;
};

}  // namespace poold::cli
