// Counts the primes among a million numbers, in this process and in a pool, and says how much faster the pool is.
#include <chrono>
#include <cstdint>
#include <ranges>
#include <thread>

#include "example.h"

namespace {

constexpr std::uint64_t kFirst = 1'000'000'000;
constexpr std::uint64_t kNumbers = 1'000'000;

// As the task "is_prime" does it.
bool IsPrime(std::uint64_t number) {
  if (number < 4) return number >= 2;
  if (number % 2 == 0 || number % 3 == 0) return false;
  for (std::uint64_t divisor = 5; divisor <= number / divisor; divisor += 6) {
    if (number % divisor == 0 || number % (divisor + 2) == 0) return false;
  }
  return true;
}

struct Count {
  std::uint64_t primes = 0;
  double seconds = 0;
};

template <typename Counting>
Count Timed(Counting counting) {
  const auto begin = std::chrono::steady_clock::now();
  const std::uint64_t primes = counting();
  return {primes, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()};
}

}  // namespace

int main() {
  const unsigned cpus = std::max(1u, std::thread::hardware_concurrency());
  auto client = poold::client::Client::Connect();
  if (!client.ok()) example::Fail(client.status());
  auto pool = client->OpenPool({.name = "prime_count", .workers = cpus, .modules = {"examples"}});
  if (!pool.ok()) example::Fail(pool.status());

  const auto numbers = std::views::iota(kFirst, kFirst + kNumbers);
  const Count alone = Timed([&] {
    std::uint64_t primes = 0;
    for (std::uint64_t number : numbers) primes += IsPrime(number) ? 1 : 0;
    return primes;
  });
  const Count pooled = Timed([&] {
    std::uint64_t primes = 0;
    for (const auto& item : pool->Map<bool>("is_prime", numbers)) {
      if (!item.result.ok()) example::Fail(item.result.status());
      primes += *item.result ? 1 : 0;
    }
    return primes;
  });
  std::printf("one process:  %lu primes among %lu numbers in %.2f s\n", alone.primes, kNumbers, alone.seconds);
  std::printf("%u workers:    %lu primes among %lu numbers in %.2f s\n", cpus, pooled.primes, kNumbers, pooled.seconds);
  std::printf("speed-up:     %.2f\n", alone.seconds / pooled.seconds);
  (void)pool->Terminate();
  return alone.primes == pooled.primes ? 0 : 1;
}
