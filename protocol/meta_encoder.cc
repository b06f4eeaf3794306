#include "protocol/meta_encoder.h"

#include <array>

#include "protocol/base64.h"
#include "protocol/limits.h"
#include "protocol/put_text.h"
#include "protocol/wire_strings.h"

namespace larder::protocol {
namespace {

constexpr std::string_view kValueCode = "VA ";
constexpr std::string_view kHeaderCode = "HD";

// Answers by what they show: see meta_flags.def.
enum Shown : uint8_t {
  kNever = 0,
  kWithItem = 1U << 0,
  kWithStore = 1U << 1,
  kWithNumber = 1U << 2,
  kWithOutcome = 1U << 3,
  kAlways = kWithItem | kWithStore | kWithNumber | kWithOutcome,
};

constexpr auto kShownBy = std::to_array<uint8_t>({
#define META_FLAG(name, letter, shown) shown,
#define META_NUMBER(name, letter, member, type, initial, parse, complaint) kNever,
#include "protocol/meta_flags.def"
#undef META_FLAG
#undef META_NUMBER
});

constexpr bool IsShown(MetaFlag flag, Shown answer) {
  return (kShownBy[static_cast<size_t>(flag)] & answer) != 0;
}

// More than the widest line: every flag with a number, the longest key, opaque, tail, line end.
constexpr size_t kLineBytesRoom = kValueCode.size() + kUint64DigitsMax +
                                  kMetaWordsMax * (2 + kUint64DigitsMax) +
                                  Base64BytesFor(kKeyBytesMax) + kOpaqueBytesMax + 16;

char* PutFlag(char* to, char letter, uint64_t number) {
  *to++ = ' ';
  *to++ = letter;
  return PutNumber(to, number);
}

// Seconds left, on 32 bits: an item that has expired seems to live for a very long time.
char* PutTtl(char* to, uint32_t expires_s, uint32_t now_s) {
  if (expires_s == 0) return Put(to, " t-1");
  return PutFlag(to, LetterOf(MetaFlag::kTtlLeft), expires_s - now_s);
}

char* PutBareKey(char* to, std::string_view key, bool is_binary) {
  return is_binary ? EncodeBase64(key, to) : Put(to, key);
}

char* PutKey(char* to, std::string_view key, bool is_binary) {
  *to++ = ' ';
  *to++ = LetterOf(MetaFlag::kKey);
  to = PutBareKey(to, key, is_binary);
  return is_binary ? Put(to, " b") : to;
}

// Writes what the request's flags show of the item, with the expiry following T and N.
class FlagWriter {
 public:
  FlagWriter(const MetaArguments& meta, const MetaItem& item)
      : meta_(meta), item_(item), expires_s_(item.expires_s) {}

  char* PutAll(char* to, Shown answer) {
    for (const MetaFlag flag : meta_.InOrder()) {
      if (IsShown(flag, answer)) {
        to = PutOne(to, flag);
      } else if (flag == MetaFlag::kTtl) {
        expires_s_ = item_.touched_expires_s;
      } else if (flag == MetaFlag::kVivify && item_.is_created) {
        expires_s_ = item_.vivified_expires_s;
      }
    }
    return to;
  }

 private:
  char* PutOne(char* to, MetaFlag flag) const {
    switch (flag) {
      case MetaFlag::kOpaque:
        *to++ = ' ';
        return Put(to, meta_.Opaque());
      case MetaFlag::kKey:
        return PutKey(to, item_.key, item_.has_binary_key);
      case MetaFlag::kTtlLeft:
        return PutTtl(to, expires_s_, item_.now_s);
      default:
        return PutFlag(to, LetterOf(flag), NumberOf(flag));
    }
  }

  [[nodiscard]] uint64_t NumberOf(MetaFlag flag) const {
    switch (flag) {
      case MetaFlag::kCas:
        return item_.cas;
      case MetaFlag::kSize:
        return item_.value_bytes;
      case MetaFlag::kClientFlags:
        return item_.client_flags;
      case MetaFlag::kLastAccess:
        return item_.idle_s;
      case MetaFlag::kHitBefore:
        return item_.was_fetched ? 1 : 0;
      default:
        return 0;
    }
  }

  const MetaArguments& meta_;
  const MetaItem& item_;
  uint32_t expires_s_;
};

char* PutTail(char* to, const MetaItem& item) {
  if (item.token_is_sent) to = Put(to, " Z");
  if (item.is_stale) to = Put(to, " X");
  if (item.is_won) to = Put(to, " W");
  return to;
}

char* PutItemFlags(char* to, const MetaArguments& meta, const MetaItem& item) {
  return Put(PutTail(FlagWriter(meta, item).PutAll(to, kWithItem), item), kLineEnd);
}

char* PutValueLine(char* to, const MetaArguments& meta, const MetaItem& item) {
  return PutItemFlags(PutNumber(Put(to, kValueCode), item.value_bytes), meta, item);
}

std::string_view CodeOf(Status status) {
  switch (status) {
    case Status::kNotStored:
      return "NS";
    case Status::kExists:
      return "EX";
    case Status::kNotFound:
      return "NF";
    case Status::kMetaMiss:
      return "EN";
    default:
      return kHeaderCode;
  }
}

}  // namespace

void WriteMetaItem(const MetaArguments& meta, const MetaItem& item, ReplySink& replies) {
  char* const begin = replies.Reserve(kLineBytesRoom);
  char* const end = PutItemFlags(Put(begin, kHeaderCode), meta, item);
  replies.Advance(static_cast<size_t>(end - begin));
}

void WriteMetaValue(const MetaArguments& meta, const MetaItem& item, std::string_view value,
                    ReplySink& replies) {
  char* const begin = replies.Reserve(kLineBytesRoom + value.size() + kLineEnd.size());
  char* const end = Put(Put(PutValueLine(begin, meta, item), value), kLineEnd);
  replies.Advance(static_cast<size_t>(end - begin));
}

void WriteMetaLentValue(const MetaArguments& meta, const MetaItem& item, std::string_view value,
                        ReplySink::ReleaseFn release, void* opaque, ReplySink& replies) {
  char* const begin = replies.Reserve(kLineBytesRoom);
  char* const end = PutValueLine(begin, meta, item);
  replies.Advance(static_cast<size_t>(end - begin));
  replies.Lend(value, release, opaque);
  replies.Append(kLineEnd);
}

void WriteMetaNumber(const MetaArguments& meta, const MetaItem& item, uint64_t number,
                     ReplySink& replies) {
  std::array<char, kUint64DigitsMax> digits;
  const char* const digits_end = PutNumber(digits.data(), number);
  const std::string_view text(digits.data(), static_cast<size_t>(digits_end - digits.data()));

  char* const begin = replies.Reserve(kLineBytesRoom + kUint64DigitsMax + kLineEnd.size());
  const bool shows_number = meta.Has(MetaFlag::kValue);
  char* end = shows_number ? PutNumber(Put(begin, kValueCode), text.size())  //
                           : Put(begin, kHeaderCode);
  end = Put(FlagWriter(meta, item).PutAll(end, kWithNumber), kLineEnd);
  if (shows_number) end = Put(Put(end, text), kLineEnd);
  replies.Advance(static_cast<size_t>(end - begin));
}

void WriteMetaStore(const MetaArguments& meta, const MetaItem& item, Status status,
                    ReplySink& replies) {
  char* const begin = replies.Reserve(kLineBytesRoom);
  char* const end = FlagWriter(meta, item).PutAll(Put(begin, CodeOf(status)), kWithStore);
  replies.Advance(static_cast<size_t>(Put(end, kLineEnd) - begin));
}

void WriteMetaOutcome(const MetaArguments& meta, std::string_view key, Status status,
                      ReplySink& replies) {
  const MetaItem none{.key = key, .has_binary_key = meta.Has(MetaFlag::kBinaryKey)};
  char* const begin = replies.Reserve(kLineBytesRoom);
  char* const end = FlagWriter(meta, none).PutAll(Put(begin, CodeOf(status)), kWithOutcome);
  replies.Advance(static_cast<size_t>(Put(end, kLineEnd) - begin));
}

void WriteMetaDebug(const MetaDebug& item, ReplySink& replies) {
  // ME exp= la= cas= fetch=yes cls= size=, the blanks between and the line's end
  constexpr size_t kWordsBytesMax = 64;
  char* const begin =
      replies.Reserve(kWordsBytesMax + Base64BytesFor(kKeyBytesMax) + 5 * kUint64DigitsMax);
  char* end = PutBareKey(Put(begin, "ME "), item.key, item.has_binary_key);
  end = Put(end, " exp=");
  const uint32_t ttl_s = item.expires_s > item.now_s ? item.expires_s - item.now_s : 0;
  end = item.expires_s == 0 ? Put(end, "-1") : PutNumber(end, ttl_s);
  end = PutNumber(Put(end, " la="), item.idle_s);
  end = PutNumber(Put(end, " cas="), item.cas);
  end = Put(Put(end, " fetch="), item.was_fetched ? "yes" : "no");
  end = PutNumber(Put(end, " cls="), item.class_id);
  end = PutNumber(Put(end, " size="), item.item_bytes);
  replies.Advance(static_cast<size_t>(Put(end, kLineEnd) - begin));
}

}  // namespace larder::protocol
