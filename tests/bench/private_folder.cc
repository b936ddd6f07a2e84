#include "private_folder.h"

#include <cstdlib>
#include <filesystem>

namespace poold::bench {

PrivateFolder::PrivateFolder() : path_((std::filesystem::temp_directory_path() / "poold-bench-XXXXXX").string()) {
  if (mkdtemp(path_.data()) == nullptr) path_.clear();
}

PrivateFolder::~PrivateFolder() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace poold::bench
