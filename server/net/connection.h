// server/net/connection.h - one client: bytes from its transport to its handler, replies back.
//
// The connection knows nothing of what the bytes mean, only how much is wanted and what waits.
// Four facts make its state; Settle() derives from them what to watch the socket for:
//
//     resuming   the handler can go on without new input, and is in line to be called (kYield, or
//                kBlocked whose replies were taken). Nothing is received meanwhile.
//     blocked    the handler goes on when the peer has taken all replies (kBlocked)
//     paused     more than kPendingBytesMax of replies wait: nothing is received until the peer has
//                taken them all, so a client that never reads costs no more. All, and not most:
//                the socket's own buffer is still full then, so the peer never waits for us
//     closing    the peer sends no more, or the handler is done: close when all replies are sent
//
// One readable event costs one receive and one send. A receive that filled its buffer is not
// repeated: epoll reports the socket again, after the others had their turn.
//
// Owner    its worker owns it; it owns transport, handler, held input and reply backlog.
// Threads  its worker's thread.
// Errors   a call that returns kClosed is the last: the worker then destroys the connection.
// Not here where events are dispatched: worker.h
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "server/net/read_buffer.h"
#include "server/net/reply_queue.h"
#include "server/net/stream_handler.h"
#include "server/net/transport.h"

namespace larder::server {

class Connection;

// What all connections of one worker use, one after the other.
class ConnectionHost {
 public:
  explicit ConnectionHost(uint32_t requests_per_turn_max)
      : requests_per_turn_max_(requests_per_turn_max), replies_(counters_.held_replies) {}
  ConnectionHost(const ConnectionHost&) = delete;
  ConnectionHost& operator=(const ConnectionHost&) = delete;

  // What libevent calls with the Connection as its argument.
  [[nodiscard]] virtual event_callback_fn EventCallback() const = 0;
  // Puts the connection in line for a call of Resume.
  virtual void ResumeSoon(Connection& connection) = 0;

  [[nodiscard]] const WorkerCounters& Counters() const { return counters_; }

 protected:
  ~ConnectionHost() = default;

 private:
  friend class Connection;
  const uint32_t requests_per_turn_max_;
  WorkerCounters counters_;
  ReadBuffer input_;
  ReplyQueue replies_;
};

class Connection final : public ConnectionLink {
 public:
  static constexpr size_t kPendingBytesMax = 256 * 1024;

  enum class State : uint8_t { kOpen, kClosed };

  // REQUIRES: the host outlives the connection.
  Connection(ConnectionHost& host, std::unique_ptr<Transport> transport, WorkerService& service);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Begins to watch the socket. kClosed: the system would not let us.
  [[nodiscard]] State Start(event_base* base);
  // The socket is ready for `what`, EV_READ and EV_WRITE.
  [[nodiscard]] State OnEvent(short what);
  // The turn in line that ResumeSoon asked for.
  [[nodiscard]] State Resume();

  [[nodiscard]] ConnectionHost& Host() { return host_; }
  [[nodiscard]] std::shared_ptr<Waker> GetWaker() override;
  [[nodiscard]] int Fd() const override { return transport_->Fd(); }
  [[nodiscard]] Binding Protocols() const override { return Binding::kAuto; }

  // Its place in the worker's table, which is the worker's to know and to change.
  [[nodiscard]] uint32_t Slot() const { return slot_; }
  void SetSlot(size_t slot) { slot_ = static_cast<uint32_t>(slot); }

 private:
  State Receive();
  State ReceiveDirect(std::span<char> direct);
  // Counts what was received. False: there is nothing to handle; `*state` says how it goes on.
  bool Accept(const IoResult& received, State* state);
  State Handle(std::string_view input);
  State Conclude(const StreamStep& step, std::string_view rest);
  State Yield();
  void GetInLine();
  State Flush();
  State Settle();
  State Watch(short events);
  [[nodiscard]] size_t PendingBytes() const {
    return backlog_ == nullptr ? 0 : backlog_->PendingBytes();
  }

  ConnectionHost& host_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<StreamHandler> handler_;
  std::unique_ptr<ReplyBacklog> backlog_;  // null: no reply waits
  HeldInput held_;
  event event_;
  // Packed, because thousands of idle connections are the usual case.
  uint32_t slot_ = 0;
  short watched_events_ = 0;
  bool is_resuming_ : 1 = false;
  bool is_blocked_ : 1 = false;
  bool is_paused_ : 1 = false;
  bool is_closing_ : 1 = false;
};
static_assert(sizeof(Connection) <= 208, "an idle connection must cost little");

}  // namespace larder::server
