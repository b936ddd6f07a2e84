// What the seed's programs share: a pool of three workers of the module "examples", whose tasks print to this terminal.
#pragma once

#include <poold/client.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace example {

[[noreturn]] inline void Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

inline void Check(const absl::Status& status) {
  if (!status.ok()) Fail(status);
}

inline poold::client::Pool OpenPool(const char* name) {
  auto client = poold::client::Client::Connect();
  if (!client.ok()) Fail(client.status());
  auto pool = client->OpenPool({.name = name, .workers = 3, .modules = {"examples"}});
  if (!pool.ok()) Fail(pool.status());
  return pool->With({.echo_output = true});
}

}  // namespace example
