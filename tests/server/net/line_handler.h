// tests/server/net/line_handler.h - a small conversation to drive connections with. Each line is a
// request:
//
//     fill <n>    n bytes 'f', copied          lend <n>    n bytes 'l', lent
//     take <n>    the next n bytes of the stream are a value, which goes to DirectInput;
//                 answered with "took <n> <how many of them came directly>\n"
//     quit        close when all is sent       abort       close at once
//     nonsense    as quit, because the stream makes no sense
//     protocols   answered with what the listener takes: auto, text or binary
//     worker      answered with the number of its worker and a line end
//
// and any other line is answered with itself.
//
// Threads  the handler on its worker's; LineStats from any.
#pragma once

#include <algorithm>
#include <atomic>
#include <charconv>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/net/stream_handler.h"

namespace larder::server {

struct LineStats {
  std::atomic<int> lent{0};
  std::atomic<int> released{0};
  std::atomic<int> turns{0};
  std::atomic<int> open_turns{0};
  std::atomic<int> out_of_turn{0};  // handler calls outside a turn
  std::atomic<int> handlers{0};
  std::atomic<int> services{0};
  std::atomic<size_t> pending_bytes_peak{0};
  std::atomic<bool> handlers_never_block{false};  // set by a test, read by handlers
};

class LineHandler final : public StreamHandler {
 public:
  static constexpr size_t kBlockedAboveBytes = 128 * 1024;

  LineHandler(LineStats& stats, int worker, const ConnectionLink& link)
      : stats_(stats), worker_(worker), link_(link) {
    ++stats_.handlers;
  }
  ~LineHandler() override {
    if (stats_.open_turns == 0) ++stats_.out_of_turn;
    --stats_.handlers;
  }

  StreamStep OnInput(std::string_view input, uint32_t requests_max,
                     protocol::ReplySink& replies) override {
    if (stats_.open_turns == 0) ++stats_.out_of_turn;
    StreamStep step;
    uint32_t begun_count = 0;
    for (;;) {
      const std::string_view rest = input.substr(step.consumed_bytes);
      stats_.pending_bytes_peak =
          std::max(stats_.pending_bytes_peak.load(), replies.PendingBytes());
      if (value_bytes_left_ > 0) {
        step.consumed_bytes += TakeValue(rest, replies);
        if (value_bytes_left_ > 0) return step;
        ++step.request_count;
        continue;
      }
      const size_t line_bytes = rest.find('\n') + 1;
      if (line_bytes == 0) return step;
      const bool may_block = !stats_.handlers_never_block;
      if (may_block && replies.PendingBytes() > kBlockedAboveBytes) {
        return With(step, StreamStep::Next::kBlocked);
      }
      if (begun_count++ == requests_max) return With(step, StreamStep::Next::kYield);
      step.consumed_bytes += line_bytes;
      const std::string_view line = rest.substr(0, line_bytes);
      if (line == "nonsense\n") return With(step, StreamStep::Next::kRefuse);
      replies.BeginAnswer();
      if (line == "quit\n") return With(step, StreamStep::Next::kClose);
      if (line == "abort\n") return With(step, StreamStep::Next::kAbort);
      Answer(line, replies);
      if (value_bytes_left_ == 0) ++step.request_count;
    }
  }

  std::span<char> DirectInput() override {
    if (value_bytes_left_ == 0) return {};
    return std::span(value_).last(value_bytes_left_);
  }

  Wants Wanted() const override { return value_bytes_left_ > 0 ? Wants::kValue : Wants::kRequest; }

  StreamStep OnDirectInput(size_t bytes, protocol::ReplySink& replies) override {
    direct_bytes_ += bytes;
    value_bytes_left_ -= bytes;
    if (value_bytes_left_ > 0) return {};
    AnswerTaken(replies);
    return {.request_count = 1};
  }

 private:
  static StreamStep With(StreamStep step, StreamStep::Next next) {
    step.next = next;
    return step;
  }

  static size_t Argument(std::string_view line) {
    size_t number = 0;
    const size_t blank = line.find(' ');
    if (blank != std::string_view::npos) {
      std::from_chars(line.data() + blank + 1, line.data() + line.size(), number);
    }
    return number;
  }

  void Answer(std::string_view line, protocol::ReplySink& replies) {
    const size_t bytes = Argument(line);
    if (line.starts_with("fill ")) {
      replies.Append(std::string(bytes, 'f'));
    } else if (line.starts_with("lend ")) {
      Lend(bytes, replies);
    } else if (line.starts_with("take ")) {
      value_.assign(bytes, '\0');
      value_bytes_left_ = bytes;
      direct_bytes_ = 0;
    } else if (line == "protocols\n") {
      constexpr const char* kNames[] = {"auto", "text", "binary"};
      replies.Append(kNames[static_cast<int>(link_.Protocols())]);
    } else if (line == "worker\n") {
      replies.Append(std::to_string(worker_) + '\n');
    } else {
      replies.Append(line);
    }
  }

  struct Loan {
    LineStats& stats;
    std::string text;
  };

  void Lend(size_t bytes, protocol::ReplySink& replies) {
    auto* const loan = new Loan{stats_, std::string(bytes, 'l')};
    ++stats_.lent;
    const auto release = [](void* opaque) {
      auto* const returned = static_cast<Loan*>(opaque);
      ++returned->stats.released;
      delete returned;  // a second release would be caught by the address sanitizer
    };
    replies.Lend(loan->text, release, loan);
  }

  size_t TakeValue(std::string_view rest, protocol::ReplySink& replies) {
    const size_t bytes = std::min(rest.size(), value_bytes_left_);
    std::copy_n(rest.begin(), bytes, value_.end() - static_cast<ptrdiff_t>(value_bytes_left_));
    value_bytes_left_ -= bytes;
    if (value_bytes_left_ == 0) AnswerTaken(replies);
    return bytes;
  }

  void AnswerTaken(protocol::ReplySink& replies) {
    const bool is_whole =
        std::all_of(value_.begin(), value_.end(), [](char c) { return c == 'v'; });
    replies.Append(is_whole ? "took " : "spoilt ");
    replies.Append(std::to_string(value_.size()) + ' ' + std::to_string(direct_bytes_) + '\n');
  }

  LineStats& stats_;
  const int worker_;
  const ConnectionLink& link_;
  std::string value_;
  size_t value_bytes_left_ = 0;
  size_t direct_bytes_ = 0;
};

class LineService final : public WorkerService {
 public:
  explicit LineService(LineStats& stats) : stats_(stats), worker_(stats.services++) {}
  void OnTurnStart() override {
    ++stats_.turns;
    ++stats_.open_turns;
  }
  void OnTurnEnd() override { --stats_.open_turns; }
  std::unique_ptr<StreamHandler> MakeHandler(ConnectionLink& link) override {
    return std::make_unique<LineHandler>(stats_, worker_, link);
  }

 private:
  LineStats& stats_;
  const int worker_;
};

}  // namespace larder::server
