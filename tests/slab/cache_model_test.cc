// A million random operations against a plain map that forgets nothing: a hit is never wrong, and
// while nothing was evicted a miss never happens.
#include <catch2/catch.hpp>

#include <map>
#include <random>

#include "cache_fixture.h"
#include "slab/decimal.h"

namespace larder::slab {
namespace {

struct ModelItem {
  std::string value = {};
  uint32_t client_flags = 0;
  uint32_t expires_s = 0;
  uint64_t cas = 0;
  bool is_stale = false;
  bool token_is_sent = false;
};

class Model {
 public:
  Model(uint64_t limit_mib, uint64_t key_count, uint64_t seed)
      : fixture_(CacheConfig{.limit_bytes = limit_mib * kMiB}),
        key_count_(key_count),
        random_(seed) {}

  void Run(uint64_t operations) {
    for (uint64_t i = 0; i < operations; ++i) {
      Act();
      if (i % 64 == 0) user_.NextTurn();
      if (i % 5000 == 0) Tick();
    }
  }

  [[nodiscard]] uint64_t Evicted() const { return fixture_.cache->Stats().sum.evicted; }
  [[nodiscard]] uint64_t Hits() const { return hits_; }

 private:
  uint64_t Draw(uint64_t bound) { return random_() % bound; }
  std::string DrawKey() {
    return Numbered("k", Draw(Draw(2) == 0 ? key_count_ / 100 : key_count_));
  }
  uint32_t DrawExpiry() {
    const uint64_t kind = Draw(10);
    if (kind < 6) return kNeverExpires;
    if (kind == 6) return kAlreadyExpired;
    return fixture_.In(1 + static_cast<uint32_t>(Draw(20)));
  }
  std::string DrawValue() {
    if (Draw(5) == 0) return std::to_string(random_() >> Draw(64));
    const uint64_t size = Draw(100) == 0 ? 30'000 : Draw(300);
    return std::string(size, static_cast<char>('a' + Draw(26)));
  }

  void Tick() {
    fixture_.Tick();
    const uint32_t now_s = fixture_.In(0);
    std::erase_if(model_,
                  [now_s](const auto& entry) { return IsExpired(entry.second.expires_s, now_s); });
  }

  // The model's item; none when it is expired or was never there.
  ModelItem* Expected(const std::string& key) {
    const auto found = model_.find(key);
    if (found == model_.end()) return nullptr;
    if (!IsExpired(found->second.expires_s, fixture_.In(0))) return &found->second;
    model_.erase(found);
    return nullptr;
  }

  // After an eviction the cache may miss what the model has; then the model forgets it too.
  bool ForgivenMiss(const std::string& key) {
    if (Evicted() == 0) return false;
    model_.erase(key);
    return true;
  }

  void Act() {
    const uint64_t choice = Draw(100);
    if (choice < 40) {
      Get();
    } else if (choice < 65) {
      Store();
    } else if (choice < 72) {
      Concatenate();
    } else if (choice < 80) {
      Arithmetic();
    } else if (choice < 88) {
      Remove();
    } else if (choice < 95) {
      Touch();
    } else if (choice < 97) {
      Cas();
    } else if (choice < 98) {
      Draw(2) == 0 ? Invalidate() : Hollow();
    } else if (choice < 99) {
      MetaLook();
    } else if (Draw(3000) == 0) {
      user_.FlushNow();
      model_.clear();
    }
  }

  void Get() {
    const std::string key = DrawKey();
    const Hit hit = fixture_.cache->Get(user_.worker(), key);
    ModelItem* const expected = Expected(key);
    if (!hit) {
      if (expected != nullptr) REQUIRE(ForgivenMiss(key));
      return;
    }
    ++hits_;
    REQUIRE(expected != nullptr);
    REQUIRE(hit.value == expected->value);
    REQUIRE(hit.client_flags == expected->client_flags);
    REQUIRE(hit.expires_s == expected->expires_s);
    REQUIRE(hit.cas == expected->cas);
  }

  // Whether the cache has the key now, brought in line with the model.
  bool IsPresent(const std::string& key) {
    const bool present = user_.Has(key);
    if (Expected(key) != nullptr && !present) REQUIRE(ForgivenMiss(key));
    if (present) REQUIRE(Expected(key) != nullptr);
    return present;
  }

  void Store() {
    static constexpr std::array kModes{StoreMode::kSet, StoreMode::kSet, StoreMode::kAdd,
                                       StoreMode::kReplace};
    const StoreMode mode = kModes[Draw(kModes.size())];
    const std::string key = DrawKey();
    const bool present = IsPresent(key);
    const ModelItem item{.value = DrawValue(),
                         .client_flags = static_cast<uint32_t>(Draw(3)),
                         .expires_s = DrawExpiry()};
    const auto result = user_.TryStore(key, item.value, mode, item.expires_s, 0, item.client_flags);
    REQUIRE(result);
    const bool stored = mode == StoreMode::kSet || present == (mode == StoreMode::kReplace);
    // Taking the chunk may evict the very key: then an add goes through and a replace does not.
    if (Evicted() == 0) REQUIRE((result->status == StoreStatus::kStored) == stored);
    if (result->status == StoreStatus::kStored) {
      model_[key] = item;
      model_[key].cas = result->cas;
    }
  }

  void Concatenate() {
    const std::string key = DrawKey();
    const bool at_end = Draw(2) == 0;
    const std::string piece = std::string(Draw(20), '+');
    const auto result =
        user_.TryStore(key, piece, at_end ? StoreMode::kAppend : StoreMode::kPrepend);
    REQUIRE(result);
    ModelItem* const expected = Expected(key);
    if (result->status != StoreStatus::kStored) {
      if (expected != nullptr) REQUIRE(ForgivenMiss(key));
      return;
    }
    REQUIRE(expected != nullptr);
    expected->value.insert(at_end ? expected->value.size() : 0, piece);
    expected->cas = result->cas;
    expected->is_stale = expected->token_is_sent = false;
  }

  void Arithmetic() {
    const std::string key = DrawKey();
    const bool increment = Draw(2) == 0;
    const uint64_t delta = random_() >> Draw(64);
    const ArithmeticResult result =
        fixture_.cache->Arithmetic(user_.worker(), key, {.increment = increment, .delta = delta});
    ModelItem* const expected = Expected(key);
    if (result.status == ArithmeticStatus::kNotFound) {
      if (expected != nullptr) REQUIRE(ForgivenMiss(key));
      return;
    }
    REQUIRE(expected != nullptr);
    const std::optional<uint64_t> before = ParseStoredDecimal(expected->value);
    REQUIRE(before.has_value() == (result.status == ArithmeticStatus::kDone));
    if (!before) return;
    const uint64_t after = increment ? *before + delta : (*before > delta ? *before - delta : 0);
    REQUIRE(result.number == after);
    std::string text = std::to_string(after);
    if (text.size() > expected->value.size()) {
      expected->is_stale = expected->token_is_sent = false;
    } else {
      text.resize(expected->value.size(), ' ');
    }
    expected->value = text;
    expected->cas = result.cas;
  }

  void Remove() {
    const std::string key = DrawKey();
    const bool present = IsPresent(key);
    REQUIRE((user_.Remove(key) == RemoveStatus::kRemoved) == present);
    model_.erase(key);
  }

  void Touch() {
    const std::string key = DrawKey();
    const bool present = IsPresent(key);
    const uint32_t expires_s = DrawExpiry();
    REQUIRE(user_.Touch(key, expires_s) == present);
    if (present) model_[key].expires_s = expires_s;
  }

  void Cas() {
    const std::string key = DrawKey();
    const bool present = IsPresent(key);
    const uint64_t id = present && Draw(2) == 0 ? model_[key].cas : Draw(1000);
    const bool matches = present && model_[key].cas == id;
    const std::string value = DrawValue();
    const auto result = user_.TryStore(key, value, StoreMode::kCas, 0, id);
    REQUIRE(result);
    if (Evicted() == 0) {
      REQUIRE(result->status == (!present  ? StoreStatus::kNotFound
                                 : matches ? StoreStatus::kStored
                                           : StoreStatus::kExists));
    }
    if (result->status == StoreStatus::kStored) {
      model_[key] = {.value = value, .cas = result->cas};
    }
  }

  void Invalidate() {
    const std::string key = DrawKey();
    const bool present = IsPresent(key);
    const uint32_t expires_s = fixture_.In(5);
    REQUIRE((fixture_.cache->Invalidate(user_.worker(), key, {.expires_s = expires_s}) ==
             RemoveStatus::kRemoved) == present);
    if (!present) return;
    ModelItem& item = model_[key];
    item.cas = user_.CasOf(key);
    item.expires_s = expires_s;
    item.is_stale = true;
    item.token_is_sent = false;
  }

  void Hollow() {
    const std::string key = DrawKey();
    const bool present = IsPresent(key);
    const RemoveStatus status =
        fixture_.cache->Hollow(user_.worker(), key, {.expires_s = fixture_.In(9)});
    // Taking the chunk may evict the very key.
    if (status == RemoveStatus::kNotFound) {
      if (present) REQUIRE(ForgivenMiss(key));
      return;
    }
    REQUIRE(status == RemoveStatus::kRemoved);
    REQUIRE(present);
    model_[key] = {.expires_s = fixture_.In(9), .cas = model_[key].cas};
  }

  void MetaLook() {
    const std::string key = DrawKey();
    const bool present = IsPresent(key);
    const bool vivifies = Draw(2) == 0;
    MetaGetSpec spec;
    if (vivifies) spec.vivify_expires_s = fixture_.In(7);
    const MetaHit hit = fixture_.cache->MetaGet(user_.worker(), key, spec);
    REQUIRE(static_cast<bool>(hit) == (present || vivifies));
    if (!hit) return;
    REQUIRE(hit.created == !present);
    if (hit.created) {
      REQUIRE(hit.won);
      model_[key] = {.expires_s = fixture_.In(7), .cas = hit.hit.cas, .token_is_sent = true};
      return;
    }
    ModelItem& item = model_[key];
    REQUIRE(hit.hit.value == item.value);
    REQUIRE(hit.details.is_stale == item.is_stale);
    REQUIRE(hit.won == (item.is_stale && !item.token_is_sent));
    REQUIRE(hit.details.token_is_sent == item.token_is_sent);
    item.token_is_sent |= hit.won;
  }

  OneUser fixture_;
  CacheUser& user_ = fixture_.user;
  const uint64_t key_count_;
  std::mt19937_64 random_;
  std::map<std::string, ModelItem> model_;
  uint64_t hits_ = 0;
};

TEST_CASE("a million operations in a roomy cache: no hit is wrong and no miss happens") {
  Model model(64, 6'000, 1);
  model.Run(1'000'000);
  CHECK(model.Evicted() == 0);
  CHECK(model.Hits() > 100'000);
}

TEST_CASE("a million operations in a cache that evicts: no hit is wrong") {
  Model model(8, 200'000, 2);
  model.Run(1'000'000);
  CHECK(model.Evicted() > 0);  // most of what dies is swept first
  CHECK(model.Hits() > 50'000);
}

}  // namespace
}  // namespace larder::slab
