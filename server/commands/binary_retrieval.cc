#include "server/commands/binary_retrieval.h"

#include <algorithm>
#include <span>

#include "protocol/binary_encoder.h"
#include "slab/expiry.h"

namespace larder::server {

using protocol::Status;

void BinaryLookUpGroup::Add(const protocol::BinaryParseResult& parsed) {
  touches_ = !IsPlainLookUp(parsed);
  exptime_ = parsed.request.exptime;
  keys_[count_] = parsed.request.key;
  askers_[count_] = {.opcode = parsed.opcode, .echo = parsed.echo};
  ++count_;
}

void BinaryLookUpGroup::Answer(protocol::ReplySink& replies) {
  slab::Cache& cache = context_.cache;
  if (touches_) {
    const uint32_t expires_s = slab::ResolveExpiry(exptime_, context_.environment.Clock());
    Write(0, cache.GetAndTouch(context_.worker, keys_[0], expires_s), replies);
  } else if (count_ == 1) {  // nothing to overlap, and no room for 32 hits to clear
    Write(0, cache.Get(context_.worker, keys_[0]), replies);
  } else {
    AnswerTogether(replies);
  }
  context_.group_keys_max = lent_value_ ? 1 : std::min(context_.group_keys_max * 2, kKeysMax);
}

void BinaryLookUpGroup::AnswerTogether(protocol::ReplySink& replies) {
  std::array<slab::Hit, kKeysMax> hits;
  context_.cache.GetGroup(context_.worker, std::span(keys_).first(count_),
                          std::span(hits).first(count_));
  for (size_t i = 0; i < count_; ++i) Write(i, hits[i], replies);
}

void BinaryLookUpGroup::Write(size_t index, const slab::Hit& hit, protocol::ReplySink& replies) {
  const BinaryAsker& asker = askers_[index];
  context_.prefixes.CountGet(keys_[index], static_cast<bool>(hit));
  if (hit) {
    replies.BeginAnswer();
    WriteHit(asker, hit, replies);
  } else if (!IsSilent(*asker.opcode, Status::kNotFound)) {
    replies.BeginAnswer();
    WriteBinaryMiss(asker.echo, asker.opcode->answer, keys_[index], replies);
  }
}

void BinaryLookUpGroup::WriteHit(const BinaryAsker& asker, const slab::Hit& hit,
                                 protocol::ReplySink& replies) {
  const protocol::BinaryAnswer answer = asker.opcode->answer;
  const protocol::FoundValue found{
      .key = hit.key, .value = hit.value, .cas = hit.cas, .client_flags = hit.client_flags};
  const bool is_lent =
      answer != protocol::BinaryAnswer::kFlags && hit.value.size() >= slab::kPinnableBytesMin;
  slab::Pin pin = is_lent ? context_.cache.PinValue(hit) : slab::Pin();
  if (!pin) return WriteBinaryValue(asker.echo, answer, found, replies);
  lent_value_ = true;
  WriteLentBinaryValue(asker.echo, answer, found, &slab::Pin::ReleaseOpaque, pin.ToOpaque(),
                       replies);
}

}  // namespace larder::server
