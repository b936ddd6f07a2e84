// Screen: the terminal as a page of its own, with keys as they are pressed.
#pragma once

#include <termios.h>

#include <optional>
#include <string>

#include "cli/grammar/options.h"

namespace poold::cli {

// The earlier page comes back when the object ends, and at SIGINT, SIGTERM and SIGHUP, which Key reports as Ctrl-C. One
// object at a time; the main thread.
class Screen {
 public:
  // Whether standard input and output are terminals that can do it.
  static bool Possible();
  // Blocks the signals that Key waits for, so that they reach this class alone. REQUIRES: no other thread was started.
  static void BlockSignals();

  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // The terminal's size; at least 20 by 5.
  int columns() const;
  int rows() const;

  // Draws these lines in place of the earlier ones; cuts what does not fit.
  void Draw(const std::string& text) const;

  // Waits for a key. Nothing: the time is over, or the window's size changed. '\x03': Ctrl-C, another signal, or the
  // end of the terminal.
  std::optional<char> Key(Duration timeout) const;

 private:
  termios before_{};
  int signals_ = -1;
};

// The first `rows` lines, each at most `columns` wide.
std::string Cut(const std::string& text, int rows, int columns);

}  // namespace poold::cli
