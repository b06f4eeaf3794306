#include "server/commands/command_service.h"

#include "server/commands/session.h"

namespace larder::server {

std::unique_ptr<StreamHandler> CommandService::MakeHandler(ConnectionLink& link) {
  return std::make_unique<Session>(context_, link);
}

}  // namespace larder::server
