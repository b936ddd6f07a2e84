#include "base/names.h"

#include <algorithm>
#include <iterator>

#include "wire/spelling.h"

namespace poold::base {
namespace {

// The C library and its loader; interpreters; shells; libraries that load plugins.
constexpr std::string_view kBeginnings[] = {
    "LD_",   "MALLOC_",  "GCONV_", "PYTHON", "PERL",      "RUBY",    "GEM_",  "BUNDLE_",        "NODE_",
    "NPM_",  "JAVA_",    "JDK_",   "_JAVA_", "CLASSPATH", "DOTNET_", "MONO_", "CORECLR_",       "COMPlus_",
    "LUA_",  "PHP",      "R_",     "JULIA_", "GUILE_",    "ERL_",    "BASH_", "GIT_",           "GTK_",
    "GDK_",  "GIO_",     "GST_",   "QT_",    "LIBGL_",    "OCL_",    "VK_",   "CUDA_INJECTION", "OPENSSL_",
    "DYLD_", "OMP_TOOL", "ASAN_",  "TSAN_",  "UBSAN_",    "LSAN_",   "MSAN_", "SASL_"};
constexpr std::string_view kNames[] = {
    "PATH",          "IFS",         "TCLLIBPATH",       "SHELLOPTS",      "BASHOPTS",       "PS4",     "CDPATH",
    "GLOBIGNORE",    "FPATH",       "ZDOTDIR",          "PROMPT_COMMAND", "GLIBC_TUNABLES", "LOCPATH", "NLSPATH",
    "HOSTALIASES",   "GETCONF_DIR", "RESOLV_HOST_CONF", "LOCALDOMAIN",    "RES_OPTIONS",    "TZDIR",   "TERMINFO",
    "TERMINFO_DIRS", "LESSOPEN",    "LESSCLOSE",        "KRB5_CONFIG",    "SSLKEYLOGFILE"};

}  // namespace

std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string nearest = wire::Nearest(word, candidates);
  return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

bool IsCode(std::string_view name) {
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames) ||
         std::any_of(std::begin(kBeginnings), std::end(kBeginnings),
                     [name](std::string_view beginning) { return name.starts_with(beginning); });
}

}  // namespace poold::base
