// Quiet: a stretch of code in which its thread makes no system call and gives back no payload: what runs under the
// core's mutex, for which everybody waits.
//
// Builds with assertions hold that: payloads ask MustNotBeQuiet before they go, and in `poold` and in tests of the
// engine the usual system calls do (quiet_calls.cc). The allocator and the mutex itself ask nobody.
// Threads: a mark of each thread.
#pragma once

namespace poold::base {

class Quiet {
 public:
  Quiet() { ++depth_; }
  ~Quiet() { --depth_; }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

  // Whether this thread is inside of such a stretch.
  static bool Holds() { return depth_ > 0; }

 private:
  static inline constinit thread_local int depth_ = 0;
};

// Aborts inside of a quiet stretch, with the name of what was tried there.
void MustNotBeQuiet(const char* what);

}  // namespace poold::base
