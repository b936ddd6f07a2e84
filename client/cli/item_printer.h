#pragma once

#include <cstdint>
#include <string>

#include "cli/exit_status.h"
#include "poold/v1/map.pb.h"

namespace poold::cli {

// Prints the outcomes of a map's items as they are handed in: results on stdout, a line each (an empty one for an item
// that did not succeed, which is explained on stderr); with JSON everything on stdout, one document a line. Not
// thread-safe.
class ItemPrinter {
 public:
  struct Style {
    bool json = false;
    bool raw = false;
    // Each line begins with its index and a tab.
    bool with_index = false;
    // Results are of exec: what the programs wrote is shown as they wrote it. A program that did not exit with 0 counts
    // as an item that FAILED.
    bool exec = false;
  };
  explicit ItemPrinter(Style style) : style_(style) {}

  void Print(const v1::ItemOutcomes& outcomes);
  void PrintResult(uint64_t index, const v1::Payload& result);
  void PrintOther(uint64_t index, const v1::Outcome& outcome);

  // Items printed, and those of them that were CANCELLED, which are only counted.
  uint64_t printed() const { return printed_; }
  uint64_t cancelled() const { return cancelled_; }
  // Of all items printed: the worst (see Worse).
  ExitStatus status() const { return status_; }
  uint64_t unsuccessful() const { return unsuccessful_; }

 private:
  void PrintProgram(uint64_t index, const v1::Payload& result);
  void Line(uint64_t index, const std::string& text);

  const Style style_;
  ExitStatus status_ = ExitStatus::kOk;
  uint64_t unsuccessful_ = 0;
  uint64_t printed_ = 0;
  uint64_t cancelled_ = 0;
};

}  // namespace poold::cli
