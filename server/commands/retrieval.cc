#include "server/commands/retrieval.h"

#include <algorithm>
#include <span>

#include "protocol/tokens.h"
#include "slab/expiry.h"

namespace larder::server {

using protocol::CasColumn;
using protocol::Command;
using protocol::Status;

namespace {

CasColumn CasColumnOf(Command command) {
  const bool shown = command == Command::kGets || command == Command::kGats;
  return shown ? CasColumn::kShown : CasColumn::kOmitted;
}

}  // namespace

bool RetrievalGroup::Add(protocol::Request& request) {
  const Mark mark{.cas = CasColumnOf(request.command),
                  .is_silent = request.fault != Status::kNone,
                  .end = Status::kNone};
  touches_ = !IsPlainRetrieval(request.command);
  exptime_ = request.exptime;
  while (!IsFull() && !request.key.empty()) {
    keys_[key_count_] = request.key;
    marks_[key_count_] = mark;
    ++key_count_;
    request.key = protocol::NextKey(request.more_keys);
  }
  const bool is_complete = request.key.empty();
  if (is_complete) marks_[key_count_ - 1].end = mark.is_silent ? request.fault : Status::kEnd;
  return is_complete;
}

void RetrievalGroup::Answer(protocol::ReplySink& replies) {
  if (touches_) {
    AnswerTouching(replies);
  } else if (key_count_ == 1) {  // nothing to overlap, and no room for 32 hits to clear
    Write(0, context_.cache.Get(context_.worker, keys_[0]), replies);
  } else {
    AnswerTogether(replies);
  }
  context_.group_keys_max = lent_value_ ? 1 : std::min(context_.group_keys_max * 2, kKeysMax);
}

void RetrievalGroup::AnswerTogether(protocol::ReplySink& replies) {
  std::array<slab::Hit, kKeysMax> hits;
  context_.cache.GetGroup(context_.worker, std::span(keys_).first(key_count_),
                          std::span(hits).first(key_count_));
  for (size_t i = 0; i < key_count_; ++i) Write(i, hits[i], replies);
}

void RetrievalGroup::AnswerTouching(protocol::ReplySink& replies) {
  const uint32_t expires_s = slab::ResolveExpiry(exptime_, context_.environment.Clock());
  for (size_t i = 0; i < key_count_; ++i) {
    Write(i, context_.cache.GetAndTouch(context_.worker, keys_[i], expires_s), replies);
  }
}

void RetrievalGroup::Write(size_t index, const slab::Hit& hit, protocol::ReplySink& replies) {
  const Mark mark = marks_[index];
  context_.prefixes.CountGet(keys_[index], static_cast<bool>(hit));
  const bool is_shown = hit && !mark.is_silent;
  // Each value is an answer of its own. The end rides on the last key's, if that has one.
  if (is_shown || mark.end != Status::kNone) replies.BeginAnswer();
  if (is_shown) {
    const protocol::FoundValue found{
        .key = hit.key, .value = hit.value, .cas = hit.cas, .client_flags = hit.client_flags};
    const bool is_large = hit.value.size() >= slab::kPinnableBytesMin;
    slab::Pin pin = is_large ? context_.cache.PinValue(hit) : slab::Pin();
    if (pin) {
      lent_value_ = true;
      WriteLentValue(found, mark.cas, &slab::Pin::ReleaseOpaque, pin.ToOpaque(), replies);
    } else {
      WriteValue(found, mark.cas, replies);
    }
  }
  if (mark.end != Status::kNone) WriteStatus(mark.end, replies);
}

}  // namespace larder::server
