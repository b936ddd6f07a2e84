// Forks before it makes a client: fork_program ADDRESS. Exits 0 when parent and child each had an answer from theirs.
#include <sys/wait.h>
#include <unistd.h>

#include "poold/client.h"

namespace {

bool HasAnAnswer(const char* address) {
  const auto client = poold::client::Client::Connect({.address = address});
  return client.ok() && client->GetServerInfo().ok();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const pid_t child = fork();
  const bool answered = HasAnAnswer(argv[1]);
  if (child == 0) _exit(answered ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return answered && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}
