// tests/slab/cache_fixture.h - a cache with a clock that only the test moves, and the verbs that
// its tests are told in.
#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "slab/cache.h"
#include "slab/expiry.h"

namespace larder::slab {

// "key7" and the like. (Not "key" + std::to_string: GCC 12 warns of an overflow there is not.)
inline std::string Numbered(std::string_view prefix, uint64_t number) {
  std::string name(prefix);
  name += std::to_string(number);
  return name;
}

// One thread's view of a cache: on-line from construction to destruction.
class CacheUser {
 public:
  explicit CacheUser(Cache& cache) : cache_(cache), worker_(cache.AddWorker()) {
    cache_.Online(worker_);
  }
  ~CacheUser() { cache_.Offline(worker_); }
  CacheUser(const CacheUser&) = delete;
  CacheUser& operator=(const CacheUser&) = delete;

  // The end of one turn and the start of the next, with `meanwhile` in between.
  template <typename Meanwhile>
  void BetweenTurns(const Meanwhile& meanwhile) {
    cache_.Offline(worker_);
    meanwhile();
    cache_.Online(worker_);
  }
  void NextTurn() {
    BetweenTurns([] {});
  }

  std::optional<StoreResult> TryStore(std::string_view key, std::string_view value,
                                      StoreMode mode = StoreMode::kSet, uint32_t expires_s = 0,
                                      uint64_t cas = 0, uint32_t client_flags = 0) {
    Reservation reservation =
        cache_.Reserve(worker_, {.key = key,
                                 .client_flags = client_flags,
                                 .expires_s = expires_s,
                                 .value_bytes = static_cast<uint32_t>(value.size())});
    if (!reservation) return std::nullopt;
    std::memcpy(reservation.Value().data(), value.data(), value.size());
    return cache_.Commit(worker_, std::move(reservation), {.mode = mode, .cas = cas});
  }
  StoreStatus Set(std::string_view key, std::string_view value, uint32_t expires_s = 0) {
    return TryStore(key, value, StoreMode::kSet, expires_s).value().status;
  }
  StoreStatus Store(StoreMode mode, std::string_view key, std::string_view value) {
    return TryStore(key, value, mode).value().status;
  }

  std::optional<std::string> Get(std::string_view key) {
    const Hit hit = cache_.Get(worker_, key);
    if (!hit) return std::nullopt;
    return std::string(hit.value);
  }
  uint64_t CasOf(std::string_view key) { return cache_.Get(worker_, key).cas; }
  bool Has(std::string_view key) { return static_cast<bool>(cache_.Get(worker_, key)); }
  RemoveStatus Remove(std::string_view key, std::optional<uint64_t> cas = std::nullopt) {
    return cache_.Remove(worker_, key, cas);
  }
  ArithmeticResult Add(std::string_view key, uint64_t delta) {
    return cache_.Arithmetic(worker_, key, {.increment = true, .delta = delta});
  }
  ArithmeticResult Subtract(std::string_view key, uint64_t delta) {
    return cache_.Arithmetic(worker_, key, {.increment = false, .delta = delta});
  }
  bool Touch(std::string_view key, uint32_t expires_s) {
    return cache_.Touch(worker_, key, expires_s);
  }
  void FlushNow() { cache_.FlushNow(worker_); }

  Cache& cache() { return cache_; }
  Worker& worker() { return worker_; }

 private:
  Cache& cache_;
  Worker& worker_;
};

struct CacheFixture {
  static constexpr int64_t kStartUnixSeconds = 1'700'000'000;

  explicit CacheFixture(const CacheConfig& config = {}) { Build(config); }

  void Build(const CacheConfig& config) {
    std::string error;
    cache = Cache::Create(config, clock, &error);
    if (cache == nullptr) throw std::runtime_error(error);
  }

  // The clock's next tick, in the order the server's ticker keeps.
  void Tick(uint32_t seconds = 1) {
    for (uint32_t i = 0; i < seconds; ++i) {
      const uint32_t next = clock.NowSeconds() + 1;
      cache->Maintain(next);
      clock.Set(next);
    }
  }
  [[nodiscard]] uint32_t In(uint32_t seconds) const { return clock.NowSeconds() + seconds; }

  Clock clock{kStartUnixSeconds};
  std::unique_ptr<Cache> cache;
};

// A cache with one user, who is off-line whenever time passes.
class OneUser : public CacheFixture {
 public:
  explicit OneUser(const CacheConfig& config = {}) : CacheFixture(config) {}

  void Tick(uint32_t seconds = 1) {
    user.BetweenTurns([&] { CacheFixture::Tick(seconds); });
  }
  void Maintain() {
    user.BetweenTurns([this] { cache->Maintain(clock.NowSeconds()); });
  }

  CacheUser user{*cache};
};

}  // namespace larder::slab
