#include "protocol/text_parser.h"

#include <algorithm>

#include "protocol/limits.h"
#include "protocol/meta_parser.h"
#include "protocol/numbers.h"
#include "protocol/tokens.h"

namespace larder::protocol {
namespace {

void Fail(ParseResult& result, Status error) {
  result.status = ParseStatus::kError;
  result.error = error;
}

// --- lines that are not complete ---------------------------------------------------------------

bool IsLongRetrieval(std::string_view line) {
  const size_t indent = std::min(line.find_first_not_of(' '), line.size());
  if (indent > kLongLineIndentMax) return false;
  line.remove_prefix(indent);
  return line.starts_with("get ") || line.starts_with("gets ");
}

ParseStatus JudgeUnfinishedLine(std::string_view line) {
  if (line.size() <= kLineBytesMax) return ParseStatus::kNeedMore;
  if (line.size() > kLongLineBytesMax || !IsLongRetrieval(line)) return ParseStatus::kClose;
  return ParseStatus::kNeedMore;
}

// --- arguments, one function for each shape of line --------------------------------------------

bool IsNoreply(const TokenList& words) { return words.Last() == "noreply"; }

// The keys before the first that is too long; all of them when none is.
std::string_view UpToTooLongKey(std::string_view keys) {
  if (keys.size() <= kKeyBytesMax) return keys;
  std::string_view rest = keys;
  for (auto key = NextKey(rest); !key.empty(); key = NextKey(rest)) {
    if (key.size() > kKeyBytesMax) return {keys.data(), key.data()};
  }
  return keys;
}

// `keys`: what follows the command, or its exptime. A key that is too long spoils the answer, but
// those before it are still looked up, and touched.
void ParseKeys(std::string_view keys, ParseResult& result) {
  std::string_view good_keys = UpToTooLongKey(keys);
  if (good_keys.size() != keys.size()) result.request.fault = Status::kBadLine;
  result.request.key = NextKey(good_keys);
  result.request.more_keys = good_keys;
  if (result.request.key.empty()) Fail(result, Status::kBadLine);
}

void ParseExptimeAndKeys(std::string_view arguments, ParseResult& result) {
  const std::string_view exptime = NextKey(arguments);
  if (arguments.find_first_not_of(' ') == std::string_view::npos) {
    return Fail(result, Status::kBadLine);
  }
  const auto number = ParseStrictInt32(exptime);
  if (!number) return Fail(result, Status::kInvalidExptime);
  result.request.exptime = *number;
  ParseKeys(arguments, result);
}

// The order of the checks decides what is answered, whether `noreply` silences it, and whether
// the value that follows is dropped or read as commands.
void ParseStorage(const TokenList& words, ParseResult& result) {
  Request& request = result.request;
  const auto value_bytes = ParseStrictInt32(words[4]);
  if (!value_bytes || *value_bytes < 0 || *value_bytes > static_cast<int32_t>(kValueBytesMax)) {
    return Fail(result, Status::kBadLine);
  }
  request.value_bytes = static_cast<uint32_t>(*value_bytes);
  request.noreply = IsNoreply(words);
  request.key = words[1];

  const auto client_flags = ParseLenientFlags(words.FromWordOn(2));
  const auto exptime = ParseLenientExptime(words.FromWordOn(3));
  const bool has_cas = request.command == Command::kCas;
  const auto cas = has_cas ? ParseStrictUint64(words[5]) : 0;
  if (request.key.size() > kKeyBytesMax || !client_flags || !exptime || !cas) {
    result.swallow_bytes = request.value_bytes + static_cast<uint32_t>(kValueEndBytes);
    return Fail(result, Status::kBadLine);
  }
  request.client_flags = *client_flags;
  request.exptime = *exptime;
  request.number = *cas;
}

void ParseKey(const TokenList& words, ParseResult& result) {
  result.request.noreply = IsNoreply(words);
  result.request.key = words[1];
  if (words[1].size() > kKeyBytesMax) Fail(result, Status::kBadLine);
}

void ParseKeyAndDelta(const TokenList& words, ParseResult& result) {
  ParseKey(words, result);
  if (result.status == ParseStatus::kError) return;
  const auto delta = ParseStrictUint64(words[2]);
  if (!delta) return Fail(result, Status::kInvalidDelta);
  result.request.number = *delta;
}

void ParseKeyAndExptime(const TokenList& words, ParseResult& result) {
  ParseKey(words, result);
  if (result.status == ParseStatus::kError) return;
  const auto exptime = ParseStrictInt32(words[2]);
  if (!exptime) return Fail(result, Status::kInvalidExptime);
  result.request.exptime = *exptime;
}

void ParseDelay(const TokenList& words, ParseResult& result) {
  Request& request = result.request;
  request.noreply = IsNoreply(words);
  const size_t words_without_delay = request.noreply ? 2 : 1;
  if (words.Count() == words_without_delay) return;
  const auto delay = ParseStrictInt32(words[1]);
  // Left to the handler: whether flushing is allowed at all comes first.
  if (!delay) request.fault = Status::kInvalidExptime;
  request.exptime = delay.value_or(0);
}

void ParseLevel(const TokenList& words, ParseResult& result) {
  result.request.noreply = IsNoreply(words);
  const auto level = ParseStrictUint32(words[1]);
  if (!level) return Fail(result, Status::kBadLine);
  result.request.number = *level;
}

// --- lines -------------------------------------------------------------------------------------

void ParseWords(const CommandRecord& record, std::string_view line, ParseResult& result) {
  const TokenList words(line);
  if (words.Count() < record.words_min) return Fail(result, Status::kBadLine);
  switch (record.syntax) {
    case CommandSyntax::kStorage:
      return ParseStorage(words, result);
    case CommandSyntax::kKey:
      return ParseKey(words, result);
    case CommandSyntax::kKeyAndDelta:
      return ParseKeyAndDelta(words, result);
    case CommandSyntax::kKeyAndExptime:
      return ParseKeyAndExptime(words, result);
    case CommandSyntax::kDelay:
      return ParseDelay(words, result);
    case CommandSyntax::kLevel:
      return ParseLevel(words, result);
    case CommandSyntax::kGroup:
      result.request.key = words[1];
      result.request.more_keys = line;
      return;
    case CommandSyntax::kWords:
      result.request.noreply = IsNoreply(words);
      result.request.more_keys = line;
      return;
    case CommandSyntax::kNoArguments:
    case CommandSyntax::kKeys:            // have lines without end, so ParseArguments
    case CommandSyntax::kExptimeAndKeys:  // does not cut them into words
    case CommandSyntax::kMeta:
    case CommandSyntax::kMetaStorage:
    case CommandSyntax::kMetaDebug:
      return;
  }
}

// `arguments`: the part of `line` behind the command.
void ParseArguments(const CommandRecord& record, std::string_view line, std::string_view arguments,
                    MetaArguments& meta, ParseResult& result) {
  result.status = ParseStatus::kRequest;
  result.request.command = record.command;
  switch (record.syntax) {
    case CommandSyntax::kKeys:
      return ParseKeys(arguments, result);
    case CommandSyntax::kExptimeAndKeys:
      return ParseExptimeAndKeys(arguments, result);
    case CommandSyntax::kMeta:
    case CommandSyntax::kMetaStorage:
    case CommandSyntax::kMetaDebug:
      return ParseMetaRequest(record, line, meta, result);
    default:
      return ParseWords(record, line, result);
  }
}

// A line whose first word is no command: perhaps it is indented, or a web browser's.
void ParseUnknown(std::string_view line, MetaArguments& meta, ParseResult& result) {
  const TokenList words(line);
  if (words.Count() > 0) {
    const CommandRecord* record = FindCommand(words[0]);
    if (record != nullptr && record->indented)
      return ParseArguments(*record, line, {}, meta, result);
    result.request.noreply = IsNoreply(words);
  }
  Fail(result, Status::kUnknownCommand);
  if (words.Count() > 1 && words.Last().starts_with("HTTP/")) result.status = ParseStatus::kClose;
}

}  // namespace

void ParseTextRequest(std::string_view input, MetaArguments& meta, size_t scanned_bytes,
                      ParseResult& result) {
  result = {};
  const size_t newline = input.find('\n', scanned_bytes);
  if (newline == std::string_view::npos) {
    result.status = JudgeUnfinishedLine(input);
    return;
  }
  result.consumed_bytes = newline + 1;
  if (result.consumed_bytes < kLineBytesMin) {
    return Fail(result, Status::kBadLine);
  }
  std::string_view line = input.substr(0, newline);
  if (line.ends_with('\r')) line.remove_suffix(1);

  const std::string_view word = line.substr(0, FindSpace(line, 0));
  const CommandRecord* record = FindCommand(word);
  if (record != nullptr) {
    ParseArguments(*record, line, line.substr(word.size()), meta, result);
  } else {
    ParseUnknown(line, meta, result);
  }
}

}  // namespace larder::protocol
