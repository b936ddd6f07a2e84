#pragma once

#include <string>
#include <vector>

#include "cli/grammar.h"

// What a shell's completion asks for: `poolctl --complete WORD...`, the words after the program's name up to the one
// that is to be completed. One candidate a line.
namespace poold::cli {

// What completes a word. Names that only the daemon knows are asked for by kind.
struct Completion {
  enum class Kind { kWords, kPools, kFunctions, kHandles };
  Kind kind = Kind::kWords;
  std::vector<std::string> words;
  // Where it is asked for.
  std::string pool = "default";
  std::string address;
  // What a candidate begins with.
  std::string prefix;

  friend bool operator==(const Completion&, const Completion&) = default;
};

// REQUIRES: not empty. No I/O.
Completion CompletionOf(const Grammar& grammar, const std::vector<std::string>& words);

// Asks the daemon where it must, prints. A daemon that is away has no names: no complaint.
void Complete(const std::vector<std::string>& words);

}  // namespace poold::cli
