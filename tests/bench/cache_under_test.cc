#include "tests/bench/cache_under_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stop_token>

#include "tests/bench/key_text.h"

namespace larder::bench {
namespace {

constexpr auto kMaintainEvery = std::chrono::milliseconds(100);
constexpr uint32_t kItemsPerTurn = 32;

void Maintain(const std::stop_token& stop, slab::Cache& cache, const slab::Clock& clock) {
  while (!stop.stop_requested()) {
    cache.Maintain(clock.NowSeconds());
    std::this_thread::sleep_for(kMaintainEvery);
  }
}

}  // namespace

bool StoreValue(slab::Cache& cache, slab::Worker& worker, std::string_view key) {
  slab::Reservation reservation = cache.Reserve(worker, {.key = key, .value_bytes = kValueBytes});
  if (!reservation) return false;
  std::ranges::fill(reservation.Value(), 'v');
  const slab::StoreResult result =
      cache.Commit(worker, std::move(reservation), {.mode = slab::StoreMode::kSet});
  return result.status == slab::StoreStatus::kStored;
}

slab::Cache* CacheUnderTest::Get() {
  std::call_once(created_, [this] { Create(); });
  return error_.empty() ? cache_.get() : nullptr;
}

void CacheUnderTest::Create() {
  slab::CacheConfig config;
  config.limit_bytes = limit_bytes_;
  config.preallocate = std::getenv("LARDER_BENCH_HUGE_PAGES") != nullptr;
  config.hash_seed = 1;  // the same places in the index in every run
  cache_ = slab::Cache::Create(config, clock_, &error_);
  if (cache_ == nullptr) return;
  for (Slot& slot : slots_) slot.worker = &cache_->AddWorker();
  maintainer_ =
      std::jthread([this](const std::stop_token& stop) { Maintain(stop, *cache_, clock_); });
  Fill();
}

void CacheUnderTest::Fill() {
  slab::Worker& worker = *slots_[0].worker;
  KeyText key;
  uint32_t refused_count = 0;
  for (uint32_t item = 0; item < item_count_;) {
    cache_->Online(worker);
    for (uint32_t i = 0; i < kItemsPerTurn && item < item_count_; ++i, ++item) {
      refused_count += StoreValue(*cache_, worker, key.Of(item)) ? 0 : 1;
    }
    cache_->Offline(worker);
  }
  const uint64_t kept_count = cache_->Stats().sum.item_count;
  if (refused_count > 0 || kept_count != item_count_) {
    error_ =
        fmt::format("{} items stored, {} refused, {} kept", item_count_, refused_count, kept_count);
  }
}

}  // namespace larder::bench
