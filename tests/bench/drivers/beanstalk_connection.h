#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "wire/unique_fd.h"

namespace poold::bench {

// One connection that speaks beanstalkd's text protocol. Blocking. Commands may be sent before the answers to those
// before them are read: answers come in order. After an error it is of no use.
class BeanstalkConnection {
 public:
  // False: nobody listens there.
  bool Connect(const std::string& address);

  void Send(std::string_view command);
  void SendPut(std::string_view body);
  void SendDelete(std::string_view id);
  // What of it was sent leaves now; Read does that too.
  absl::Status Flush();

  // The next answer, without its end: "INSERTED 7".
  absl::StatusOr<std::string> Read();
  // The next answer, which must begin so.
  absl::Status Expect(std::string_view beginning);
  struct Job {
    std::string id;
    std::string body;
  };
  absl::StatusOr<Job> ReadReserved();

 private:
  absl::Status Fill();

  wire::UniqueFd socket_;
  std::string out_;
  std::string in_;
  std::size_t taken_ = 0;  // of in_
};

}  // namespace poold::bench
