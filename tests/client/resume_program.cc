// Takes up the handle that another process wrote down, and prints its value.
#include <cstdio>

#include "poold/client.h"

int main(int argc, char** argv) {
  auto client = poold::client::Client::Connect();
  if (!client.ok() || argc != 2) return 2;
  auto handle = client->Resume<int>(argv[1]);
  if (!handle.ok()) return 3;
  const auto result = handle->Get();
  if (!result.ok()) return 4;
  std::printf("%d\n", *result);
}
