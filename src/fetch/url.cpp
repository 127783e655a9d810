#include "fetch/url.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace debroot::fetch {

namespace {

std::string decode_percent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size()) {
      const char *first = text.data() + i + 1;
      auto [end, failure] = std::from_chars(first, first + 2, value, 16);
      if (failure == std::errc{} && end == first + 2) {
        out += static_cast<char>(value);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

}  // namespace

std::string url_scheme(std::string_view url) {
  std::size_t colon = url.find_first_of(":/");
  if (colon == std::string_view::npos || url[colon] != ':') return {};
  std::string scheme(url.substr(0, colon));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return scheme;
}

std::string url_server(std::string_view url) {
  std::string plain = base::without_credentials(url);
  std::size_t host = plain.find("://");
  if (host == std::string::npos) return plain;
  return plain.substr(0, plain.find('/', host + 3));
}

std::string url_local_path(std::string_view url) {
  std::size_t colon = url.find(':');
  if (colon == std::string_view::npos) return {};
  std::string_view rest = url.substr(colon + 1);
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    if (rest.starts_with("localhost/")) rest.remove_prefix(std::string_view("localhost").size());
  }
  if (!rest.starts_with('/')) return {};
  std::string path = decode_percent(rest);
  return path.find('\0') == std::string::npos ? path : std::string{};
}

}  // namespace debroot::fetch
