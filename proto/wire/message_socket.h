// MessageSocket: messages through a Unix socket, without waiting at either end: poold/v1/payload_socket.md, "sessions".
//
// Format: each message has a head, u32 little-endian: the number of bytes of the message; the highest bit is set in the
//   last message of the stream, or of a part of it.
// Role: packs, sends, receives, finds the ends of messages. Non-role: knows no protobuf but the names of its functions,
//   and never polls.
// Threads: one thread at a time receives, one thread at a time sends, and both may work at once; Shut is thread-safe.
// Ownership: owns the socket. Gives the memory of large messages back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "wire/unique_fd.h"

namespace poold::wire {

// Bytes that are added behind and used up in front. Not thread-safe.
class ByteQueue {
 public:
  // The bytes in the queue. Valid until the next call of Room, Used or Drop.
  std::string_view bytes() const { return {memory_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  // Returns room for at least `bytes` more bytes behind those in the queue.
  char* Room(std::size_t bytes);
  std::size_t room() const { return capacity_ - end_; }
  std::size_t capacity() const { return capacity_; }
  // The capacity that Room(bytes) leads to.
  std::size_t CapacityFor(std::size_t bytes) const;
  // Forgets the bytes and gives the memory back.
  void Drop();
  // So many bytes were written into the room.
  void Added(std::size_t bytes) { end_ += bytes; }
  // Removes bytes in front. REQUIRES: the queue has them.
  void Used(std::size_t bytes);

 private:
  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// See the head of this file.
class MessageSocket {
 public:
  // Longer messages than `max_message_bytes` are not taken. The socket may be blocking.
  MessageSocket(UniqueFd socket, std::uint32_t max_message_bytes);

  int fd() const { return socket_.get(); }

  // ---- In ----
  // The result of Receive: some bytes; nothing now; the other end has closed; the connection is broken.
  enum class Received {
    kSome,
    kNothing,  // now
    kEnd,      // of what the other end sends
    kBroken,
  };
  // Reads bytes that have come. Does not block. REQUIRES: Next has returned everything before.
  Received Receive();
  // The memory for incoming bytes, now and in the next Receive, which needs room for the whole message whose head has
  // come. in_memory_wanted() ends the validity of the last message.
  std::size_t in_memory() const { return in_.capacity(); }
  std::size_t in_memory_wanted();
  // Bytes that have come and that Next has not returned.
  std::size_t in_bytes() const { return in_.bytes().size() - taken_; }
  // Forgets them and gives their memory back.
  void DropIn();
  // The result of Next: a message; no whole message; a message that is longer than allowed.
  enum class Found {
    kMessage,
    kNone,  // that is whole
    kTooLong,
  };
  // A message. The bytes are valid until the next call that concerns incoming bytes.
  struct Message {
    std::string_view bytes;  // until the next call of Next or Receive
    bool last = false;
  };
  // Finds the next whole message.
  Found Next(Message* message);

  // ---- Out ----
  // The head of a message, for who sends one otherwise. REQUIRES: everything_sent().
  static std::string HeadOf(std::size_t bytes, bool last);
  // Packs a message behind those that wait to be sent.
  template <typename Proto>
  void Put(const Proto& message, bool last = false) {
    const std::size_t bytes = message.ByteSizeLong();
    char* const at = PutHead(bytes, last);
    message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(at));
    out_.Added(bytes);
  }
  // As Put, of a message that is serialised already.
  void PutBytes(std::string_view message, bool last = false) {
    char* const at = PutHead(message.size(), last);
    std::memcpy(at, message.data(), message.size());
    out_.Added(message.size());
  }
  // Whether no packed bytes wait.
  bool everything_sent() const { return out_.empty(); }
  std::size_t out_memory() const { return out_.capacity(); }
  // The result of Send: all is sent; the socket is full, wait until it can be written; the connection is broken.
  enum class Sent {
    kAll,
    kFull,  // wait until the socket can be written
    kBroken,
  };
  // Sends packed bytes. Does not block.
  Sent Send();

  // Ends the connection for both ends.
  void Shut();

 private:
  char* PutHead(std::size_t bytes, bool last);
  std::size_t Wanted() const;

  const UniqueFd socket_;
  const std::uint32_t max_message_bytes_;
  ByteQueue in_;
  // Bytes in front of in_ that the last Next returned.
  std::size_t taken_ = 0;
  ByteQueue out_;
};

}  // namespace poold::wire
