// Interrupt: Ctrl-C during a wait.
#pragma once

#include <functional>
#include <thread>

namespace poold::cli {

// Role: the first Ctrl-C calls `on_interrupt` on a thread of its own; the second ends the process with kInterrupted.
//   The destructor ends the thread.
class Interrupt {
 public:
  // Blocks SIGINT for this thread and later ones, so that the signal reaches this class alone. REQUIRES: no other
  // thread was started.
  static void Block();

  // Starts the thread. REQUIRES: Block was called.
  explicit Interrupt(std::function<void()> on_interrupt);
  ~Interrupt();

  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

 private:
  void Await(const std::function<void()>& on_interrupt);

  std::thread thread_;
};

}  // namespace poold::cli
