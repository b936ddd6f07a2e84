#include "terminal_text.h"

#include <algorithm>
#include <clocale>
#include <cstdint>
#include <cwchar>
#include <utility>

#include "absl/strings/str_format.h"
#include "wire/readable.h"

namespace poold::client::internal {
namespace {

constexpr std::size_t kLongestCharacter = 4;

// Of a valid character.
char32_t CodeOf(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return lead;
  char32_t code = lead & (0xffu >> (character.size() + 1));
  for (std::size_t i = 1; i < character.size(); ++i) {
    code = code << 6 | (static_cast<unsigned char>(character[i]) & 0x3fu);
  }
  return code;
}

bool IsPlainAscii(char c) { return c >= 0x20 && c < 0x7f; }

bool Within(char32_t code, char32_t first, char32_t last) { return code >= first && code <= last; }

// It does something to a terminal, or to what stands around it.
bool Acts(char32_t code) {
  const bool control = code < 0x20 || Within(code, 0x7f, 0x9f);
  const bool turns =
      code == 0x61c || Within(code, 0x200e, 0x200f) || Within(code, 0x202a, 0x202e) || Within(code, 0x2066, 0x2069);
  const bool separates = Within(code, 0x2028, 0x2029) || Within(code, 0xfff9, 0xfffb);
  return control || turns || separates;
}

std::string Visible(char32_t code) {
  if (code == '\n') return "\\n";
  if (code == '\r') return "\\r";
  if (code == '\t') return "\\t";
  return code < 0x80 ? absl::StrFormat("\\x%02x", static_cast<unsigned>(code))
                     : absl::StrFormat("\\u%04x", static_cast<unsigned>(code));
}

std::string VisibleByte(char byte) { return absl::StrFormat("\\x%02x", static_cast<unsigned char>(byte)); }

std::size_t PlainPrefix(std::string_view text) {
  std::size_t plain = 0;
  while (plain < text.size() && IsPlainAscii(text[plain])) ++plain;
  return plain;
}

// `keep` names the characters that act and stay nevertheless.
std::string Shown(std::string_view text, std::string_view keep) {
  std::string out;
  while (!text.empty()) {
    const std::size_t plain = PlainPrefix(text);
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const std::size_t length = wire::CharacterBytes(text);
    if (length == 0) {
      out += VisibleByte(text[0]);
    } else {
      const char32_t code = CodeOf(text.substr(0, length));
      const bool stays = !Acts(code) || (length == 1 && keep.find(text[0]) != std::string_view::npos);
      out.append(stays ? std::string(text.substr(0, length)) : Visible(code));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

// How many bytes at the end are the beginning of a character.
std::size_t TornBytes(std::string_view text) {
  for (std::size_t back = 1; back < kLongestCharacter && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte >> 6 == 2) continue;
    const std::size_t length = byte >> 5 == 6 ? 2 : byte >> 4 == 14 ? 3 : byte >> 3 == 30 ? 4 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

// wcwidth asks the locale of the thread: for as long as this lives it is one that knows Unicode.
class UnicodeLocale {
 public:
  UnicodeLocale() : before_(uselocale(Unicode())) {}
  ~UnicodeLocale() { uselocale(before_); }
  UnicodeLocale(const UnicodeLocale&) = delete;
  UnicodeLocale& operator=(const UnicodeLocale&) = delete;

 private:
  static locale_t Unicode() {
    static const locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return unicode;
  }
  const locale_t before_;
};

std::size_t ColumnsOf(std::string_view character) {
  const int columns = wcwidth(static_cast<wchar_t>(CodeOf(character)));
  return columns < 0 ? 1 : static_cast<std::size_t>(columns);
}

}  // namespace

std::string OneLine(std::string_view text) { return Shown(text, ""); }

std::string Lines(std::string_view text) { return Shown(text, "\n\t"); }

std::string LinesOfPieces::Add(std::string_view piece) {
  std::string text = std::exchange(torn_, "");
  text.append(piece);
  const std::size_t torn = TornBytes(text);
  torn_ = text.substr(text.size() - torn);
  return Lines(std::string_view(text).substr(0, text.size() - torn));
}

std::string SafeJson(std::string json) {
  if (PlainPrefix(json) == json.size()) return json;
  std::string out;
  std::string_view rest = json;
  while (!rest.empty()) {
    const std::size_t length = std::max<std::size_t>(wire::CharacterBytes(rest), 1);
    const char32_t code = CodeOf(rest.substr(0, length));
    // Below a space JSON has only the spaces between its values.
    if (code >= 0x20 && Acts(code)) {
      out += absl::StrFormat("\\u%04x", static_cast<unsigned>(code));
    } else {
      out.append(rest.substr(0, length));
    }
    rest.remove_prefix(length);
  }
  return out;
}

std::size_t Columns(std::string_view line) {
  const std::size_t plain = PlainPrefix(line);
  if (plain == line.size()) return plain;
  const UnicodeLocale unicode;
  std::size_t columns = 0;
  while (!line.empty()) {
    const std::size_t length = std::max<std::size_t>(wire::CharacterBytes(line), 1);
    columns += ColumnsOf(line.substr(0, length));
    line.remove_prefix(length);
  }
  return columns;
}

std::string_view FirstColumns(std::string_view line, std::size_t columns) {
  const UnicodeLocale unicode;
  std::size_t end = 0;
  std::size_t taken = 0;
  while (end < line.size()) {
    const std::string_view rest = line.substr(end);
    const std::size_t length = std::max<std::size_t>(wire::CharacterBytes(rest), 1);
    taken += ColumnsOf(rest.substr(0, length));
    if (taken > columns) break;
    end += length;
  }
  return line.substr(0, end);
}

}  // namespace poold::client::internal
