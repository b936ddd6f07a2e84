#include "transport/local/local_session.h"

#include <utility>

#include "api/errors.h"

namespace poold::transport {

LocalSession::LocalSession(LocalLoop* loop, wire::UniqueFd socket, Ticket ticket)
    : session::Session(&loop->transport->service, &loop->due),
      LocalConnection(loop, std::move(socket), std::move(ticket), /*events=*/0),
      request_(loop->transport->service.options) {}

void LocalSession::OnStart() { Enter(OriginOf(ticket()->peer())); }

absl::Status LocalSession::OnMessage(const wire::MessageSocket::Message& message) {
  request_.Parse(message.bytes);
  return request_.status().ok() ? Take(&request_.message()) : request_.status();
}

// The client has said everything, or is gone.
bool LocalSession::OnHangUp() {
  End(absl::OkStatus());
  return true;
}

void LocalSession::EndForShutdown() { End(api::ShuttingDown()); }

void LocalSession::Flush() {
  if (!Pump() && MustGo(stuck_since())) CutOff("session_not_read");
}

bool LocalSession::PutNext(wire::MessageSocket* socket) {
  if (!outbox().Fill(&response_)) return false;
  socket->Put(response_);
  return true;
}

}  // namespace poold::transport
