#include "cli/live/terminal.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "src/terminal_text.h"

namespace poold::cli {
namespace {

constexpr char kEnter[] = "\x1b[?1049h\x1b[?25l";  // another page, no cursor
constexpr char kLeave[] = "\x1b[?25h\x1b[?1049l";
constexpr char kHome[] = "\x1b[H";
constexpr char kClearLine[] = "\x1b[K\n";
constexpr char kClearRest[] = "\x1b[J";
constexpr char kInterrupt = '\x03';

void Write(const std::string& text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = write(STDOUT_FILENO, text.data() + written, text.size() - written);
    if (count <= 0) return;
    written += static_cast<std::size_t>(count);
  }
}

sigset_t ScreenSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) sigaddset(&signals, signal);
  return signals;
}

winsize Size() {
  winsize size{};
  ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  return size;
}

}  // namespace

bool Screen::Possible() {
  const char* term = std::getenv("TERM");
  return isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0 && term != nullptr && std::strcmp(term, "dumb") != 0;
}

void Screen::BlockSignals() {
  const sigset_t signals = ScreenSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

Screen::Screen() {
  BlockSignals();
  const sigset_t signals = ScreenSignals();
  signals_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  tcgetattr(STDIN_FILENO, &before_);
  termios keys = before_;
  keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  keys.c_cc[VMIN] = 0;
  keys.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSANOW, &keys);
  Write(kEnter);
}

Screen::~Screen() {
  Write(kLeave);
  tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  close(signals_);
}

int Screen::columns() const { return std::max<int>(Size().ws_col, 20); }
int Screen::rows() const { return std::max<int>(Size().ws_row, 5); }

void Screen::Draw(const std::string& text) const {
  std::string drawn = kHome;
  const std::string cut = Cut(text, rows() - 1, columns());
  std::size_t begin = 0;
  while (begin < cut.size()) {
    const std::size_t end = cut.find('\n', begin);
    drawn += cut.substr(begin, end - begin) + kClearLine;
    begin = end + 1;
  }
  Write(drawn + kClearRest);
}

std::optional<char> Screen::Key(Duration timeout) const {
  pollfd ready[] = {{STDIN_FILENO, POLLIN, 0}, {signals_, POLLIN, 0}};
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  if (poll(ready, 2, static_cast<int>(std::min<int64_t>(millis, 3'600'000))) <= 0) return std::nullopt;
  signalfd_siginfo signal{};
  if (read(signals_, &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo == SIGWINCH) return std::nullopt;
    return kInterrupt;
  }
  char key = 0;
  const ssize_t count = read(STDIN_FILENO, &key, 1);
  if (count == 1) return key;
  // The terminal is gone.
  return (ready[0].revents & (POLLHUP | POLLERR)) != 0 ? std::optional<char>(kInterrupt) : std::nullopt;
}

std::string Cut(const std::string& text, int rows, int columns) {
  std::string cut;
  std::size_t begin = 0;
  for (int row = 0; row < rows && begin < text.size(); ++row) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    cut.append(client::internal::FirstColumns(line, static_cast<std::size_t>(columns))) += '\n';
    begin = end + 1;
  }
  return cut;
}

}  // namespace poold::cli
