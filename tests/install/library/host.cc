// Loads plugins and asks all of them at the same time, twice; then unloads them, and begins again.
//
//   host PLUGIN.so...
#include <dlfcn.h>
#include <poold/v1/pool.pb.h>

#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

void Check(bool fine, const char* what) {
  if (fine) return;
  std::fprintf(stderr, "host: %s\n", what);
  std::exit(1);
}

void Ask(const std::vector<void*>& plugins) {
  std::vector<std::thread> threads;
  for (void* plugin : plugins) {
    threads.emplace_back([plugin] {
      auto* const twice = reinterpret_cast<int (*)(int)>(dlsym(plugin, "Twice"));
      Check(twice != nullptr && twice(21) == 42 && twice(4) == 8, "a plugin has no answer");
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

int main(int argc, char** argv) {
  // Descriptors of the same files as the library's messages.
  Check(poold::v1::Pool().GetDescriptor()->full_name() == "poold.v1.Pool", "no descriptors");
  for (int round = 0; round < 2; ++round) {
    std::vector<void*> plugins;
    for (int i = 1; i < argc; ++i) {
      plugins.push_back(dlopen(argv[i], RTLD_NOW | RTLD_LOCAL));
      if (plugins.back() == nullptr) Check(false, dlerror());
    }
    Ask(plugins);
    for (void* plugin : plugins) dlclose(plugin);
  }
}
