#include "rpc/listen_address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "wire/absl_text.h"

namespace poold::rpc {
namespace {

using wire::ToAbsl;

constexpr std::size_t kMaxUnixPathBytes = sizeof(sockaddr_un::sun_path) - 1;

absl::Status Wrong(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("cannot listen on \"", ToAbsl(text), "\": ", ToAbsl(why)));
}

absl::StatusOr<ListenAddress> ParseUnix(std::string_view text, std::string_view path) {
  if (path.starts_with("///")) path.remove_prefix(2);
  if (path.empty() || path.front() != '/')
    return Wrong(text, "a Unix socket needs an absolute path: unix:/path/to/socket");
  if (path.size() > kMaxUnixPathBytes) {
    return Wrong(text, absl::StrCat("the path has ", path.size(), " bytes, a Unix socket's has at most ",
                                    kMaxUnixPathBytes, "; choose a shorter folder"));
  }
  if (path.find('\0') != std::string_view::npos) return Wrong(text, "the path contains a zero byte");
  return ListenAddress{.unix_path = std::string(path)};
}

// The numeric form of a loopback host; nothing if it is another one.
std::optional<std::string> Loopback(std::string_view host) {
  if (host == "localhost") return "127.0.0.1";
  const std::string text(host);
  in_addr four{};
  if (inet_pton(AF_INET, text.c_str(), &four) == 1 && ntohl(four.s_addr) >> 24 == 127) return text;
  in6_addr six{};
  if (inet_pton(AF_INET6, text.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six)) return "::1";
  return std::nullopt;
}

absl::StatusOr<ListenAddress> ParseTcp(std::string_view text, std::string_view host_port) {
  const std::size_t colon = host_port.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return Wrong(text, "write unix:/path/to/socket or 127.0.0.1:PORT");
  std::string_view host = host_port.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  std::uint32_t port = 0;
  if (!absl::SimpleAtoi(ToAbsl(host_port.substr(colon + 1)), &port) || port > 65'535) {
    return Wrong(text, "the port is not a number from 0 to 65535");
  }
  std::optional<std::string> loopback = Loopback(host);
  if (!loopback) {
    return Wrong(text,
                 "only loopback addresses (127.0.0.1, [::1], localhost) are possible: poold does not authenticate "
                 "clients over the network yet; use a Unix socket, or forward a port with ssh");
  }
  return ListenAddress{.host = *std::move(loopback), .port = static_cast<std::uint16_t>(port)};
}

}  // namespace

std::string ListenAddress::ToString() const {
  if (!unix_path.empty()) return "unix:" + unix_path;
  return host == "::1" ? absl::StrCat("[::1]:", port) : absl::StrCat(host, ":", port);
}

absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text) {
  if (text.starts_with("unix-abstract:")) return Wrong(text, "abstract sockets have no permissions; use unix:/path");
  if (text.starts_with("unix:")) return ParseUnix(text, text.substr(5));
  if (text.starts_with("/")) return ParseUnix(text, text);
  if (text.starts_with("tcp:")) return ParseTcp(text, text.substr(4));
  return ParseTcp(text, text);
}

}  // namespace poold::rpc
