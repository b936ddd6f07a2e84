// All of some bytes through a blocking socket.
#pragma once

#include <cstddef>
#include <string_view>

namespace poold::bench {

// False: the other end is gone.
bool WriteAll(int fd, std::string_view bytes);
bool ReadAll(int fd, void* to, std::size_t size);

}  // namespace poold::bench
