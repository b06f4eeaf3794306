#include "server/commands/dispatch.h"

#include "server/commands/handlers.h"

namespace larder::server {

using protocol::Command;

Handler HandlerOf(Command command) {
  switch (command) {
    case Command::kDelete:
      return HandleDelete;
    case Command::kIncr:
    case Command::kDecr:
      return HandleArithmetic;
    case Command::kTouch:
      return HandleTouch;
    case Command::kMetaGet:
      return HandleMetaGet;
    case Command::kMetaDelete:
      return HandleMetaDelete;
    case Command::kMetaArithmetic:
      return HandleMetaArithmetic;
    case Command::kMetaNoop:
      return HandleMetaNoop;
    case Command::kMetaDebug:
      return HandleMetaDebug;
    case Command::kFlushAll:
      return HandleFlushAll;
    case Command::kVerbosity:
      return HandleVerbosity;
    case Command::kVersion:
      return HandleVersion;
    case Command::kStats:
      return HandleStats;
    case Command::kSlabs:
      return HandleSlabs;
    case Command::kCacheMemlimit:
      return HandleCacheMemlimit;
    case Command::kLru:
      return HandleLru;
    case Command::kLruCrawler:
      return HandleLruCrawler;
    case Command::kExtstore:
      return HandleExtstore;
    case Command::kWatch:
      return HandleWatch;
    case Command::kShutdown:
      return HandleShutdown;
    case Command::kGet:
    case Command::kGets:
    case Command::kGat:
    case Command::kGats:
    case Command::kSet:
    case Command::kAdd:
    case Command::kReplace:
    case Command::kAppend:
    case Command::kPrepend:
    case Command::kCas:
    case Command::kMetaSet:
    case Command::kQuit:
      return nullptr;
  }
  return nullptr;
}

}  // namespace larder::server
