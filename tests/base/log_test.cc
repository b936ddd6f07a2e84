// What is logged: lines that nobody forges, and that never wait for their reader.
#include "base/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <string>

#include "base/log_writer.h"
#include "wire/unique_fd.h"

namespace poold::base {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::chrono::milliseconds kLong{30'000};

// A pipe of one page, which its writers may have long before it is read.
class Pipe {
 public:
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) std::abort();
    reader_.Reset(ends[0]);
    writer_.Reset(ends[1]);
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
  }
  int writer() const { return writer_.get(); }
  void CloseReader() { reader_.Reset(); }
  // Until what has come ends so.
  std::string ReadUntil(std::string_view end) {
    std::string text;
    char part[4096];
    while (text.size() < end.size() || text.substr(text.size() - end.size()) != end) {
      const ssize_t got = read(reader_.get(), part, sizeof part);
      if (got <= 0) break;
      text.append(part, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  wire::UniqueFd reader_;
  wire::UniqueFd writer_;
};

std::string Tell(std::uint64_t lines) { return "dropped " + std::to_string(lines) + "\n"; }

// They live as long as the process.
LogWriter& NewWriter(const Pipe& pipe, std::size_t max_bytes) { return *new LogWriter(pipe.writer(), Tell, max_bytes); }

TEST(LogWriter, WritesLinesInTheirOrder) {
  Pipe pipe;
  LogWriter& writer = NewWriter(pipe, 1000);
  writer.Put("one\n");
  writer.Put("two\n");
  EXPECT_TRUE(writer.Drain(kLong));
  EXPECT_EQ(pipe.ReadUntil("two\n"), "one\ntwo\n");
}

TEST(LogWriter, WithoutAReaderDropsWhatDoesNotFitAndTellsItLater) {
  static auto& pipe = *new Pipe;  // the writer keeps it
  LogWriter& writer = NewWriter(pipe, 1000);
  const std::string line = std::string(99, 'x') + "\n";
  const std::string full(4096, 'a');
  ASSERT_EQ(write(pipe.writer(), full.data(), full.size()), static_cast<ssize_t>(full.size()));
  std::size_t put = 0;
  for (; writer.dropped() < 3; ++put) writer.Put(line);
  EXPECT_FALSE(writer.Drain(std::chrono::milliseconds(1)));
  const std::string told = "dropped 3\n";
  const std::string text = pipe.ReadUntil(told);
  EXPECT_TRUE(writer.Drain(kLong));
  EXPECT_EQ(writer.dropped(), 3u);
  // All others are there.
  EXPECT_EQ(text.size(), full.size() + (put - 3) * line.size() + told.size());
}

TEST(LogWriter, WhoseReaderIsGoneGoesOn) {
  signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  LogWriter& writer = NewWriter(pipe, 1000);
  pipe.CloseReader();
  writer.Put("nobody reads this\n");
  EXPECT_TRUE(writer.Drain(kLong));
  writer.Put("nor this\n");
  EXPECT_TRUE(writer.Drain(kLong));
}

std::string Logged(std::string_view text) {
  testing::internal::CaptureStderr();
  Log(Level::kInfo, "said", {{"why", text}, {"worker", 12}});
  FlushLog();
  return testing::internal::GetCapturedStderr();
}

TEST(Log, PlainWordsStandAsTheyAre) {
  EXPECT_THAT(Logged("plain"), EndsWith(" level=info event=said why=plain worker=12\n"));
  EXPECT_THAT(Logged("with space"), EndsWith(" why=\"with space\" worker=12\n"));
  EXPECT_THAT(Logged("pr\u00fcfung"), EndsWith(" why=\"pr\u00fcfung\" worker=12\n"));
  EXPECT_THAT(Logged(""), EndsWith(" why=\"\" worker=12\n"));
}

TEST(Log, NoTextForgesALineOrAField) {
  EXPECT_THAT(Logged("x\ntime=1 event=forged"), HasSubstr(R"(why="x\ntime\x3d1 event\x3dforged" worker)"));
  EXPECT_THAT(Logged("a \"b\\"), HasSubstr(R"(why="a \"b\\" worker)"));
  EXPECT_THAT(Logged("a worker=7 b"), Not(HasSubstr(" worker=7")));
}

TEST(Log, NoTextMovesTheCursorOrTurnsTheLine) {
  EXPECT_THAT(Logged("\x1b[2J\r\x7f"), HasSubstr(R"(why="\x1b[2J\x0d\x7f")"));
  EXPECT_THAT(Logged("\xc2\x9b"
                     "2J"),
              HasSubstr(R"(why="\xc2\x9b2J")"));  // CSI in one byte of Latin-1
  EXPECT_THAT(Logged("\x9b"
                     "2J"),
              HasSubstr(R"(why="\x9b2J")"));  // as a byte
  EXPECT_THAT(Logged("a\u202eb\u2028c"), HasSubstr(R"(why="a\xe2\x80\xaeb\xe2\x80\xa8c")"));
  EXPECT_THAT(Logged("\xc0\x8a\xed\xa0\x80\xff"), HasSubstr(R"(why="\xc0\x8a\xed\xa0\x80\xff")"));  // no UTF-8
  EXPECT_THAT(Logged(std::string_view("a\0b", 3)), HasSubstr(R"(why="a\x00b")"));
}

}  // namespace
}  // namespace poold::base
