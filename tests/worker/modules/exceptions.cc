// Exceptions as careless programs throw them.
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>

#include "poold/worker.h"

namespace {

struct Silent : std::exception {
  const char* what() const noexcept override { return nullptr; }
};
void throw_silent() { throw Silent(); }
POOLD_TASK("throw_silent", throw_silent, "caf\xe9: Latin-1");

void throw_no_text() { throw static_cast<const char*>(nullptr); }
POOLD_TASK(throw_no_text);

void throw_latin1() { throw std::runtime_error("caf\xe9"); }
POOLD_TASK(throw_latin1);

void throw_much(std::uint64_t bytes) { throw std::runtime_error(std::string(bytes, 'm')); }
POOLD_TASK(throw_much);

void throw_much_text(std::uint64_t bytes) { throw std::string(bytes, 't'); }
POOLD_TASK(throw_much_text);

// Through the frame of a third one, from the inside of a handler.
void throw_nested() {
  try {
    throw std::runtime_error("inner");
  } catch (...) {
    std::throw_with_nested(std::logic_error("outer"));
  }
}
POOLD_TASK(throw_nested);

void throw_local() {
  struct Local {
    std::string text = "nobody knows how to read it";
  };
  throw Local();
}
POOLD_TASK(throw_local);

absl::Status return_much(std::uint64_t bytes) { return absl::InternalError(std::string(bytes, 's')); }
POOLD_TASK(return_much);

}  // namespace
