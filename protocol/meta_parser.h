// protocol/meta_parser.h - the request lines of the meta commands: mg, ms, md, ma, me.
//
//     <command> <key> [<bytes>] <flag>*        a flag: one letter, what it says glued to it
//
// Pure     as text_parser.h, which calls this for the commands whose syntax is kMeta, kMetaStorage
//          or kMetaDebug.
// Lends    the request's key is good as long as the line, or, decoded from base64, as long as
//          `meta` is not filled again.
// Errors   into `result`, in memcached's order: it decides which of several is named, and whether
//          the value behind the line is dropped or read as commands.
// Not here the flags: meta_flags.def
#pragma once

#include <string_view>

#include "protocol/command_table.h"
#include "protocol/meta_arguments.h"
#include "protocol/parse_result.h"

namespace larder::protocol {

// Fills `meta` and `result`: the request, which then points to `meta`, or what is wrong with it.
// REQUIRES: result.request.command is the record's
void ParseMetaRequest(const CommandRecord& record, std::string_view line, MetaArguments& meta,
                      ParseResult& result);

}  // namespace larder::protocol
