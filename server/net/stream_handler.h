// server/net/stream_handler.h - what a connection knows of the conversation it carries: nothing
// but this. Bytes go in, reply bytes come out, and a step says what the handler waits for.
//
// Owner    the connection owns its handler; the handler owns what it has taken in hand (a value
//          under way) and gives it back when it is destroyed.
// Threads  everything of one WorkerService happens on its worker's thread.
// Errors   none thrown; a hopeless stream answers Next::kClose or kAbort.
// Not here the memcached protocols: server/commands/session.h implements this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "protocol/reply_sink.h"

namespace larder::server {

struct StreamStep {
  enum class Next : uint8_t {
    kNeedInput,  // every complete request is answered; the rest is part of one, or nothing
    kYield,      // the turn's requests are used up; call again soon, without new input
    kBlocked,    // too many replies wait; call again, without new input, when they are taken
    kAwait,      // somebody else is at work on the answer; call again when the Waker is used.
                 // Nothing is read meanwhile, and nothing is idle; a peer that is gone is noticed
    kClose,      // the conversation is over: send what is queued, then close
    kRefuse,     // the stream makes no sense: as kClose
    kShutdown,   // the client has ended the server: as kClose
    kAbort,      // close at once, drop what is queued
  };
  Next next = Next::kNeedInput;
  // Of the requests, how many ended in this step. One that waits, for bytes of its value or for
  // somebody else, ends in the step that goes on with it to its end.
  uint32_t request_count = 0;
  // How much of the input is done with. The next call's input begins with the byte after it.
  size_t consumed_bytes = 0;
};

// Has one connection's handler called again soon, without new input. Whoever works for a waiting
// connection holds one.
// Threads  any. Once the connection has ended, it does nothing.
class Waker {
 public:
  virtual ~Waker() = default;
  virtual void Wake() = 0;
};

// Which protocols a listener takes (-B, or `proto[..]` of -l).
enum class Binding : uint8_t { kAuto, kText, kBinary };

// What a handler may ask of the connection it serves. Outlives the handler.
class ConnectionLink {
 public:
  // The same one at each call. A connection that never asks pays nothing for it.
  [[nodiscard]] virtual std::shared_ptr<Waker> GetWaker() = 0;
  // How watchers are told apart from each other and named: the socket's descriptor.
  [[nodiscard]] virtual int Fd() const = 0;
  [[nodiscard]] virtual Binding Protocols() const = 0;
  // A datagram's sender may be forged. So nothing may be awaited here, and what makes no sense is
  // not answered.
  [[nodiscard]] virtual bool IsDatagram() const { return false; }

 protected:
  ~ConnectionLink() = default;
};

class StreamHandler {
 public:
  virtual ~StreamHandler() = default;

  // `input`: all bytes received and not consumed so far, in order; may be empty after kYield,
  // kBlocked or kAwait. Lent for the call only. Handles at most `requests_max` requests.
  virtual StreamStep OnInput(std::string_view input, uint32_t requests_max,
                             protocol::ReplySink& replies) = 0;

  // While a large value is under way: where the stream's next bytes belong. The connection then
  // reads straight into it and reports with OnDirectInput. Empty: bytes go through OnInput.
  // Asked again after every call; lent until the next call of any kind.
  [[nodiscard]] virtual std::span<char> DirectInput() { return {}; }
  virtual StreamStep OnDirectInput(size_t /*bytes*/, protocol::ReplySink& /*replies*/) {
    return {};
  }

  // `input` has come and is handed to OnInput in a moment: what that will want of main memory can
  // be fetched meanwhile, in two steps, for the second finds its way with what the first fetched.
  // A guess that changes nothing. Returns what LookCloser is told; 0: there is nothing to fetch.
  [[nodiscard]] virtual uint64_t LookAhead(std::string_view /*input*/) const { return 0; }
  virtual void LookCloser(uint64_t /*foreseen*/) const {}

  // What it waits for after kNeedInput, for those who list connections.
  enum class Wants : uint8_t {
    kFirstByte,
    kRequest,
    kValue,        // the rest of a value
    kRefusedValue  // the rest of a value that is not stored
  };
  [[nodiscard]] virtual Wants Wanted() const { return Wants::kRequest; }

  // During kAwait the peer has ended its side of the stream. It may be gone, or it may be one that
  // has asked all it wanted and waits for the answer. False: no answer is of use to it any more.
  [[nodiscard]] virtual bool GoesOnWithoutPeer() const { return true; }
};

// What one worker thread needs from the rest of the server.
class WorkerService {
 public:
  virtual ~WorkerService() = default;
  // Around everything a worker does between two waits for events.
  virtual void OnTurnStart() = 0;
  virtual void OnTurnEnd() = 0;
  virtual std::unique_ptr<StreamHandler> MakeHandler(ConnectionLink& link) = 0;
};

}  // namespace larder::server
