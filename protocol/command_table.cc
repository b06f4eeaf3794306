#include "protocol/command_table.h"

namespace larder::protocol {
namespace {

// The first eight bytes of a word as a number, so that one switch tells all commands apart.
constexpr uint64_t Pack(std::string_view word) {
  uint64_t packed = 0;
  const size_t packed_bytes = word.size() < 8 ? word.size() : 8;
  for (size_t i = 0; i < packed_bytes; ++i) {
    packed = packed << 8 | static_cast<unsigned char>(word[i]);
  }
  return packed;
}

}  // namespace

const CommandRecord* FindCommand(std::string_view word) {
  const CommandRecord* record = nullptr;
  switch (Pack(word)) {
#define COMMAND(name, word, syntax, words_min, indented) \
  case Pack(word):                                       \
    record = &RecordOf(Command::name);                   \
    break;
#include "protocol/commands.def"
#undef COMMAND
    default:
      return nullptr;
  }
  // The packed form says nothing of what follows the eighth byte, or of leading zero bytes.
  return record->word == word ? record : nullptr;
}

}  // namespace larder::protocol
