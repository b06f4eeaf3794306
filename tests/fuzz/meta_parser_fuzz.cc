// Any bytes at all as key, size and flags of a meta command: what the parser says of the flags is
// what the line says, and a key in base64 comes back as it was sent.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base64.h"
#include "protocol/meta_arguments.h"
#include "protocol/text_parser.h"
#include "tests/fuzz/require.h"

namespace {

using larder::fuzz::Require;
using larder::protocol::LetterOf;
using larder::protocol::MetaArguments;
using larder::protocol::MetaFlag;
using larder::protocol::ParseResult;
using larder::protocol::ParseStatus;
using larder::protocol::ParseTextRequest;
using larder::protocol::Status;

constexpr std::string_view kCommands[] = {"mg ", "ms ", "md ", "ma ", "me "};

std::vector<std::string_view> WordsOf(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const size_t end = line.find(' ');
    if (end > 0) words.push_back(line.substr(0, end));
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  }
  return words;
}

// Every flag that is said to be there stands in the line, in this order.
void RequireFlagsFromLine(const MetaArguments& meta, bool has_opaque,
                          const std::vector<std::string_view>& words) {
  size_t place = 2;
  for (const MetaFlag flag : meta.InOrder()) {
    Require(meta.Has(flag));
    while (place < words.size() && words[place][0] != LetterOf(flag)) ++place;
    Require(place < words.size());
    if (flag == MetaFlag::kOpaque && has_opaque) Require(meta.Opaque() == words[place]);
    ++place;
  }
}

void RequireKeyFromLine(const ParseResult& result, std::string_view word) {
  std::string text(larder::protocol::Base64BytesFor(result.request.key.size()), '\0');
  char* const end = larder::protocol::EncodeBase64(result.request.key, text.data());
  Require(end == text.data() + text.size());
  Require(text.size() == word.size());
  // The last character may have had bits to spare, which are not kept.
  size_t same = 0;
  while (same < text.size() && text[same] == word[same]) ++same;
  Require(same == text.size() || text.find('=') <= same + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  std::string line(kCommands[data[0] % std::size(kCommands)]);
  line.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  line.resize(std::min(line.find('\n'), line.size()));
  line += '\n';
  MetaArguments meta;
  const ParseResult result = ParseTextRequest(line, meta);
  Require(result.status != ParseStatus::kNeedMore);
  if (result.status != ParseStatus::kClose) Require(result.consumed_bytes == line.size());
  if (result.status != ParseStatus::kRequest || result.request.meta == nullptr) return 0;

  std::string_view text(line);
  text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);
  const std::vector<std::string_view> words = WordsOf(text);
  Require(words.size() >= 2);
  RequireFlagsFromLine(meta, result.request.fault != Status::kOpaqueTooLong, words);
  if (meta.Has(MetaFlag::kBinaryKey)) {
    RequireKeyFromLine(result, words[1]);
  } else {
    Require(result.request.key == words[1]);
  }
  return 0;
}
