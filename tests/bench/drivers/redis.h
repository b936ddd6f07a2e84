#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "child.h"
#include "driver.h"
#include "private_folder.h"
#include "wire/unique_fd.h"

namespace poold::bench {

// One connection that speaks RESP, redis' protocol. Blocking. Commands may be sent before the answers to those before
// them are read: answers come in order. After an error it is of no use.
class RedisConnection {
 public:
  // False: nobody listens there.
  bool Connect(const std::string& address);

  // Leaves with the next Read.
  void Send(const std::vector<std::string_view>& command);
  // The next answer: the last string of a list ("BRPOP"), or what stands there.
  absl::StatusOr<std::string> Read();

 private:
  absl::StatusOr<std::string> ReadLine();
  absl::StatusOr<std::string> ReadBulk(std::size_t bytes);
  absl::Status Fill(std::size_t bytes);

  wire::UniqueFd socket_;
  std::string out_;
  std::string in_;
  std::size_t taken_ = 0;  // of in_
};

// A peer: redis as people build a pool with it, where it is installed: two lists, and workers that take from the one
// and push into the other (LPUSH, BRPOP). Nothing is stored. Over loopback TCP.
class Redis : public Driver {
 public:
  explicit Redis(std::uint32_t workers) : workers_(workers) {}

  static bool Installed();

  std::string subject() const override { return "redis"; }
  bool Does(const Job& job) const override;
  bool slow() const override { return true; }
  absl::Status Start() override;
  Samples Measure(const Job& job) override;
  void Stop() override;

 private:
  // Seconds for all of them, with so many under way at a time.
  absl::StatusOr<double> RunAll(const std::string& payload, std::uint64_t count, std::uint64_t outstanding);

  const std::uint32_t workers_;
  std::optional<PrivateFolder> folder_;
  Child server_;
  std::vector<Child> children_;
  std::unique_ptr<RedisConnection> puts_;
  std::unique_ptr<RedisConnection> results_;
};

// The role of a worker. Arguments: the address of redis.
int WorkForRedis(const std::vector<std::string>& arguments);

}  // namespace poold::bench
