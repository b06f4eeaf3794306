#include "protocol/text_encoder.h"

#include "protocol/limits.h"
#include "protocol/put_text.h"

namespace larder::protocol {
namespace {

constexpr std::string_view kValueLabel = "VALUE ";
constexpr std::string_view kStatLabel = "STAT ";
// VALUE <key> <flags> <bytes> <cas>\r\n
constexpr size_t kValueLineBytesMax =
    kValueLabel.size() + kKeyBytesMax + 3 * (1 + kUint64DigitsMax) + kLineEnd.size();

char* PutValueLine(char* to, const FoundValue& found, CasColumn cas) {
  to = Put(to, kValueLabel);
  to = Put(to, found.key);
  *to++ = ' ';
  to = PutNumber(to, found.client_flags);
  *to++ = ' ';
  to = PutNumber(to, found.value.size());
  if (cas == CasColumn::kShown) {
    *to++ = ' ';
    to = PutNumber(to, found.cas);
  }
  return Put(to, kLineEnd);
}

}  // namespace

void WriteOutcome(const Outcome& outcome, ReplySink& replies) {
  if (outcome.status == Status::kNone) return;
  if (outcome.status != Status::kNumber) return WriteStatus(outcome.status, replies);
  char* const begin = replies.Reserve(kUint64DigitsMax + kLineEnd.size());
  char* const end = Put(PutNumber(begin, outcome.number), kLineEnd);
  replies.Advance(static_cast<size_t>(end - begin));
}

void WriteValue(const FoundValue& found, CasColumn cas, ReplySink& replies) {
  char* const begin = replies.Reserve(kValueLineBytesMax + found.value.size() + kLineEnd.size());
  char* end = PutValueLine(begin, found, cas);
  end = Put(end, found.value);
  end = Put(end, kLineEnd);
  replies.Advance(static_cast<size_t>(end - begin));
}

void WriteLentValue(const FoundValue& found, CasColumn cas, ReplySink::ReleaseFn release,
                    void* opaque, ReplySink& replies) {
  char* const begin = replies.Reserve(kValueLineBytesMax);
  char* const end = PutValueLine(begin, found, cas);
  replies.Advance(static_cast<size_t>(end - begin));
  replies.Lend(found.value, release, opaque);
  replies.Append(kLineEnd);
}

void WriteStat(std::string_view name, std::string_view value, ReplySink& replies) {
  const size_t bytes = kStatLabel.size() + name.size() + 1 + value.size() + kLineEnd.size();
  char* to = Put(replies.Reserve(bytes), kStatLabel);
  to = Put(to, name);
  *to++ = ' ';
  Put(Put(to, value), kLineEnd);
  replies.Advance(bytes);
}

}  // namespace larder::protocol
