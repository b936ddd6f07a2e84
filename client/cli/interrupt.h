#pragma once

#include <functional>
#include <thread>

namespace poold::cli {

// Ctrl-C while we wait: calls `on_interrupt` once, on a thread of its own; the second Ctrl-C ends the process. Nothing
// is left behind when it goes.
class Interrupt {
 public:
  // Before any other thread is started: SIGINT then comes to this class alone.
  static void Block();

  explicit Interrupt(std::function<void()> on_interrupt);
  ~Interrupt();

  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

 private:
  void Await(const std::function<void()>& on_interrupt);

  std::thread thread_;
};

}  // namespace poold::cli
