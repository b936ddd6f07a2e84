// Shared code of the example programs: a pool of three workers with the module "examples", whose tasks print to this
// terminal. An error ends the program with its message and exit status 1.
#pragma once

#include <poold/client.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace example {

// Prints the error and exits with 1.
[[noreturn]] inline void Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

// Fails unless the status is OK.
inline void Check(const absl::Status& status) {
  if (!status.ok()) Fail(status);
}

// Connects, and opens the pool or takes the live one of this name. Fails where that is not possible.
inline poold::client::Pool OpenPool(const char* name) {
  auto client = poold::client::Client::Connect();
  if (!client.ok()) Fail(client.status());
  auto pool = client->OpenPool({.name = name, .workers = 3, .modules = {"examples"}});
  if (!pool.ok()) Fail(pool.status());
  return pool->With({.echo_output = true});
}

}  // namespace example
