// Any bytes at all, to a whole session over a real cache: the answers are the same whether the
// input arrives at once or in pieces, and nothing the sanitizers know of goes wrong.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/reply_sink.h"
#include "server/commands/command_environment.h"
#include "server/commands/command_service.h"
#include "server/commands/server_view.h"
#include "server/net/stream_handler.h"
#include "slab/cache.h"
#include "slab/clock.h"
#include "tests/support/fake_link.h"

namespace {

using larder::server::StreamHandler;
using larder::server::StreamStep;

// A process in which nothing ever happens, so that two of them report the same.
class StillServer final : public larder::server::ServerView {
 public:
  larder::server::NetStats Net() const override { return {}; }
  larder::server::ProcessStats Process() const override { return {}; }
  void ResetNetStats() override {}
  void ForEachSetting(
      const std::function<void(std::string_view, std::string_view)>& emit) const override {
    emit("maxbytes", "8388608");
  }
  void SetVerbosity(uint32_t /*level*/) override {}
  void Log(uint32_t /*level*/, std::string_view /*line*/) override {}
};

// A peer that takes every reply at once.
class StringSink final : public larder::protocol::ReplySink {
 public:
  StringSink() { Grow(1); }

  void Lend(std::string_view bytes, ReleaseFn release, void* opaque) override {
    Append(bytes);
    release(opaque);
  }
  size_t PendingBytes() const override { return 0; }
  std::string_view Text() const { return {buffer_.data(), UsedBytes()}; }

 private:
  void Grow(size_t bytes) override {
    const size_t used_bytes = UsedBytes();
    buffer_.resize(std::max(used_bytes + bytes, buffer_.size() * 2));
    cursor_ = buffer_.data() + used_bytes;
    limit_ = buffer_.data() + buffer_.size();
  }
  size_t UsedBytes() const {
    return cursor_ == nullptr ? 0 : static_cast<size_t>(cursor_ - buffer_.data());
  }

  std::vector<char> buffer_;
};

// One server's worth of parts, without sockets.
class Stand {
 public:
  Stand() : clock_(1'700'000'000) {
    larder::slab::CacheConfig config;
    config.limit_bytes = 8 * larder::slab::kMiB;
    config.hash_seed = 1;
    std::string error;
    cache_ = larder::slab::Cache::Create(config, clock_, &error);
    if (cache_ == nullptr) std::abort();
    environment_ = std::make_unique<larder::server::CommandEnvironment>(
        *cache_, clock_, server_, larder::server::CommandOptions{});
    service_ = std::make_unique<larder::server::CommandService>(*environment_);
  }

  // Feeds `input` in pieces of at most `piece_bytes` and returns all replies. The next
  // conversation finds the cache empty.
  std::string Converse(std::string_view input, size_t piece_bytes, uint32_t requests_max) {
    StringSink replies;
    service_->OnTurnStart();
    Talk(input, piece_bytes, requests_max, replies);
    Talk("flush_all\r\n", piece_bytes, requests_max, replies);
    service_->OnTurnEnd();
    return std::string(replies.Text());
  }

 private:
  void Talk(std::string_view input, size_t piece_bytes, uint32_t requests_max,
            StringSink& replies) {
    const std::unique_ptr<StreamHandler> handler = service_->MakeHandler(link_);
    std::string held;
    while (!input.empty()) {
      const std::string_view piece = input.substr(0, piece_bytes);
      input.remove_prefix(piece.size());
      if (!Feed(*handler, piece, requests_max, held, replies)) return;
    }
  }

  // As a connection does: into the handler's own place where it offers one. False: closed.
  static bool Feed(StreamHandler& handler, std::string_view piece, uint32_t requests_max,
                   std::string& held, StringSink& replies) {
    while (!piece.empty() && held.empty()) {
      const std::span<char> direct = handler.DirectInput();
      if (direct.empty()) break;
      const size_t bytes = std::min(direct.size(), piece.size());
      std::memcpy(direct.data(), piece.data(), bytes);
      piece.remove_prefix(bytes);
      if (handler.OnDirectInput(bytes, replies).next >= StreamStep::Next::kClose) return false;
    }
    held.append(piece);
    StreamStep step;
    do {
      step = handler.OnInput(held, requests_max, replies);
      if (step.consumed_bytes > held.size()) std::abort();
      held.erase(0, step.consumed_bytes);
    } while (step.next == StreamStep::Next::kYield || step.next == StreamStep::Next::kBlocked);
    return step.next == StreamStep::Next::kNeedInput;
  }

  larder::server::FakeLink link_;
  larder::slab::Clock clock_;
  StillServer server_;
  std::unique_ptr<larder::slab::Cache> cache_;
  std::unique_ptr<larder::server::CommandEnvironment> environment_;
  std::unique_ptr<larder::server::CommandService> service_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // The two stands live through all inputs and see the same requests, so they stay alike.
  static Stand at_once;
  static Stand in_pieces;
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t piece_bytes = 1 + data[0] % 64;
  if (at_once.Converse(input, input.size() + 1, 1000) != in_pieces.Converse(input, piece_bytes, 1))
    std::abort();
  return 0;
}
