// slab/expiry.h - what the exptime a client sends means on the cache's clock.
//
// Units    client values as sent (relative or absolute seconds); results on Clock's scale.
// Threads  pure functions.
// Source   memcached's protocol text and 1.6.45's behaviour: 0 never; negative at once; up to
//          30 days relative; beyond that absolute unix time.
#pragma once

#include <cstdint>

#include "slab/clock.h"

namespace larder::slab {

inline constexpr int64_t kRelativeSecondsMax = 60 * 60 * 24 * 30;
inline constexpr uint32_t kNeverExpires = 0;
inline constexpr uint32_t kAlreadyExpired = 1;  // before Clock::kFirstSecond, so always past

// The second at which an item stored now with `exptime` stops being served.
[[nodiscard]] constexpr uint32_t ResolveExpiry(int64_t exptime, uint32_t now_s,
                                               int64_t start_unix_s) {
  if (exptime == 0) return kNeverExpires;
  if (exptime < 0) return kAlreadyExpired;
  if (exptime <= kRelativeSecondsMax) return now_s + static_cast<uint32_t>(exptime);
  const int64_t scale_origin_unix_s = start_unix_s - Clock::kFirstSecond;
  if (exptime <= scale_origin_unix_s) return kAlreadyExpired;
  return static_cast<uint32_t>(exptime - scale_origin_unix_s);
}

[[nodiscard]] inline uint32_t ResolveExpiry(int64_t exptime, const Clock& clock) {
  return ResolveExpiry(exptime, clock.NowSeconds(), clock.StartUnixSeconds());
}

[[nodiscard]] constexpr bool IsExpired(uint32_t expires_s, uint32_t now_s) {
  return expires_s != kNeverExpires && expires_s <= now_s;
}

}  // namespace larder::slab
