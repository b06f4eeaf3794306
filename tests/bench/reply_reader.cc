#include "tests/bench/reply_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace larder::bench {
namespace {

// No line that a server may send here is longer; more than this without a newline is an error.
constexpr size_t kLineBytesMax = 512;
constexpr size_t kQuotedBytesMax = 80;

}  // namespace

ReplyReader::ReplyReader(const Dataset& dataset)
    : dataset_(dataset), value_line_end_(fmt::format(" 0 {}\r", dataset.ValueBytes())) {}

void ReplyReader::StartBatch(Operation operation, std::span<const uint32_t> key_ids,
                             uint32_t keys_per_request) {
  assert(Done() && key_ids.size() % keys_per_request == 0);
  operation_ = operation;
  key_ids_ = key_ids;
  keys_per_request_ = keys_per_request;
  next_key_ = 0;
  reply_end_ = keys_per_request;
  state_ = key_ids.empty() ? State::kIdle : State::kLine;
}

bool ReplyReader::Feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (state_ == State::kIdle) return Complain("bytes that nobody asked for", bytes);
    if (!(state_ == State::kLine ? FeedLine(bytes) : FeedBody(bytes))) return false;
  }
  return true;
}

bool ReplyReader::FeedLine(std::string_view& bytes) {
  const size_t newline = bytes.find('\n');
  const size_t line_bytes = std::min(newline, bytes.size());
  if (part_line_.size() + line_bytes > kLineBytesMax) return Complain("endless line", bytes);
  const std::string_view line = bytes.substr(0, line_bytes);
  bytes.remove_prefix(newline == std::string_view::npos ? line_bytes : line_bytes + 1);
  if (newline == std::string_view::npos) {
    part_line_ += line;
    return true;
  }
  if (part_line_.empty()) return TakeLine(line);
  part_line_ += line;
  const bool good = TakeLine(part_line_);
  part_line_.clear();
  return good;
}

bool ReplyReader::TakeLine(std::string_view line) {
  if (operation_ == Operation::kSet) {
    if (line != "STORED\r") return Complain("answer to a set", line);
    FinishReply();
    return true;
  }
  if (line == "END\r") {
    FinishReply();
    return true;
  }
  return TakeValueLine(line);
}

// A server answers the keys that it has in the order of the request, so a key of the request that
// is passed over is a miss, and any other key is an error.
bool ReplyReader::TakeValueLine(std::string_view line) {
  constexpr std::string_view kStart = "VALUE ";
  if (!line.starts_with(kStart)) return Complain("answer to a get", line);
  const std::string_view key = line.substr(kStart.size(), kKeyBytes);
  if (line.substr(kStart.size() + key.size()) != value_line_end_) {
    return Complain("value line", line);
  }
  while (next_key_ < reply_end_ && dataset_.Key(key_ids_[next_key_]) != key) {
    ++next_key_;
    ++miss_count_;
  }
  if (next_key_ == reply_end_) return Complain("value of a key that was not asked for", line);
  body_offset_ = 0;
  state_ = State::kBody;
  return true;
}

bool ReplyReader::FeedBody(std::string_view& bytes) {
  const std::string_view wanted = dataset_.BodyFrom(key_ids_[next_key_], body_offset_);
  const size_t compared_bytes = std::min(wanted.size(), bytes.size());
  if (bytes.substr(0, compared_bytes) != wanted.substr(0, compared_bytes)) {
    return Complain("value", bytes);
  }
  bytes.remove_prefix(compared_bytes);
  body_offset_ += static_cast<uint32_t>(compared_bytes);
  if (body_offset_ == dataset_.BodyBytes()) {
    ++hit_count_;
    ++next_key_;
    state_ = State::kLine;
  }
  return true;
}

void ReplyReader::FinishReply() {
  if (operation_ == Operation::kGet) miss_count_ += reply_end_ - next_key_;
  ++reply_count_;
  next_key_ = reply_end_;
  reply_end_ += keys_per_request_;
  if (next_key_ == key_ids_.size()) state_ = State::kIdle;
}

bool ReplyReader::Complain(std::string_view what, std::string_view about) {
  complaint_ = fmt::format("unexpected {}: '{}'", what, about.substr(0, kQuotedBytesMax));
  return false;
}

}  // namespace larder::bench
