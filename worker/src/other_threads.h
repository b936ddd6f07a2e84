// The threads of this process beside the one that asks, and who made them.
//
// Role: for words. A process that is to be cloned has one thread; whoever started another is told by name. That is the
// library whose code lies outermost on the thread's stack, the C and C++ libraries set aside.
#pragma once

#include <string>
#include <vector>

namespace poold::worker {

struct OtherThread {
  std::string name;
  // The file's name without its folders, "the program" itself, or empty: it cannot be told.
  std::string library;
};

// Neither allocates memory. A thread that was joined may be there for a moment more, which BecomesAlone waits for.
bool IsAlone();
bool BecomesAlone();

std::vector<OtherThread> OtherThreads();

// "'reaper' of libzmq.so.5, 3 times 'pool-worker' of libgomp.so.1".
std::string Describe(const std::vector<OtherThread>& threads);

}  // namespace poold::worker
