#pragma once

#include <string>
#include <utility>

namespace poold::bench {

// A new folder that only we may enter, for sockets. Goes with all that is in it. Move-only.
class PrivateFolder {
 public:
  PrivateFolder();
  PrivateFolder(PrivateFolder&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  PrivateFolder& operator=(PrivateFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~PrivateFolder();

  // Empty: it could not be made.
  const std::string& path() const { return path_; }
  std::string At(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace poold::bench
