#include "rpc/accept.h"
namespace poold::rpc {
void AcceptUploads(Wiring*) {}
}  // namespace poold::rpc
