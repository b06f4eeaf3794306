// mg and me: what is known of one item, with its value or without.

#include "protocol/meta_encoder.h"
#include "server/commands/handlers.h"
#include "slab/expiry.h"

namespace larder::server {

using protocol::MetaArguments;
using protocol::MetaFlag;
using protocol::Outcome;
using protocol::ReplySink;
using protocol::Request;
using protocol::Status;

namespace {

// What the cache is asked, put together in the order of the request's flags.
class MetaQuery {
 public:
  MetaQuery(const Request& request, const slab::Clock& clock)
      : meta_(*request.meta), clock_(clock) {
    const bool is_refused = request.fault != Status::kNone;  // after the look-up, as memcached does
    spec_.marks_access = !meta_.Has(MetaFlag::kUnnoticed) && !(is_refused && TellsOrChangesState());
    spec_.counts_hit = !is_refused;
    spec_.takes_token = !is_refused;
    if (meta_.Has(MetaFlag::kVivify)) spec_.vivify_expires_s = slab::kNeverExpires;
    if (meta_.Has(MetaFlag::kNewCas)) spec_.vivify_cas = meta_.new_cas;
    for (const MetaFlag flag : meta_.InOrder()) Obey(flag);
  }

  [[nodiscard]] const slab::MetaGetSpec& Spec() const { return spec_; }

 private:
  // memcached marks the item last for those who ask what it was before, or change it. If their
  // opaque is too long, it does not come to that.
  [[nodiscard]] bool TellsOrChangesState() const {
    return meta_.Has(MetaFlag::kHitBefore) || meta_.Has(MetaFlag::kLastAccess) ||
           meta_.Has(MetaFlag::kTtl) || meta_.Has(MetaFlag::kVivify) ||
           meta_.Has(MetaFlag::kRecache);
  }

  // An item that is made by this request has the expiry of its last N or T.
  void Obey(MetaFlag flag) {
    if (flag == MetaFlag::kTtl) {
      spec_.touch_expires_s = slab::ResolveExpiry(meta_.exptime, clock_);
      if (spec_.vivify_expires_s) spec_.vivify_expires_s = spec_.touch_expires_s;
    } else if (flag == MetaFlag::kVivify) {
      spec_.vivify_expires_s = slab::ResolveExpiry(meta_.vivify_exptime, clock_);
    } else if (flag == MetaFlag::kRecache) {
      ObeyRecache(slab::ResolveExpiry(meta_.recache_exptime, clock_));
      spec_.recaches_before_touch = !spec_.touch_expires_s.has_value();
    }
  }

  // Items that expire before `second` are due; none are when it is over.
  void ObeyRecache(uint32_t second) {
    const uint32_t now_s = clock_.NowSeconds();
    if (second > now_s) spec_.recache_below_s = second - now_s;
  }

  const MetaArguments& meta_;
  const slab::Clock& clock_;
  slab::MetaGetSpec spec_;
};

// `Z` and `X` tell what was found, `W` what this request got.
protocol::MetaItem Describe(const MetaArguments& meta, const slab::MetaHit& found,
                            const slab::Clock& clock) {
  const uint32_t now_s = clock.NowSeconds();
  const uint32_t accessed_s = found.details.last_access_s;
  return {.key = found.hit.key,
          .cas = found.hit.cas,
          .value_bytes = static_cast<uint32_t>(found.hit.value.size()),
          .client_flags = found.hit.client_flags,
          .now_s = now_s,
          .expires_s = found.created ? slab::kNeverExpires : found.expires_before_s,
          .touched_expires_s = slab::ResolveExpiry(meta.exptime, clock),
          .vivified_expires_s = slab::ResolveExpiry(meta.vivify_exptime, clock),
          .idle_s = now_s > accessed_s ? now_s - accessed_s : 0,
          .was_fetched = found.details.was_fetched,
          .has_binary_key = found.details.has_binary_key,
          .is_created = found.created,
          .token_is_sent = found.details.token_is_sent,
          .is_stale = found.details.is_stale,
          .is_won = found.won};
}

void WriteWithValue(WorkerContext& context, const MetaArguments& meta,
                    const protocol::MetaItem& item, const slab::Hit& hit, ReplySink& replies) {
  const bool is_large = hit.value.size() >= slab::kPinnableBytesMin;
  slab::Pin pin = is_large ? context.cache.PinValue(hit) : slab::Pin();
  if (pin) {
    WriteMetaLentValue(meta, item, hit.value, &slab::Pin::ReleaseOpaque, pin.ToOpaque(), replies);
  } else {
    WriteMetaValue(meta, item, hit.value, replies);
  }
}

}  // namespace

Outcome HandleMetaGet(WorkerContext& context, const Request& request, ReplySink& replies) {
  const MetaArguments& meta = *request.meta;
  const slab::Clock& clock = context.environment.Clock();
  const slab::MetaHit found =
      context.cache.MetaGet(context.worker, request.key, MetaQuery(request, clock).Spec());
  if (request.fault != Status::kNone) return {.status = request.fault};
  if (!found) {
    if (!meta.Has(MetaFlag::kQuiet)) {
      WriteMetaOutcome(meta, request.key, Status::kMetaMiss, replies);
    }
    return {};
  }
  const protocol::MetaItem item = Describe(meta, found, clock);
  const bool is_known = meta.Has(MetaFlag::kCompareCas) && meta.compare_cas == item.cas;
  if (meta.Has(MetaFlag::kValue) && !is_known) {
    WriteWithValue(context, meta, item, found.hit, replies);
  } else {
    WriteMetaItem(meta, item, replies);
  }
  return {};
}

Outcome HandleMetaDebug(WorkerContext& context, const Request& request, ReplySink& replies) {
  CountOne(context.counters.cmd_meta);
  const slab::Hit hit = context.cache.Look(context.worker, request.key);
  if (!hit) return {.status = Status::kMetaMiss};
  const slab::ItemDetails details = context.cache.DetailsOf(hit);
  const uint32_t now_s = context.environment.Clock().NowSeconds();
  const uint32_t accessed_s = details.last_access_s;
  const protocol::MetaDebug item{.key = hit.key,
                                 .cas = hit.cas,
                                 .item_bytes = details.item_bytes,
                                 .now_s = now_s,
                                 .expires_s = details.expires_s,
                                 .idle_s = now_s > accessed_s ? now_s - accessed_s : 0,
                                 .class_id = details.class_id,
                                 .was_fetched = details.was_fetched,
                                 .has_binary_key = details.has_binary_key};
  WriteMetaDebug(item, replies);
  return {};
}

Outcome HandleMetaNoop(WorkerContext&, const Request&, ReplySink&) {
  return {.status = Status::kMetaNoop};
}

}  // namespace larder::server
