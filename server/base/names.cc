#include "base/names.h"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace poold::base {
namespace {

// The distance takes the product of both lengths, and names come from clients: a few milliseconds at most.
constexpr std::size_t kMaxWordBytes = 64;
constexpr std::size_t kMaxCandidates = 512;

// Levenshtein's distance, one row at a time.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

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

std::string Nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  if (word.size() > kMaxWordBytes) return best;
  for (std::size_t i = 0; i < std::min(candidates.size(), kMaxCandidates); ++i) {
    const std::string& candidate = candidates[i];
    if (candidate.size() > kMaxWordBytes) continue;
    const std::size_t distance = Distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string nearest = Nearest(word, candidates);
  return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

bool IsCode(std::string_view name) {
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames) ||
         std::any_of(std::begin(kBeginnings), std::end(kBeginnings),
                     [name](std::string_view beginning) { return name.starts_with(beginning); });
}

}  // namespace poold::base
