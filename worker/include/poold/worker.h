// The SDK for task modules and worker programs.
//
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
// Values: what goes in comes out, type and bits (codec/convert.h has the rules where types differ). Vectors, arrays and
//   spans of std::uint8_t, std::byte or char are bytes; a parameter std::span<const std::uint8_t> shows them where they
//   lie. A variant travels as the alternative that it holds, and comes back as the first that is written in the same
//   way (codec/variant.h). A duration is a whole number of nanoseconds to other languages (codec/times.h). A path is a
//   string, or bytes where it is not UTF-8. Bytes and texts of 4 GiB and more do not travel: TooLong is thrown.
//   Initializers and preload functions are registered in the same way; a preload function takes no parameters.
// Large payloads: a parameter std::string_view or BytesView shows the argument where it lies (shared memory, a file,
//   what was received): read only, valid until the function returns. A result of these types is read when the function
//   has returned, and before anything that it was given goes: it may show an argument, a static or a thread_local, not
//   a local. Such a result, a std::string or Bytes from 32 KiB to 64 MiB is written once, to where the client finds it.
//   Arguments in shared memory may change meanwhile if a process of the same user means harm.
// Help: POOLD_TASK("name", function, "one line"): `poolctl functions` shows it, with the types of arguments and result.
// Errors: what a function throws, or a status that is not OK, is the task's failure (type, message, backtrace of the
//   throw). Arguments that do not decode are a failure "poold.ArgumentError" and do not reach the function.
// Threads: a worker runs one task at a time, all of them in its only thread. A function may start threads; it must join
//   them before it returns, or what they print later counts as the next task's.
// Preload: with START_METHOD_FORK and START_METHOD_FRESH the modules are loaded and preload functions run once, in a
//   process from which all workers are cloned. A clone is to it what the child of a fork() is: it has the memory, the
//   open files and the handlers of signals, and of the threads the one. So what is cloned has one thread: a module, a
//   preload function or the program itself that leaves another one is refused, with the name of the library that made
//   it. What libraries registered with pthread_atfork runs around each clone: random numbers of TLS libraries differ,
//   allocators have their locks, OpenBLAS ends its threads and begins them anew. What knows of no fork goes on in
//   each clone where it was: rand(), std::mt19937 and the like, seeded in a preload, give all workers the same numbers
//   (seed them in the initializer), and a connection that a preload opened is shared by all (open it there, too). With
//   START_METHOD_SPAWN every worker loads and preloads for itself, and may have threads from the start.
// Children: a function may fork. Only the process that it was called in speaks for the task: a child that returns from
//   it, or throws, ends there at once (exit status 0 or 1), without exit handlers and without writing what stdio holds;
//   what it reports is not heard. It should end itself with _exit, or execute something; a child of vfork must, or its
//   parent dies. What a child prints is the task's output as long as the task runs.
// Progress: ReportProgress(fraction, text) reaches whoever watches the task; CurrentTask() and Attempt() tell a
//   function where it runs.
// End: a worker flushes stdio when it is stopped, and runs no atexit functions and no destructors of static objects,
//   whichever way it was started: as the child of a fork it must not, and where it may be killed at any time nothing
//   should rest on them. What must be finished, a function finishes before it returns. A function that calls exit()
//   itself runs them, and ends its worker: its task is CRASHED.
// Crashes: after a SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT of the worker the task's outcome names the functions on
//   the stack. A handler that a function or module installs for one of them takes precedence.
// Output: what a function writes to stdout and stderr is the task's output.
//
// Built as a module (poold_add_module in CMake), which the daemon loads by name, or into a program of one's own:
//
//   int main(int argc, char** argv) { return poold::WorkerMain(argc, argv); }
#pragma once

#include "codec/bytes.h"
#include "codec/fields.h"
#include "poold/worker/current_task.h"
#include "poold/worker/module.h"
#include "poold/worker/registry.h"
#include "poold/worker/worker_main.h"
