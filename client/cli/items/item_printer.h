// ItemPrinter: prints the outcomes of a map's items.
#pragma once

#include <cstdint>
#include <string>

#include "cli/exit_status.h"
#include "poold/v1/map.pb.h"

namespace poold::cli {

// Prints in the order of the calls: results on stdout, one a line (an empty line for an item that did not succeed;
// stderr explains the item). With JSON everything goes to stdout, one document a line. Not thread-safe.
class ItemPrinter {
 public:
  struct Style {
    // One JSON document for each item.
    bool json = false;
    // Texts and bytes are printed unchanged.
    bool raw = false;
    // Each line begins with the item's index and a tab.
    bool with_index = false;
    // Results are of exec: the programs' output is printed. A program that did not exit with 0 counts as an item that
    // FAILED.
    bool exec = false;
  };
  explicit ItemPrinter(Style style) : style_(style) {}

  // Prints the result of an item that SUCCEEDED.
  void PrintResult(uint64_t index, const v1::Payload& result);
  // Prints an outcome of any state.
  void PrintOther(uint64_t index, const v1::Outcome& outcome);

  // Items that were printed.
  uint64_t printed() const { return printed_; }
  // Printed items that were CANCELLED; stderr does not explain them.
  uint64_t cancelled() const { return cancelled_; }
  // The worst status of all printed items (see Worse).
  ExitStatus status() const { return status_; }
  // Printed items that did not succeed.
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
