// server/observe/uri_encoding.h - keys in lines of text: everything but letters, digits and "-._~"
// as % and two upper-case digits.
#pragma once

#include <string>
#include <string_view>

namespace larder::server {

inline void AppendUriEncoded(std::string_view key, std::string& text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char byte : key) {
    const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                          (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' ||
                          byte == '_' || byte == '~';
    if (is_plain) {
      text += byte;
    } else {
      const auto code = static_cast<unsigned char>(byte);
      text += '%';
      text += kDigits[code >> 4];
      text += kDigits[code & 15];
    }
  }
}

}  // namespace larder::server
