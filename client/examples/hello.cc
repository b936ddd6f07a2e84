// The ten lines of the README.
#include <poold/client.h>

#include <cstdio>

int main() {
  auto client = poold::client::Client::Connect();
  if (!client.ok()) return std::fprintf(stderr, "%s\n", client.status().ToString().c_str()), 1;
  auto pool = client->OpenPool({.name = "demo", .workers = 2, .modules = {"examples"}});
  if (!pool.ok()) return std::fprintf(stderr, "%s\n", pool.status().ToString().c_str()), 1;
  auto handle = pool->Submit<int>("square", 7);  // returns at once
  std::printf("%d\n", handle.Get().value());     // 49
}
