// Names of modules and programs become paths, in the configured folders only.
#include "config/folders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "core/errors.h"

namespace poold::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class FoldersTest : public ::testing::Test {
 protected:
  FoldersTest() {
    std::string name = (fs::path(::testing::TempDir()) / "poold-folders-XXXXXX").string();
    root_ = mkdtemp(name.data());
    Touch("first/resize.so", 0644);
    Touch("second/resize.so", 0644);
    Touch("second/blur.so", 0644);
    Touch("programs/render", 0755);
    Touch("programs/notes.txt", 0644);
  }
  ~FoldersTest() override { fs::remove_all(root_); }

  void Touch(const std::string& file, mode_t mode) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << "x";
    chmod((root_ / file).c_str(), mode);
  }
  std::string Path(const std::string& file) const { return (root_ / file).string(); }

  absl::Status Resolve(core::PoolSpec* spec) const {
    return Folders({Path("first"), Path("second")}, {Path("programs")}, "/bin/pool-worker").Resolve(spec);
  }
  absl::Status ResolveModule(const std::string& name) const {
    core::PoolSpec spec;
    spec.modules = {name};
    return Resolve(&spec);
  }

  fs::path root_;
};

TEST_F(FoldersTest, TheFirstFolderThatHasAModuleGivesIt) {
  core::PoolSpec spec;
  spec.modules = {"blur", "resize"};
  ASSERT_TRUE(Resolve(&spec).ok());
  EXPECT_THAT(spec.module_paths, ElementsAre(Path("second/blur.so"), Path("first/resize.so")));
  EXPECT_EQ(spec.program_path, "/bin/pool-worker");
}

TEST_F(FoldersTest, AModuleThatIsNotThereIsToldWithTheFoldersAndTheNearestName) {
  const absl::Status status = ResolveModule("resise");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(core::DetailOf(status).reason, "MODULE_NOT_FOUND");
  EXPECT_EQ(core::DetailOf(status).subject, "resise");
  EXPECT_EQ(std::string(status.message()), "module 'resise' (resise.so) is not in the module folders (" +
                                               Path("first") + ", " + Path("second") + "); did you mean 'resize'?");
}

TEST_F(FoldersTest, APathIsRefused) {
  for (const char* name : {"/etc/passwd", "../first/resize", "first/resize", "", ".", ".."}) {
    const absl::Status status = ResolveModule(name);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(core::DetailOf(status).reason, "INVALID_FIELD") << name;
  }
  core::PoolSpec spec;
  spec.program = "../bin/sh";
  EXPECT_THAT(std::string(Resolve(&spec).message()), HasSubstr("worker program '../bin/sh' is not a plain name"));
}

TEST_F(FoldersTest, AWorkerProgramIsFoundByName) {
  core::PoolSpec spec;
  spec.program = "render";
  ASSERT_TRUE(Resolve(&spec).ok());
  EXPECT_EQ(spec.program_path, Path("programs/render"));
}

TEST_F(FoldersTest, AFileThatCannotBeExecutedIsNoWorkerProgram) {
  core::PoolSpec spec;
  spec.program = "notes.txt";
  EXPECT_EQ(core::DetailOf(Resolve(&spec)).reason, "PROGRAM_NOT_FOUND");
}

TEST_F(FoldersTest, AFailedLookupLeavesTheSpecAsItWas) {
  core::PoolSpec spec;
  spec.modules = {"blur", "nothing"};
  const core::PoolSpec before = spec;
  EXPECT_FALSE(Resolve(&spec).ok());
  EXPECT_EQ(spec, before);
}

}  // namespace
}  // namespace poold::config
