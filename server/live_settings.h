// server/live_settings.h - the settings that commands change while the server runs: one member for
// each row of live_settings.def, named as in `stats settings`.
//
//   view.Live().lru_crawler_sleep.Set(500);
//
// Cost     a load or store of one word; nothing is composed until `stats settings` asks.
// Owner    Server owns it; it starts as the command line says.
// Threads  any. Each setting for itself: of two that are set together a reader may see one.
// Not here what a change does beside being shown: whoever sets it tells the part concerned, such as
//          Cache::SetRebalancing. Settings that only a restart changes: settings.h
#pragma once

#include <atomic>
#include <cstdint>

namespace larder::server {

struct Settings;

// Relaxed: a setting publishes nothing but itself.
template <typename Value>
class Live {
 public:
  Live() = default;
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;

  [[nodiscard]] Value Get() const { return value_.load(std::memory_order_relaxed); }
  void Set(Value value) { value_.store(value, std::memory_order_relaxed); }

 private:
  std::atomic<Value> value_ = Value();
};

struct LiveSettings {
  explicit LiveSettings(const Settings& settings);

#define LIVE(type, name, initial) Live<type> name;
#include "server/live_settings.def"
#undef LIVE
};

}  // namespace larder::server
