// protocol/meta_arguments.h - what a meta command's flags say: the part of a request that classic
// commands do not have.
//
// Kept apart from Request, which is small and passed around: the caller has one of these, and the
// parser fills it for meta commands only.
//
// Owner    owns all it holds; a decoded key is lent from here to Request::key.
// Units    exptimes and CAS uniques as sent.
// Not here the flags themselves: meta_flags.def. How they are read: meta_parser.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "protocol/limits.h"

namespace larder::protocol {

enum class MetaFlag : uint8_t {
#define META_FLAG(name, letter, shown) name,
#define META_NUMBER(name, letter, member, type, initial, parse, complaint) name,
#include "protocol/meta_flags.def"
#undef META_FLAG
#undef META_NUMBER
};

inline constexpr auto kMetaFlagLetters = std::to_array<char>({
#define META_FLAG(name, letter, shown) letter,
#define META_NUMBER(name, letter, member, type, initial, parse, complaint) letter,
#include "protocol/meta_flags.def"
#undef META_FLAG
#undef META_NUMBER
});

[[nodiscard]] constexpr char LetterOf(MetaFlag flag) {
  return kMetaFlagLetters[static_cast<size_t>(flag)];
}

// What is glued to the flags that take a number, and to M.
struct MetaNumbers {
#define META_FLAG(name, letter, shown)
#define META_NUMBER(name, letter, member, type, initial, parse, complaint) type member = initial;
#include "protocol/meta_flags.def"
#undef META_FLAG
#undef META_NUMBER

  char mode = '\0';  // the byte after M; zero without one
};

class MetaArguments : public MetaNumbers {
 public:
  // Forgets the request before, at the cost of a few words: what the counts do not cover stays.
  void Clear() {
    static_cast<MetaNumbers&>(*this) = {};
    present_ = 0;
    flag_count_ = 0;
    opaque_bytes_ = 0;
  }

  [[nodiscard]] bool Has(MetaFlag flag) const { return (present_ & Bit(flag)) != 0; }
  void Add(MetaFlag flag) { present_ |= Bit(flag); }
  // REQUIRES: each flag once.
  void AddInOrder(MetaFlag flag) { in_order_[flag_count_++] = flag; }
  // The flags in the order of the request: what they change and what they show depends on it. With
  // Status::kOpaqueTooLong those behind the opaque are left out.
  [[nodiscard]] std::span<const MetaFlag> InOrder() const {
    return std::span(in_order_).first(flag_count_);
  }

  // The token of O with its letter, as it is echoed.
  [[nodiscard]] std::string_view Opaque() const { return {opaque_.data(), opaque_bytes_}; }
  // REQUIRES: token.size() <= kOpaqueBytesMax
  void SetOpaque(std::string_view token) {
    opaque_bytes_ = static_cast<uint8_t>(token.copy(opaque_.data(), opaque_.size()));
  }

  // Where a key in base64 is decoded to.
  [[nodiscard]] std::span<char, kBinaryKeyBytesMax> KeyRoom() { return key_room_; }

 private:
  [[nodiscard]] static constexpr uint32_t Bit(MetaFlag flag) {
    return uint32_t{1} << static_cast<uint32_t>(flag);
  }
  static_assert(kMetaFlagLetters.size() <= 32, "a flag is a bit of present_");

  uint32_t present_ = 0;
  uint8_t flag_count_ = 0;
  uint8_t opaque_bytes_ = 0;
  // These three hold what the counts above say; the rest is never looked at.
  std::array<MetaFlag, kMetaFlagLetters.size()> in_order_;
  std::array<char, kOpaqueBytesMax> opaque_;
  std::array<char, kBinaryKeyBytesMax> key_room_;
};
static_assert(std::is_trivially_copyable_v<MetaArguments>);

}  // namespace larder::protocol
