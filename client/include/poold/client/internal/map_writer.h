// Packs the items of a map into batches and hands them to the connection. Not for users.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "poold/client/connection.h"

namespace poold::client::internal {

// Thread-compatible. One map each.
class MapWriter {
 public:
  MapWriter(std::shared_ptr<Connection> connection, std::string_view pool, std::string_view function,
            MapOptions options);

  // False: no more items are wanted, the map has ended.
  bool Add(const Payload& item);
  // The rest, and the handle.
  MapRef Finish();

 private:
  void Open(const Payload& first);
  bool Send(bool complete);

  std::shared_ptr<Connection> connection_;
  std::string pool_;
  std::string function_;
  MapOptions options_;
  MapRef map_;
  Encoding encoding_ = v1::ENCODING_MSGPACK;
  std::vector<std::uint32_t> item_bytes_;
  std::string items_;
  bool wanted_ = true;
};

}  // namespace poold::client::internal
