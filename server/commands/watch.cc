// `watch`: from then on the connection tells what happens, and hears nothing.

#include <algorithm>
#include <optional>

#include "protocol/text_encoder.h"
#include "protocol/tokens.h"
#include "server/commands/handlers.h"
#include "server/observe/event_log.h"

namespace larder::server {

using protocol::Outcome;
using protocol::ReplySink;
using protocol::Request;
using protocol::Status;
using protocol::TokenList;

namespace {

class WatchFeed final : public Feed {
 public:
  explicit WatchFeed(std::shared_ptr<Watcher> watcher) : watcher_(std::move(watcher)) {}
  ~WatchFeed() override { watcher_->Close(); }

  [[nodiscard]] State Drain(ReplySink& replies) override {
    constexpr size_t kTurnBytesMax = 64 * 1024;
    ByteRing& lines = watcher_->Lines();
    size_t room = kTurnBytesMax;
    while (room != 0) {
      const std::string_view piece = lines.Front().substr(0, room);
      if (piece.empty()) return State::kWaiting;
      replies.Append(piece);
      lines.Pop(piece.size());
      room -= piece.size();
    }
    return State::kMore;
  }
  [[nodiscard]] bool GoesOnWithoutPeer() const override { return false; }

 private:
  const std::shared_ptr<Watcher> watcher_;
};

// Nullopt: a word that is no stream's.
std::optional<uint32_t> StreamsOf(const TokenList& words) {
  if (words.Count() == 1) return watch_stream::kFetchers;
  uint32_t streams = 0;
  for (size_t i = 1; i < words.Count(); ++i) {
    const uint32_t stream = FindStream(words[i]);
    if (stream == 0) return std::nullopt;
    streams |= stream;
  }
  return streams;
}

Status Watch(WorkerContext& context, const TokenList& words, const ReplySink& replies) {
  if (!context.environment.Options().watch_enabled) return Status::kWatchNotAllowed;
  // No answer at all, so that a forged datagram draws none that memcached would not give.
  if (context.connection->IsDatagram()) return Status::kNone;
  if (replies.PendingBytes() > 0) return Status::kWatchNotAlone;
  const auto streams = StreamsOf(words);
  if (!streams) return Status::kUnknownCommand;
  auto wake = [waker = context.connection->GetWaker()] { waker->Wake(); };
  auto watcher = context.environment.Events().Watch(*streams, std::move(wake));
  if (watcher == nullptr) return Status::kTooManyWatchers;
  context.feed = std::make_unique<WatchFeed>(std::move(watcher));
  return Status::kOk;
}

}  // namespace

// Answers by itself: `noreply` as a last word is a stream that there is not, and is told so.
Outcome HandleWatch(WorkerContext& context, const Request& request, ReplySink& replies) {
  WriteStatus(Watch(context, TokenList(request.more_keys), replies), replies);
  return {};
}

}  // namespace larder::server
