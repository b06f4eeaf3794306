// Any bytes at all as a datagram: its frame is read as it was written, its requests are answered
// by whole answers within the bound, and those are the same however many turns they take.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/udp_frame.h"
#include "server/net/datagram_replies.h"
#include "server/net/stream_handler.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/stand.h"

namespace {

using larder::fuzz::IsWithin;
using larder::fuzz::Require;
using larder::protocol::kUdpHeaderBytes;
using larder::server::DatagramReplies;
using larder::server::StreamStep;

class DatagramLink final : public larder::server::ConnectionLink {
 public:
  [[nodiscard]] std::shared_ptr<larder::server::Waker> GetWaker() override { return nullptr; }
  [[nodiscard]] int Fd() const override { return 26; }
  [[nodiscard]] larder::server::Binding Protocols() const override {
    return larder::server::Binding::kAuto;
  }
  [[nodiscard]] bool IsDatagram() const override { return true; }
};

void Take(DatagramReplies& replies, std::vector<std::string>& answers) {
  for (size_t i = 0; i < replies.AnswerCount(); ++i) {
    const std::string_view answer = replies.Answer(i);
    Require(!answer.empty() && answer.size() <= DatagramReplies::kBytesMax);
    answers.emplace_back(answer);
  }
  replies.Compact();
}

std::vector<std::string> Answers(std::string_view requests, uint32_t requests_max) {
  larder::fuzz::Stand stand;
  DatagramLink link;
  DatagramReplies replies;
  std::vector<std::string> answers;
  stand.Service().OnTurnStart();
  auto handler = stand.Service().MakeHandler(link);
  StreamStep step;
  do {
    const std::vector<char> input(requests.begin(), requests.end());
    step = handler->OnInput({input.data(), input.size()}, requests_max, replies);
    Require(step.consumed_bytes <= requests.size());
    requests.remove_prefix(step.consumed_bytes);
    Take(replies, answers);
  } while (step.next == StreamStep::Next::kYield || step.next == StreamStep::Next::kBlocked);
  if (step.next == StreamStep::Next::kAbort || step.next == StreamStep::Next::kAwait) {
    replies.DropAnswer();
  }
  replies.EndAnswer();
  Take(replies, answers);
  handler.reset();
  stand.Service().OnTurnEnd();
  return answers;
}

void RequireHeaderComesBack(std::string_view datagram, uint16_t request_id) {
  std::array<char, kUdpHeaderBytes> header;
  larder::protocol::WriteUdpHeader({.request_id = request_id, .sequence = 0, .total = 1},
                                   header.data());
  Require(std::equal(header.begin(), header.begin() + 2, datagram.begin()));
  const std::string answer = std::string(header.data(), header.size()) + "x";
  const auto read = larder::protocol::ReadUdpRequest(answer);
  Require(read.has_value() && read->request_id == request_id && read->payload == "x");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view datagram(reinterpret_cast<const char*>(data), size);
  const auto request = larder::protocol::ReadUdpRequest(datagram);
  if (!request.has_value()) {
    Require(size <= kUdpHeaderBytes || data[4] != 0 || data[5] != 1);
    return 0;
  }
  Require(!request->payload.empty() && IsWithin(request->payload, datagram));
  Require(request->payload.size() == size - kUdpHeaderBytes);
  RequireHeaderComesBack(datagram, request->request_id);
  Require(Answers(request->payload, 1000) == Answers(request->payload, 1));
  return 0;
}
