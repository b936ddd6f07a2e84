#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "child.h"
#include "driver.h"
#include "drivers/beanstalk_connection.h"
#include "private_folder.h"

namespace poold::bench {

// A peer: beanstalkd, where it is installed. It knows no results: workers put them into a second tube, from which the
// client takes them. Over its Unix socket, or over loopback TCP, where it does without TCP_NODELAY itself.
class Beanstalkd : public Driver {
 public:
  explicit Beanstalkd(std::uint32_t workers, bool over_tcp = false) : workers_(workers), over_tcp_(over_tcp) {}

  static bool Installed();

  std::string subject() const override { return over_tcp_ ? "beanstalkd-tcp" : "beanstalkd"; }
  bool Does(const Job& job) const override;
  bool slow() const override { return true; }
  absl::Status Start() override;
  Samples Measure(const Job& job) override;
  void Stop() override;

 private:
  // Seconds for all of them, with so many under way at a time.
  absl::StatusOr<double> RunAll(const std::string& payload, std::uint64_t count, std::uint64_t outstanding);
  // The next result, which was reserved before; with its end the next one is reserved, if there will be more.
  absl::Status Take(const std::string& payload, bool more);

  const std::uint32_t workers_;
  const bool over_tcp_;
  std::optional<PrivateFolder> folder_;
  Child server_;
  std::vector<Child> children_;
  std::unique_ptr<BeanstalkConnection> puts_;
  std::unique_ptr<BeanstalkConnection> results_;
};

// The role of a worker. Arguments: the address of beanstalkd.
int WorkForBeanstalkd(const std::vector<std::string>& arguments);

}  // namespace poold::bench
