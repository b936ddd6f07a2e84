#pragma once

#include <termios.h>

#include <optional>
#include <string>

#include "cli/options.h"

namespace poold::cli {

// The terminal as a screen: a page of its own, keys as they are pressed. What was there before comes back when this
// goes, also at SIGINT, SIGTERM and SIGHUP while it waits. One at a time; used by the main thread.
class Screen {
 public:
  // Nothing when standard input or output is no terminal.
  static bool Possible();
  // Before any other thread is started: the signals that it waits for then come to it alone.
  static void BlockSignals();

  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  int columns() const;
  int rows() const;

  // Draws these lines in place of what is there; what does not fit is cut.
  void Draw(const std::string& text) const;

  // Waits for a key. Nothing: the time is over, or the window has another size now. '\x03' for Ctrl-C and other ends.
  std::optional<char> Key(Duration timeout) const;

 private:
  termios before_{};
  int signals_ = -1;
};

// The first `rows` lines, each at most `columns` wide.
std::string Cut(const std::string& text, int rows, int columns);

}  // namespace poold::cli
