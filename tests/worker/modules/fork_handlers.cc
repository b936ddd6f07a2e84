// What preload functions leave behind for clones: libraries that reseed around a fork, and handlers of their own.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "poold/worker.h"

namespace {

using Draw = std::uint64_t (*)();
Draw draw_number = nullptr;

Draw Open() {
  void* const library = dlopen(RESEEDS_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  return reinterpret_cast<Draw>(dlsym(library, "reseeds_draw"));
}

void warm() {
  draw_number = Open();
  draw_number();
}
POOLD_TASK(warm);

// Its handlers are registered and it is gone, if whoever has them lets it go.
void open_and_close() { dlclose(dlopen(RESEEDS_LIBRARY, RTLD_NOW | RTLD_LOCAL)); }
POOLD_TASK(open_and_close);

std::uint64_t draw() { return draw_number(); }
POOLD_TASK(draw);

// What a child draws that this task forks itself.
std::uint64_t draw_in_child() {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("pipe");
  const pid_t child = fork();
  if (child == 0) {
    const std::uint64_t number = draw_number();
    _exit(write(ends[1], &number, sizeof number) == sizeof number ? 0 : 1);
  }
  std::uint64_t number = 0;
  const bool read_it = read(ends[0], &number, sizeof number) == sizeof number;
  waitpid(child, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
  if (!read_it) throw std::runtime_error("the child drew nothing");
  return number;
}
POOLD_TASK(draw_in_child);

// A lock that is held while this process forks, as allocators do it; and in which order what ran.
std::mutex lock;
std::string order;

void lock_around_forks() {
  pthread_atfork([] { order += "b"; }, [] { order += "y"; }, [] { order += "Y"; });
  pthread_atfork([] { lock.lock(), order += "a"; }, [] { order += "x", lock.unlock(); },
                 [] { order += "X", lock.unlock(); });
}
POOLD_TASK(lock_around_forks);

std::string order_so_far() {
  const std::lock_guard held(lock);
  return order;
}
POOLD_TASK(order_so_far);

void throw_before_forks() {
  lock_around_forks();
  pthread_atfork([] { throw std::runtime_error("not now"); }, nullptr, nullptr);
  lock_around_forks();
}
POOLD_TASK(throw_before_forks);

void throw_in_children() {
  pthread_atfork(nullptr, nullptr, [] { throw std::runtime_error("no child of mine"); });
}
POOLD_TASK(throw_in_children);

// A thread that is ended before each fork and begun anew behind it, as OpenBLAS does.
std::atomic<bool> end_helper{false};
std::thread* helper = nullptr;

void BeginHelper() {
  end_helper = false;
  helper = new std::thread([] {
    while (!end_helper) usleep(1000);
  });
}
void EndHelper() {
  end_helper = true;
  helper->join();
  delete helper;
}

void keep_helper() {
  BeginHelper();
  pthread_atfork(EndHelper, BeginHelper, BeginHelper);
}
POOLD_TASK(keep_helper);

}  // namespace
