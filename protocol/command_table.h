// protocol/command_table.h - the commands there are, and how to find one by its word.
//
// Threads  constants and pure functions.
// Not here what a command does: server/commands/dispatch.h
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace larder::protocol {

enum class Command : uint8_t {
#define COMMAND(name, word, syntax, words_min, indented) name,
#include "protocol/commands.def"
#undef COMMAND
};

// The shapes of request lines. [noreply] is the last word, and only of the shapes that show it.
enum class CommandSyntax : uint8_t {
  kKeys,            // get <key>*
  kExptimeAndKeys,  // gat <exptime> <key>*
  kStorage,         // set <key> <flags> <exptime> <bytes> [<cas>] [noreply]
  kKey,             // delete <key> [noreply]
  kKeyAndDelta,     // incr <key> <delta> [noreply]
  kKeyAndExptime,   // touch <key> <exptime> [noreply]
  kGroup,           // stats [<group>]
  kDelay,           // flush_all [<delay>] [noreply]
  kLevel,           // verbosity <level> [noreply]
  kWords,           // slabs <word>* [noreply]: as many words as there are, left to the handler
  kNoArguments,     // version
  kMeta,            // mg <key> <flag>*
  kMetaStorage,     // ms <key> <bytes> <flag>*
  kMetaDebug,       // me <key> [b]
};

struct CommandRecord {
  std::string_view word;
  Command command;
  CommandSyntax syntax;
  uint8_t words_min;
  bool indented;
};

inline constexpr auto kCommands = std::to_array<CommandRecord>({
#define COMMAND(name, word, syntax, words_min, indented) \
  {word, Command::name, CommandSyntax::syntax, words_min, indented},
#include "protocol/commands.def"
#undef COMMAND
});

[[nodiscard]] constexpr const CommandRecord& RecordOf(Command command) {
  return kCommands[static_cast<size_t>(command)];
}

// Null for a word that is no command.
[[nodiscard]] const CommandRecord* FindCommand(std::string_view word);

}  // namespace larder::protocol
