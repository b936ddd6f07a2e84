#include "fork_handlers.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include <atomic>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace poold::worker {
namespace {

using Handler = void (*)();

struct Registration {
  Handler prepare;
  Handler parent;
  Handler child;
  const Registration* earlier;
};

// Some register before any constructor of ours runs, and none ever goes.
constinit std::atomic<const Registration*> latest{nullptr};

bool Register(const Registration& registration) {
  auto* const kept = static_cast<Registration*>(malloc(sizeof(Registration)));
  if (kept == nullptr) return false;
  *kept = registration;
  kept->earlier = latest.load();
  while (!latest.compare_exchange_weak(kept->earlier, kept)) {
  }
  return true;
}

// `inside`: an address in it.
void KeepLoaded(const void* inside) {
  Dl_info library;
  if (inside == nullptr || dladdr(inside, &library) == 0 || library.dli_fname == nullptr) return;
  // Of the program itself it fails, which is nobody's error.
  if (dlopen(library.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE) == nullptr) dlerror();
}

std::string LibraryOf(Handler handler) {
  Dl_info library;
  const bool known = dladdr(reinterpret_cast<void*>(handler), &library) != 0 && library.dli_fname != nullptr;
  return known ? library.dli_fname : "an unknown library";
}

// What it throws; null for nothing.
std::exception_ptr Call(Handler handler) {
  try {
    if (handler != nullptr) handler();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

absl::Status Describe(Handler handler, const std::exception_ptr& thrown) {
  std::string what = "something that is no std::exception";
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    what = error.what() == nullptr ? "" : error.what();
  } catch (...) {
  }
  return absl::InternalError(
      absl::StrCat("a handler of pthread_atfork in ", LibraryOf(handler), " throws where workers are cloned: ", what));
}

// The first of those that throw. They are described when all have run, because that allocates memory.
class Thrown {
 public:
  // False: it threw.
  bool Run(Handler handler) {
    std::exception_ptr thrown = Call(handler);
    if (thrown == nullptr) return true;
    if (by_ == nullptr) by_ = handler, what_ = std::move(thrown);
    return false;
  }
  bool any() const { return by_ != nullptr; }
  absl::Status Status() const { return by_ == nullptr ? absl::OkStatus() : Describe(by_, what_); }

 private:
  Handler by_ = nullptr;
  std::exception_ptr what_;
};

// Those that PrepareToFork ran, the last registered first. Kept, so that its memory is there before it is wanted.
std::vector<const Registration*>& Prepared() {
  static std::vector<const Registration*> prepared;
  return prepared;
}

absl::Status RunAfter(Handler Registration::*which) {
  Thrown thrown;
  for (auto at = Prepared().rbegin(); at != Prepared().rend(); ++at) thrown.Run((*at)->*which);
  return thrown.Status();
}

std::size_t CountRegistrations() {
  std::size_t count = 0;
  for (const Registration* at = latest.load(); at != nullptr; at = at->earlier) ++count;
  return count;
}

}  // namespace

absl::Status PrepareToFork() {
  const Registration* const newest = latest.load();
  Prepared().clear();
  Prepared().reserve(CountRegistrations());
  Thrown thrown;
  for (const Registration* at = newest; at != nullptr && thrown.Run(at->prepare); at = at->earlier) {
    Prepared().push_back(at);
  }
  if (thrown.any()) (void)RunAfter(&Registration::parent);
  return thrown.Status();
}

absl::Status AfterForkInParent() { return RunAfter(&Registration::parent); }
absl::Status AfterForkInChild() { return RunAfter(&Registration::child); }

}  // namespace poold::worker

// Stands before the C library's, which it calls. Weak: a program that is linked statically has that one only.
extern "C" [[gnu::weak, gnu::used, gnu::visibility("default")]] int __register_atfork(poold::worker::Handler prepare,
                                                                                      poold::worker::Handler parent,
                                                                                      poold::worker::Handler child,
                                                                                      void* library) {
  using Original = int (*)(poold::worker::Handler, poold::worker::Handler, poold::worker::Handler, void*);
  static const auto original = reinterpret_cast<Original>(dlvsym(RTLD_NEXT, "__register_atfork", "GLIBC_2.3.2"));
  if (original == nullptr) return ENOSYS;
  if (const int error = original(prepare, parent, child, library); error != 0) return error;
  poold::worker::KeepLoaded(library);
  return poold::worker::Register({prepare, parent, child, nullptr}) ? 0 : ENOMEM;
}
