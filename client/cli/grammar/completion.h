// Shell completion: `poolctl --complete WORD...`, with the words after the program's name up to the one that is
// completed. Prints one candidate a line.
#pragma once

#include <string>
#include <vector>

#include "cli/grammar/grammar.h"

namespace poold::cli {

// The candidates for a word, or the kind of names that the daemon is asked for. A plain value.
struct Completion {
  enum class Kind { kWords, kPools, kFunctions, kHandles };
  Kind kind = Kind::kWords;
  std::vector<std::string> words;
  // The pool and the daemon that the words before name.
  std::string pool = "default";
  std::string address;
  // The beginning of the word; candidates begin with it.
  std::string prefix;

  friend bool operator==(const Completion&, const Completion&) = default;
};

// Finds the completion of the last word. No I/O. REQUIRES: words is not empty.
Completion CompletionOf(const Grammar& grammar, const std::vector<std::string>& words);

// Prints the candidates, and asks the daemon where it must. Without a daemon there are no names and no complaint.
void Complete(const std::vector<std::string>& words);

}  // namespace poold::cli
