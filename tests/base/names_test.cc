// What names may look like, and which variables are code.
#include "base/names.h"

#include <gtest/gtest.h>

#include "base/worker_mark.h"

namespace poold::base {
namespace {

TEST(NamesTest, NamesOfPoolsArePlain) {
  for (const char* name : {"a", "default", "v1.2-rc_3", "."}) EXPECT_TRUE(IsName(name)) << name;
  for (const char* name : {"", "a b", "a/b", "a\nb", "\x1b[2J", "\xc3\xa4"}) EXPECT_FALSE(IsName(name)) << name;
  EXPECT_TRUE(IsName(std::string(64, 'x')));
  EXPECT_FALSE(IsName(std::string(65, 'x')));
}

TEST(NamesTest, NamesOfFunctionsHaveNoControlCharacters) {
  for (const char* name : {"f", "my::f<int>", "a b", "\xc3\xa4"}) EXPECT_TRUE(IsFunctionName(name)) << name;
  for (const char* name : {"", "f\n", "\tf", "\x1b[31mf", "f\x7f"}) EXPECT_FALSE(IsFunctionName(name)) << name;
  EXPECT_TRUE(IsFunctionName(std::string(256, 'x')));
  EXPECT_FALSE(IsFunctionName(std::string(257, 'x')));
}

TEST(NamesTest, WhatIsQuotedMovesNoCursor) {
  EXPECT_EQ(Quoted("a\x1b[2Jb\n"), "\"a?[2Jb?\"");
  EXPECT_EQ(Quoted(std::string(100, 'x')), "\"" + std::string(64, 'x') + "...\"");
}

TEST(NamesTest, VariablesThatLoadSomethingAreCode) {
  for (const char* name : {"LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONSTARTUP", "GCONV_PATH", "MALLOC_CONF",
                           "PATH", "GLIBC_TUNABLES", "NODE_OPTIONS", "PERL5LIB", "RUBYOPT", "JAVA_TOOL_OPTIONS",
                           "_JAVA_OPTIONS", "BASH_ENV", "BASH_FUNC_ls%%", "IFS", "OPENSSL_CONF", "LUA_INIT"}) {
    EXPECT_TRUE(IsCode(name)) << name;
  }
  for (const char* name : {"HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "OMP_NUM_THREADS", "MODEL", "HTTP_PROXY", "ENV",
                           "MY_PATH", "XPYTHON"}) {
    EXPECT_FALSE(IsCode(name)) << name;
  }
}

TEST(NamesTest, AWorkersMarkHasTheDaemonsSecret) {
  EXPECT_EQ(WorkerOfMark("s3cret.17", "s3cret"), 17u);
  for (const char* mark : {"", "17", "s3cret", "s3cret.", "s3cret17", "other.17", "s3cret.17x", "s3cret.-1"}) {
    EXPECT_EQ(WorkerOfMark(mark, "s3cret"), 0u) << mark;
  }
  EXPECT_EQ(WorkerOfMark(".17", ""), 0u) << "a daemon without a secret believes nobody";
}

}  // namespace
}  // namespace poold::base
