#include "tests/fuzz/stand.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <span>
#include <vector>

#include "tests/fuzz/require.h"

namespace larder::fuzz {

using server::StreamStep;

namespace {

constexpr int64_t kStartUnixSeconds = 1'700'000'000;

}  // namespace

Stand::Stand(uint64_t limit_bytes) : clock_(kStartUnixSeconds) {
  slab::CacheConfig config;
  config.limit_bytes = limit_bytes;
  config.hash_seed = 1;
  config.events = &events_;
  std::string error;
  cache_ = slab::Cache::Create(config, clock_, &error);
  Require(cache_ != nullptr);
  environment_ = std::make_unique<server::CommandEnvironment>(*cache_, clock_, server_,
                                                              server::CommandOptions{}, &events_);
  service_ = std::make_unique<server::CommandService>(*environment_);
}

void Stand::PassSeconds(uint32_t seconds) {
  for (uint32_t i = 0; i < seconds; ++i) {
    const uint32_t now_s = clock_.NowSeconds() + 1;
    cache_->Maintain(now_s);
    clock_.Set(now_s);
  }
}

void Stand::WorkInBackground() {
  for (int i = 0; i < kErrandStepsMax; ++i) {
    if (environment_->Crawler().Step() == std::chrono::microseconds::max()) break;
  }
  events_.Step();
}

Client::Client(Stand& stand) : stand_(stand) {
  stand_.Service().OnTurnStart();
  handler_ = stand_.Service().MakeHandler(link_);
  stand_.Service().OnTurnEnd();
}

Client::~Client() {
  stand_.Service().OnTurnStart();
  handler_.reset();
  stand_.Service().OnTurnEnd();
}

void Client::Say(std::string_view bytes, size_t piece_bytes, uint32_t requests_max,
                 protocol::ReplySink& replies) {
  while (!bytes.empty() && !is_closed_) {
    std::string_view piece = bytes.substr(0, piece_bytes);
    bytes.remove_prefix(piece.size());
    stand_.Service().OnTurnStart();
    piece = GiveDirectly(piece, replies);
    held_.append(piece);
    if (!is_closed_) Talk(requests_max, replies);
    stand_.Service().OnTurnEnd();
  }
}

std::string_view Client::GiveDirectly(std::string_view piece, protocol::ReplySink& replies) {
  while (!piece.empty() && held_.empty() && !is_waiting_) {
    const std::span<char> direct = handler_->DirectInput();
    if (direct.empty()) break;
    const size_t bytes = std::min(direct.size(), piece.size());
    std::memcpy(direct.data(), piece.data(), bytes);
    piece.remove_prefix(bytes);
    if (handler_->OnDirectInput(bytes, replies).next >= StreamStep::Next::kClose) {
      is_closed_ = true;
      return {};
    }
  }
  return piece;
}

void Client::Talk(uint32_t requests_max, protocol::ReplySink& replies) {
  for (;;) {
    if (is_waiting_) {
      stand_.Service().OnTurnEnd();
      stand_.WorkInBackground();
      stand_.Service().OnTurnStart();
      if (!IsWoken()) return;
      wakes_seen_ = link_.waker->wake_count.load();
    }
    // A copy of just these bytes, so that sanitizers see who reads beyond them.
    const std::vector<char> input(held_.begin(), held_.end());
    const StreamStep step = handler_->OnInput({input.data(), input.size()}, requests_max, replies);
    Require(step.consumed_bytes <= held_.size());
    held_.erase(0, step.consumed_bytes);
    is_waiting_ = step.next == StreamStep::Next::kAwait;
    is_closed_ = step.next >= StreamStep::Next::kClose;
    if (is_closed_ || step.next == StreamStep::Next::kNeedInput) return;
  }
}

}  // namespace larder::fuzz
