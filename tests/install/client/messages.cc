// A stranger's program that keeps what the SDK says as messages of the contract.
#include <poold/client.h>
#include <poold/client/proto.h>

#include <cstdio>

int main() {
  auto client = poold::client::Client::Connect();
  if (!client.ok()) return std::fprintf(stderr, "%s\n", client.status().ToString().c_str()), 1;
  const auto info = client->GetServerInfo();
  if (!info.ok()) return std::fprintf(stderr, "%s\n", info.status().ToString().c_str()), 1;
  poold::v1::ServerInfo kept;
  const bool parsed = kept.ParseFromString(poold::client::ToProto(*info).SerializeAsString());
  return parsed && !kept.version().empty() && poold::client::FromProto(kept) == *info ? 0 : 1;
}
