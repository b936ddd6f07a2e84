// The SDK for task modules and worker programs.
//
// Example:
//   #include "poold/worker.h"
//
//   static std::int64_t square(std::int64_t x) { return x * x; }
//   POOLD_TASK(square);
//
// Purpose: an ordinary C++ function becomes a task that any client calls by name. Arguments and results are converted:
//   arithmetic types, enums, std::string, std::string_view, std::vector, deque, list, set, map, unordered_map, tuple,
//   pair, array, optional, variant, chrono durations, filesystem::path, structs with POOLD_FIELDS (or MSGPACK_DEFINE),
//   poold::Bytes and poold::BytesView for raw bytes, one protobuf message as the only parameter or as the result. A
//   result may also be void, absl::Status or absl::StatusOr<T>. A type that cannot travel does not compile.
// Values: values arrive as they were sent, type and bits (poold/codec/convert.h has the rules where types differ).
//   Vectors, arrays and spans of std::uint8_t, std::byte or char are bytes; a parameter std::span<const std::uint8_t>
//   shows the bytes without a copy. A variant travels as the alternative that it holds, and arrives as the first
//   alternative that is written in the same way (poold/codec/variant.h). A duration is a whole number of nanoseconds to
//   other languages (poold/codec/times.h). A path is a string, or bytes where the path is not UTF-8. Bytes and texts of
//   4 GiB and more do not travel: TooLong is thrown. Initializers and preload functions are registered in the same way;
//   a preload function takes no parameters.
// Large payloads: a parameter std::string_view or BytesView shows the argument in place (shared memory, a file, a
//   receive buffer): read only, valid until the function returns. A result of these types is read after the function
//   has returned and before its arguments are destroyed: the result may show an argument, a static or a thread_local,
//   not a local. Such a result, a std::string or Bytes from 32 KiB to 64 MiB is written once, to the place where the
//   client finds it. A process of the same user that means harm can change arguments in shared memory meanwhile.
// Help: POOLD_TASK("name", function, "one line"): `poolctl functions` shows the line, with the types of arguments and
//   result.
// Errors: an exception that a function throws, or a status that is not OK, is the task's failure (type, message,
//   backtrace of the throw). Arguments that do not decode are a failure "poold.ArgumentError" and do not reach the
//   function.
// Threads: a worker runs one task at a time, all of them in its main thread. A function may start threads; it must join
//   them before it returns, or their later output counts as the next task's.
// Preload: with START_METHOD_FORK and START_METHOD_FRESH the modules are loaded and preload functions run once, in a
//   process from which all workers are cloned. A clone relates to that process as the child of a fork() does: it has
//   the memory, the open files and the signal handlers, and only the one thread. So the cloned process must have one
//   thread: a module, a preload function or the program itself that leaves another thread is refused, with the name of
//   the library that made the thread. Handlers that libraries registered with pthread_atfork run around each clone:
//   random numbers of TLS libraries differ, allocators have their locks, OpenBLAS ends its threads and starts them
//   again. State that knows of no fork is the same in each clone: rand(), std::mt19937 and the like, seeded in a
//   preload, give all workers the same numbers (seed them in the initializer), and all workers share a connection that
//   a preload opened (open it in the initializer, too). With START_METHOD_SPAWN every worker loads and preloads for
//   itself, and may have threads from the start.
// Children: a function may fork. Only the process in which the function was called speaks for the task: a child that
//   returns from the function, or throws, ends there at once (exit status 0 or 1), without exit handlers and without
//   writing buffered stdio; its reports are ignored. A child should end with _exit, or execute something; a child of
//   vfork must, or its parent dies. A child's output is the task's output as long as the task runs.
// Progress: ReportProgress(fraction, text) reaches every watcher of the task; CurrentTask() and Attempt() tell a
//   function where it runs.
// End: a worker flushes stdio when it is stopped, and runs no atexit functions and no destructors of static objects,
//   whichever way it was started: a forked child must not, and a worker may be killed at any time. A function finishes
//   all necessary work before it returns. A function that calls exit() itself runs the exit handlers, and ends its
//   worker: its task is CRASHED.
// Crashes: after a SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT of the worker the task's outcome names the functions on
//   the stack. A handler that a function or module installs for one of these signals takes precedence.
// Output: everything that a function writes to stdout and stderr is the task's output.
//
// Functions are built into a module (poold_add_module in CMake), which the daemon loads by name, or into a worker
// program:
//
//   int main(int argc, char** argv) { return poold::WorkerMain(argc, argv); }
#pragma once

#include "poold/codec/bytes.h"
#include "poold/codec/fields.h"
#include "poold/worker/current_task.h"
#include "poold/worker/module.h"
#include "poold/worker/registry.h"

namespace poold {

// Runs this process as the zygote or worker that the daemon started, and ends the process without exit handlers;
// returns an exit code only where the start fails. Started by hand, WorkerMain explains itself (--help, --functions:
// lists the registered functions, --run: runs one function without a daemon) and returns the exit code; 64: wrong
// options.
// REQUIRES: called from main. Other threads may run only where workers are spawned (START_METHOD_SPAWN).
// Example:
//   int main(int argc, char** argv) { return poold::WorkerMain(argc, argv); }
int WorkerMain(int argc, char** argv);

}  // namespace poold
