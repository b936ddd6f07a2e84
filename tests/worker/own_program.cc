// A user's own worker program.
#include <string>

#include "poold/worker.h"

namespace {
std::string greet(const std::string& name) { return "hello " + name; }
POOLD_TASK(greet);
}  // namespace

int main(int argc, char** argv) { return poold::WorkerMain(argc, argv); }
