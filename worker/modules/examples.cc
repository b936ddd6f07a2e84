// Tasks to try poold with.
#include <cctype>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <thread>

#include "poold/worker.h"

namespace {

std::int64_t square(std::int64_t number) { return number * number; }
POOLD_TASK("square", square, "square(number): the number times itself");

std::int64_t add(std::int64_t a, std::int64_t b) { return a + b; }
POOLD_TASK("add", add, "add(a, b): their sum");

bool is_prime(std::uint64_t number) {
  if (number < 4) return number >= 2;
  if (number % 2 == 0 || number % 3 == 0) return false;
  for (std::uint64_t divisor = 5; divisor <= number / divisor; divisor += 6) {
    if (number % divisor == 0 || number % (divisor + 2) == 0) return false;
  }
  return true;
}
POOLD_TASK("is_prime", is_prime, "is_prime(number): whether it is");

std::uint64_t count_primes(std::uint64_t from, std::uint64_t to) {
  std::uint64_t count = 0;
  for (std::uint64_t number = from; number < to; ++number) count += is_prime(number) ? 1 : 0;
  return count;
}
POOLD_TASK("count_primes", count_primes, "count_primes(from, to): how many primes there are in [from, to)");

// Letters and digits make words; case does not count. Bytes of other alphabets are taken for letters.
bool InWord(char c) { return static_cast<unsigned char>(c) >= 0x80 || std::isalnum(static_cast<unsigned char>(c)); }

std::map<std::string, std::int64_t> word_count(std::string_view text) {
  std::map<std::string, std::int64_t> counts;
  std::string word;
  for (const char c : text) {
    if (InWord(c)) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!word.empty()) {
      ++counts[word];
      word.clear();
    }
  }
  if (!word.empty()) ++counts[word];
  return counts;
}
POOLD_TASK("word_count", word_count, "word_count(text): how often each word occurs");

void func_ms(const std::string& message, std::int64_t milliseconds) {
  std::printf("msg: %s\n", message.c_str());
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  std::printf("end\n");
}
POOLD_TASK("func_ms", func_ms, "func_ms(message, milliseconds): func with another pause");

void func(const std::string& message) { func_ms(message, 3000); }
POOLD_TASK("func", func, "func(message): prints it, sleeps three seconds, prints 'end'");

}  // namespace
