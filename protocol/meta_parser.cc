#include "protocol/meta_parser.h"

#include <algorithm>
#include <array>
#include <optional>

#include "protocol/base64.h"
#include "protocol/limits.h"
#include "protocol/numbers.h"
#include "protocol/tokens.h"

namespace larder::protocol {
namespace {

void Fail(ParseResult& result, Status error) {
  result.status = ParseStatus::kError;
  result.error = error;
}

// --- flags -------------------------------------------------------------------------------------

std::optional<MetaFlag> FlagOf(char letter) {
  switch (letter) {
#define META_FLAG(name, letter, shown) \
  case letter:                         \
    return MetaFlag::name;
#define META_NUMBER(name, letter, member, type, initial, parse, complaint) \
  META_FLAG(name, letter, kNever)
#include "protocol/meta_flags.def"
#undef META_FLAG
#undef META_NUMBER
    default:
      return std::nullopt;
  }
}

template <typename Number>
Status Assign(std::optional<Number> parsed, Number& member, Status complaint) {
  if (!parsed) return complaint;
  member = *parsed;
  return Status::kNone;
}

// `token`: what is glued to the flag's letter.
Status ReadNumber(MetaFlag flag, std::string_view token, MetaArguments& meta) {
  switch (flag) {
#define META_FLAG(name, letter, shown)
#define META_NUMBER(name, letter, member, type, initial, parse, complaint) \
  case MetaFlag::name:                                                     \
    return Assign<type>(parse(token), meta.member, Status::complaint);
#include "protocol/meta_flags.def"
#undef META_FLAG
#undef META_NUMBER
    default:
      return Status::kNone;
  }
}

Status DecodeKey(Request& request, MetaArguments& meta) {
  const auto key_bytes = DecodeBase64(request.key, meta.KeyRoom().data());
  if (!key_bytes) return Status::kBadMetaKey;
  request.key = {meta.KeyRoom().data(), *key_bytes};
  return Status::kNone;
}

// memcached looks at the length of an opaque when it comes to write it, having carried out the
// command, and then leaves out the flags that stand behind it.
Status ReadOpaque(std::string_view word, Request& request, MetaArguments& meta) {
  if (word.size() > kOpaqueBytesMax) {
    request.fault = Status::kOpaqueTooLong;
  } else {
    meta.SetOpaque(word);
  }
  return Status::kNone;
}

Status ReadFlag(MetaFlag flag, std::string_view word, Request& request, MetaArguments& meta) {
  switch (flag) {
    case MetaFlag::kBinaryKey:
      return DecodeKey(request, meta);
    case MetaFlag::kOpaque:
      return ReadOpaque(word, request, meta);
    case MetaFlag::kMode:
      // Alone it is a mode that no command knows.
      meta.mode = word.size() > 1 ? word[1] : ' ';
      return Status::kNone;
    default:
      return ReadNumber(flag, word.substr(1), meta);
  }
}

// Of several bad tokens the last one is named, but for F, which is named only when it is alone.
Status WorseOf(Status error, Status next) {
  if (next == Status::kNone) return error;
  return next == Status::kBadLine && error != Status::kNone ? error : next;
}

Status ReadFlags(const TokenList& words, size_t first, Request& request, MetaArguments& meta) {
  Status error = Status::kNone;
  for (size_t i = first; i < words.Count(); ++i) {
    const auto flag = FlagOf(words[i].front());
    if (!flag) return Status::kInvalidFlag;
    if (meta.Has(*flag)) return Status::kDuplicateFlag;
    meta.Add(*flag);
    if (request.fault == Status::kNone) meta.AddInOrder(*flag);
    error = WorseOf(error, ReadFlag(*flag, words[i], request, meta));
  }
  return error;
}

// The key and all that follows it, from word `first` on.
Status ReadArguments(const TokenList& words, size_t first, Request& request, MetaArguments& meta) {
  request.key = words[1];
  if (request.key.size() > kKeyBytesMax) return Status::kBadLine;
  if (words.Count() > kMetaWordsMax) return Status::kTooManyFlags;
  return ReadFlags(words, first, request, meta);
}

// A flag that begins with another byte than these spoils the line before anything else is read.
bool MayBeginFlag(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'z'); }

bool AreFlags(const TokenList& words, size_t first) {
  for (size_t i = first; i < words.Count(); ++i) {
    if (!MayBeginFlag(words[i].front())) return false;
  }
  return true;
}

// --- commands ----------------------------------------------------------------------------------

Status ParseArithmetic(const TokenList& words, Request& request, MetaArguments& meta) {
  constexpr std::string_view kModes = "ID+-";
  if (ReadArguments(words, 2, request, meta) != Status::kNone) {
    return Status::kInvalidOrDuplicateFlag;
  }
  const bool is_mode = meta.mode == '\0' || kModes.find(meta.mode) != std::string_view::npos;
  return is_mode ? Status::kNone : Status::kInvalidArithmeticMode;
}

Status ParseGetOrDelete(const TokenList& words, Request& request, MetaArguments& meta) {
  const Status error = ReadArguments(words, 2, request, meta);
  if (error != Status::kNone || request.command == Command::kMetaGet) return error;
  return request.fault;  // md changes nothing before it looks at the opaque
}

// Takes what a store has of its own out of the flags, so that it is a request like any other's.
Status LowerStore(Request& request, const MetaArguments& meta) {
  constexpr std::string_view kModes = "SEAPR";
  if (meta.mode != '\0' && kModes.find(meta.mode) == std::string_view::npos) {
    return Status::kInvalidStoreMode;
  }
  const bool extends = meta.mode == 'A' || meta.mode == 'P';
  const bool vivifies = extends && meta.Has(MetaFlag::kVivify);
  request.exptime = vivifies ? meta.vivify_exptime : meta.exptime;
  request.client_flags = meta.client_flags;
  request.number = meta.compare_cas;
  return Status::kNone;
}

void ParseStore(const TokenList& words, MetaArguments& meta, ParseResult& result) {
  Request& request = result.request;
  const auto value_bytes = ParseStrictInt32(words[2]);
  if (!value_bytes || *value_bytes < 0 || *value_bytes > static_cast<int32_t>(kValueBytesMax)) {
    return Fail(result, Status::kBadLine);
  }
  request.value_bytes = static_cast<uint32_t>(*value_bytes);
  Status error = ReadArguments(words, 3, request, meta);
  if (error == Status::kNone) error = LowerStore(request, meta);
  if (error == Status::kNone) return;
  result.swallow_bytes = request.value_bytes + static_cast<uint32_t>(kValueEndBytes);
  Fail(result, error);
}

// Only a plain `b` directly behind the key says something.
Status ParseDebug(const TokenList& words, Request& request, MetaArguments& meta) {
  request.key = words[1];
  if (request.key.size() > kKeyBytesMax) return Status::kBadLine;
  if (words[2] != "b") return Status::kNone;
  meta.Add(MetaFlag::kBinaryKey);
  return DecodeKey(request, meta) == Status::kNone ? Status::kNone : Status::kBadLine;
}

}  // namespace

void ParseMetaRequest(const CommandRecord& record, std::string_view line, MetaArguments& meta,
                      ParseResult& result) {
  const TokenList words(line);
  const size_t first_flag = record.syntax == CommandSyntax::kMetaStorage ? 3 : 2;
  if (words.Count() < record.words_min || !AreFlags(words, first_flag)) {
    return Fail(result, Status::kBadLine);
  }
  meta.Clear();
  result.request.meta = &meta;
  if (record.syntax == CommandSyntax::kMetaStorage) return ParseStore(words, meta, result);

  Status error = Status::kNone;
  if (record.syntax == CommandSyntax::kMetaDebug) {
    error = ParseDebug(words, result.request, meta);
  } else if (record.command == Command::kMetaArithmetic) {
    error = ParseArithmetic(words, result.request, meta);
  } else {
    error = ParseGetOrDelete(words, result.request, meta);
  }
  if (error != Status::kNone) Fail(result, error);
}

}  // namespace larder::protocol
