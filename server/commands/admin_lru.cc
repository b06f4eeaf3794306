// `lru` and `extstore`: settings of parts that this server does not have. What is set is checked
// and shown in `stats settings`, as scripts expect, and has no effect beyond that.

#include <array>
#include <variant>

#include "protocol/numbers.h"
#include "protocol/tokens.h"
#include "server/commands/admin_words.h"
#include "server/commands/handlers.h"
#include "server/live_settings.h"

namespace larder::server {

using protocol::Outcome;
using protocol::ParseStrictInt32;
using protocol::ParseStrictUint32;
using protocol::ReplySink;
using protocol::Request;
using protocol::Status;
using protocol::TokenList;

namespace {

// --- lru -----------------------------------------------------------------------------------------

Status Tune(LiveSettings& live, const TokenList& words) {
  constexpr uint64_t kPercentsMax = 80;
  const auto hot_percent = ParseStrictUint32(words[2]);
  const auto warm_percent = ParseStrictUint32(words[3]);
  const auto hot_factor = ParseDecimal(words[4]);
  const auto warm_factor = ParseDecimal(words[5]);
  if (!hot_percent || !warm_percent || !hot_factor || !warm_factor) return Status::kUnknownCommand;
  if (uint64_t{*hot_percent} + *warm_percent > kPercentsMax) return Status::kLruPercentsTooHigh;
  if (*hot_factor <= 0 || *warm_factor <= 0) return Status::kLruFactorsTooLow;
  live.hot_lru_pct.Set(*hot_percent);
  live.warm_lru_pct.Set(*warm_percent);
  live.hot_max_factor.Set(*hot_factor);
  live.warm_max_factor.Set(*warm_factor);
  return Status::kOk;
}

Status SetMode(LiveSettings& live, std::string_view mode) {
  const bool is_flat = MeansName(mode, "flat");
  if (!is_flat && !MeansName(mode, "segmented")) return Status::kUnknownCommand;
  live.lru_segmented.Set(!is_flat);
  return Status::kOk;
}

Status SetTemporaryTtl(LiveSettings& live, std::string_view seconds) {
  const auto ttl_s = ParseStrictInt32(seconds);
  if (!ttl_s) return Status::kUnknownCommand;
  live.temp_lru.Set(*ttl_s >= 0);
  if (*ttl_s >= 0) live.temporary_ttl.Set(static_cast<uint32_t>(*ttl_s));
  return Status::kOk;
}

Status SetLru(WorkerContext& context, const TokenList& words) {
  LiveSettings& live = context.environment.Server().Live();
  const bool has_maintainer = context.environment.Options().lru_maintainer;
  if (words.Count() >= 6 && MeansName(words[1], "tune")) return Tune(live, words);
  if (words.Count() < 3 || !has_maintainer) return Status::kUnknownCommand;
  if (MeansName(words[1], "mode")) return SetMode(live, words[2]);
  if (MeansName(words[1], "temp_ttl")) return SetTemporaryTtl(live, words[2]);
  return Status::kUnknownCommand;
}

// --- extstore ------------------------------------------------------------------------------------

struct ExtstoreSetting {
  std::string_view name;
  std::variant<Live<uint32_t> LiveSettings::*, Live<double> LiveSettings::*,
               Live<bool> LiveSettings::*>
      setting;
};

// A word may be cut short; of several that it may mean, the first.
constexpr auto kExtstoreSettings = std::to_array<ExtstoreSetting>({
    {"item_size", &LiveSettings::ext_item_size},
    {"item_age", &LiveSettings::ext_item_age},
    {"low_ttl", &LiveSettings::ext_low_ttl},
    {"recache_rate", &LiveSettings::ext_recache_rate},
    {"compact_under", &LiveSettings::ext_compact_under},
    {"drop_under", &LiveSettings::ext_drop_under},
    {"max_sleep", &LiveSettings::ext_max_sleep},
    {"max_frag", &LiveSettings::ext_max_frag},
    {"drop_unread", &LiveSettings::ext_drop_unread},
});

// Each type of setting reads its own kind of number. False: it is none.
struct SetFromWord {
  LiveSettings& live;
  std::string_view word;

  bool operator()(Live<uint32_t> LiveSettings::*setting) const {
    const auto number = ParseStrictUint32(word);
    if (number) (live.*setting).Set(*number);
    return number.has_value();
  }
  bool operator()(Live<double> LiveSettings::*setting) const {
    const auto number = ParseDecimal(word);
    if (number) (live.*setting).Set(*number);
    return number.has_value();
  }
  bool operator()(Live<bool> LiveSettings::*setting) const {
    const auto number = ParseStrictUint32(word);
    if (number) (live.*setting).Set(*number != 0);
    return number.has_value();
  }
};

// Deprecated: looked at, and forgotten.
bool IsFreeMemchunks(const TokenList& words) {
  constexpr uint32_t kClassIdMax = 63;
  const auto class_id = ParseStrictUint32(words[2]);
  return class_id && *class_id <= kClassIdMax && ParseStrictUint32(words[3]).has_value();
}

bool SetExtstore(LiveSettings& live, const TokenList& words) {
  if (words.Count() < 3) return false;
  if (words.Count() > 3 && MeansName(words[1], "free_memchunks")) return IsFreeMemchunks(words);
  for (const ExtstoreSetting& row : kExtstoreSettings) {
    if (MeansName(words[1], row.name)) {
      return std::visit(SetFromWord{.live = live, .word = words[2]}, row.setting);
    }
  }
  return false;
}

}  // namespace

Outcome HandleLru(WorkerContext& context, const Request& request, ReplySink&) {
  return {.status = SetLru(context, TokenList(request.more_keys))};
}

Outcome HandleExtstore(WorkerContext& context, const Request& request, ReplySink&) {
  const bool is_set =
      SetExtstore(context.environment.Server().Live(), TokenList(request.more_keys));
  return {.status = is_set ? Status::kOk : Status::kUnknownCommand};
}

}  // namespace larder::server
