// How gRPC reads a request that is looked at before it is parsed. What is refused is told by the call, not by gRPC.
#pragma once

#include <grpcpp/impl/codegen/proto_buffer_reader.h>
#include <grpcpp/impl/codegen/serialization_traits.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include "rpc/received.h"

namespace grpc {

template <typename Message>
class SerializationTraits<poold::rpc::Received<Message>> {
 public:
  static Status Deserialize(ByteBuffer* buffer, poold::rpc::Received<Message>* out) {
    out->ParseStream(buffer->Length(), [buffer] { return ProtoBufferReader(buffer); });
    buffer->Clear();
    return Status::OK;
  }
};

}  // namespace grpc
