#include "server/commands/dump.h"

#include <fmt/format.h>

#include <iterator>

#include "protocol/base64.h"
#include "protocol/wire_strings.h"
#include "server/observe/uri_encoding.h"

namespace larder::server {
bool WalkJob::Produce(slab::Cache& cache, slab::Worker& worker, std::string& text) {
  bool wants_more = true;
  const auto visit = [&](const slab::Hit& item) {
    if (!wants_more) return;
    const slab::ItemDetails details = cache.DetailsOf(item);
    const bool is_asked_for = (class_mask_ >> details.class_id & 1) != 0;
    if (is_asked_for) wants_more = Visit(item, details, text);
  };
  const bool has_more = cache.Walk(worker, cursor_, kBucketsPerStep, visit);
  if (has_more && wants_more) return true;
  Finish(text);
  return false;
}

// The blank before the line's end, and the end without \r, are memcached's.
bool MetaDumpJob::Visit(const slab::Hit& item, const slab::ItemDetails& details,
                        std::string& text) {
  text += "key=";
  AppendUriEncoded(item.key, text);
  const int64_t expires_s = item.expires_s == 0 ? -1 : clock_.ToUnixSeconds(item.expires_s);
  fmt::format_to(
      std::back_inserter(text), " exp={} la={} cas={} fetch={} cls={} size={} flags={} \n",
      expires_s, clock_.ToUnixSeconds(details.last_access_s), item.cas,
      details.was_fetched ? "yes" : "no", details.class_id, details.item_bytes, item.client_flags);
  return true;
}

void MetaDumpJob::Finish(std::string& text) { text += StatusLine(protocol::Status::kEnd); }

bool KeyDumpJob::Visit(const slab::Hit& item, const slab::ItemDetails& details, std::string& text) {
  text += "mg ";
  if (details.has_binary_key) {
    const size_t begin = text.size();
    text.resize(begin + protocol::Base64BytesFor(item.key.size()));
    protocol::EncodeBase64(item.key, text.data() + begin);
    text += " b";
  } else {
    text += item.key;
  }
  text += protocol::kLineEnd;
  return true;
}

void KeyDumpJob::Finish(std::string& text) { text += StatusLine(protocol::Status::kMetaMiss); }

bool CacheDumpJob::Visit(const slab::Hit& item, const slab::ItemDetails& details,
                         std::string& text) {
  if (details.has_binary_key) return true;  // a line of text has no room for it
  const int64_t expires_s = item.expires_s == 0 ? 0 : clock_.ToUnixSeconds(item.expires_s);
  const std::string line =
      fmt::format("ITEM {} [{} b; {} s]\r\n", item.key, item.value.size(), expires_s);
  if (line.size() > bytes_left_) return false;
  bytes_left_ -= line.size();
  text += line;
  return --items_left_ != 0;
}

void CacheDumpJob::Finish(std::string& text) { text += StatusLine(protocol::Status::kEnd); }

bool SizesJob::Visit(const slab::Hit&, const slab::ItemDetails& details, std::string&) {
  const uint64_t steps = (details.item_bytes + kStepBytes - 1) / kStepBytes;
  if (steps >= counts_.size()) counts_.resize(steps + 1);
  ++counts_[steps];
  return true;
}

void SizesJob::Finish(std::string& text) {
  for (size_t steps = 0; steps < counts_.size(); ++steps) {
    if (counts_[steps] == 0) continue;
    format_(fmt::to_string(steps * kStepBytes), fmt::to_string(counts_[steps]), text);
  }
  format_({}, {}, text);
}

}  // namespace larder::server
