// Sends a value of every type to the function echo_value of a pool, and compares what comes back: the bytes of both.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <list>
#include <map>
#include <string>
#include <variant>

#include "poold/client.h"

namespace {

struct Point {
  double x = 7;
  std::optional<double> y = -0.0;
  std::vector<std::uint8_t> bytes = {0, 255};
};
POOLD_FIELDS(Point, x, y, bytes);

int failures = 0;

template <typename T>
void Expect(const poold::client::Pool& pool, const char* name, const T& value) {
  const auto back = pool.Apply<T>("echo_value", value);
  const bool same = back.ok() && poold::codec::Encode(*back) == poold::codec::Encode(value);
  std::printf("%s %s\n", name, same ? "same" : back.ok() ? "CHANGED" : back.status().ToString().c_str());
  if (!same) ++failures;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace std::chrono_literals;
  auto client = poold::client::Client::Connect();
  if (!client.ok() || argc != 2) return 2;
  const poold::client::Pool pool(client->connection(), argv[1]);
  Expect(pool, "7.0", 7.0);
  Expect(pool, "-0.0", -0.0);
  Expect(pool, "largest integer", ~std::uint64_t{0});
  Expect(pool, "smallest integer", std::int64_t{-1} << 63);
  Expect(pool, "infinity", -HUGE_VAL);
  Expect(pool, "list of floats", std::vector<double>{1, 2.5, -0.0});
  Expect(pool, "bytes in a list", std::vector<poold::Bytes>{{"a"}, {std::string("\0\xff", 2)}});
  Expect(pool, "list of bytes", std::vector<std::uint8_t>{1, 2, 255});
  Expect(pool, "many bytes", std::vector<std::byte>(1 << 20, std::byte{7}));
  Expect(pool, "text that is not UTF-8", std::string("\xff\xfe"));
  Expect(pool, "path", std::filesystem::path("/tmp/\xff"));
  Expect(pool, "struct", Point());
  Expect(pool, "variant", std::variant<std::int64_t, double, std::string>(7.0));
  Expect(pool, "list", std::list<std::string>{"a", ""});
  Expect(pool, "map of numbers", std::map<int, double>{{1, 2.0}, {-1, 0.5}});
  Expect(pool, "milliseconds", 1500ms);
  Expect(pool, "hours", std::chrono::hours::max());
  Expect(pool, "fraction of a second", std::chrono::duration<double>(0.1));
  return failures == 0 ? 0 : 1;
}
