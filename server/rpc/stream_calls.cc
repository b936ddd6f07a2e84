#include "rpc/accept.h"
namespace poold::rpc {
void AcceptStreamCalls(Wiring*) {}
}  // namespace poold::rpc
