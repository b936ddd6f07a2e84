// The other threads of this process, and the libraries that made them.
//
// Role: for error messages. A process that is cloned must have one thread; another thread is reported by its name and
//   its library: the library whose code lies outermost on the thread's stack, apart from the C and C++ libraries.
#pragma once

#include <string>
#include <vector>

namespace poold::worker {

// A thread for people. A plain value.
struct OtherThread {
  std::string name;
  // The file's name without folders, "the program", or empty: not known.
  std::string library;
};

// Whether this process has one thread. Does not allocate memory.
bool IsAlone();
// As IsAlone, but waits up to about 0.2 s for threads that were joined and still disappear. Does not allocate memory.
bool BecomesAlone();

// The threads beside the calling one.
std::vector<OtherThread> OtherThreads();

// "'reaper' of libzmq.so.5, 3 times 'pool-worker' of libgomp.so.1".
std::string Describe(const std::vector<OtherThread>& threads);

}  // namespace poold::worker
