#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "wire/unique_fd.h"

namespace poold::bench {

// A program that runs beside us, whose standard input and output are the other end of a socket of ours. It dies with
// us. Move-only. Start children in the main thread: they die with the thread that started them.
class Child {
 public:
  // What ends it: SIGTERM, or that its input ends.
  enum class End { kSignal, kInput };

  Child() = default;
  // `program`: a path.
  static absl::StatusOr<Child> Run(const std::string& program, const std::vector<std::string>& arguments,
                                   End end = End::kSignal);
  // This program itself, in another role (roles.h).
  static absl::StatusOr<Child> RunRole(const std::string& role, std::vector<std::string> arguments,
                                       End end = End::kInput);
  // So many of them.
  static absl::StatusOr<std::vector<Child>> RunRoles(std::uint32_t count, const std::string& role,
                                                     const std::vector<std::string>& arguments, End end = End::kInput);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child() { Stop(); }

  // Ends it and waits until it is gone.
  void Stop();

  pid_t pid() const { return pid_; }
  int fd() const { return socket_.get(); }
  // Whether it has ended by itself.
  bool ended() const;

  // A line to it, and one from it without its end. Unavailable when it is gone.
  absl::Status WriteLine(const std::string& line);
  absl::StatusOr<std::string> ReadLine();

 private:
  Child(std::string name, pid_t pid, wire::UniqueFd socket, End end)
      : name_(std::move(name)), pid_(pid), socket_(std::move(socket)), end_(end) {}

  std::string name_;
  pid_t pid_ = 0;
  wire::UniqueFd socket_;
  End end_ = End::kSignal;
  std::string read_;
};

// The path of a program that is installed here: "beanstalkd". Also looks where daemons lie.
std::optional<std::string> FindProgram(const std::string& name);

// Of the program that runs.
std::string OwnPath();

}  // namespace poold::bench
