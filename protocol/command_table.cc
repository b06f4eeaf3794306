#include "protocol/command_table.h"

namespace larder::protocol {
namespace {

// REQUIRES: count bytes from `at` on; at most 4
constexpr uint64_t Load(std::string_view word, size_t at, size_t count) {
  uint64_t loaded = 0;
  for (size_t i = 0; i < count; ++i) {
    loaded |= uint64_t{static_cast<unsigned char>(word[at + i])} << (8 * i);
  }
  return loaded;
}

// A word as a number, so that one switch tells all commands apart: its first and last bytes, in
// loads that overlap instead of a loop. Other words may have the same.
constexpr uint64_t Pack(std::string_view word) {
  const size_t bytes = word.size();
  if (bytes >= 8) return Load(word, 0, 4) | Load(word, 4, 4) << 32;
  if (bytes >= 4) return Load(word, 0, 4) | Load(word, bytes - 4, 4) << 32;
  if (bytes >= 2) return Load(word, 0, 2) | Load(word, bytes - 2, 2) << 16;
  return Load(word, 0, bytes);
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
  // The packed form says nothing of what follows the eighth byte, or of how many there are.
  return record->word == word ? record : nullptr;
}

}  // namespace larder::protocol
