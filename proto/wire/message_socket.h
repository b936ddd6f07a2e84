// Messages one after the other through a Unix socket, neither end of which waits: poold/v1/payload_socket.md,
// "sessions".
//
// Each is a head, u32 little-endian, and the message. The head is the number of bytes of the message; its highest bit
// is set in the last one that comes. Role: packs, sends, receives, finds where messages end. Non-role: knows no
// protobuf but the names of its functions, and never polls. Threads: what receives is for one thread at a time, what
// sends for one thread at a time, and both may be at work at once; Shut is thread-safe. Ownership: owns the socket;
// memory of large messages is given back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "wire/unique_fd.h"

namespace poold::wire {

// Bytes of which some are used up in front and some are not there yet at the back.
class ByteQueue {
 public:
  std::string_view bytes() const { return {memory_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  // Room for so many more bytes, at least, behind those that are there.
  char* Room(std::size_t bytes);
  std::size_t room() const { return capacity_ - end_; }
  std::size_t capacity() const { return capacity_; }
  // What the capacity will be with room for so many more.
  std::size_t CapacityFor(std::size_t bytes) const;
  // Forgets what is there, and gives the memory back.
  void Drop();
  void Added(std::size_t bytes) { end_ += bytes; }
  void Used(std::size_t bytes);

 private:
  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

class MessageSocket {
 public:
  // Messages of more than `max_message_bytes` are not taken.
  MessageSocket(UniqueFd socket, std::uint32_t max_message_bytes);

  int fd() const { return socket_.get(); }

  // ---- In ----
  enum class Received {
    kSome,
    kNothing,  // now
    kEnd,      // of what the other end sends
    kBroken,
  };
  // What is there, some of it. Call Next until it has no more.
  Received Receive();
  // How much memory there is for what comes, and how much there will be in the next Receive, which wants room for the
  // whole message whose head it has.
  std::size_t in_memory() const { return in_.capacity(); }
  std::size_t in_memory_wanted();
  // What has come and was not taken by Next.
  std::size_t in_bytes() const { return in_.bytes().size() - taken_; }
  // Forgets that, and gives its memory back.
  void DropIn();
  enum class Found {
    kMessage,
    kNone,  // that is whole
    kTooLong,
  };
  struct Message {
    std::string_view bytes;  // until the next call of Next or Receive
    bool last = false;
  };
  Found Next(Message* message);

  // ---- Out ----
  // REQUIRES: everything() was sent.
  template <typename Proto>
  void Put(const Proto& message, bool last = false) {
    const std::size_t bytes = message.ByteSizeLong();
    char* const at = PutHead(bytes, last);
    message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(at));
    out_.Added(bytes);
  }
  bool everything_sent() const { return out_.empty(); }
  std::size_t out_memory() const { return out_.capacity(); }
  enum class Sent {
    kAll,
    kFull,  // wait until the socket can be written
    kBroken,
  };
  Sent Send();

  // Both ends see its end.
  void Shut();

 private:
  char* PutHead(std::size_t bytes, bool last);
  std::size_t Wanted() const;

  const UniqueFd socket_;
  const std::uint32_t max_message_bytes_;
  ByteQueue in_;
  std::size_t taken_ = 0;  // by the last Next, of what is in front of in_
  ByteQueue out_;
};

}  // namespace poold::wire
